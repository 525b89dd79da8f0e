"""Node perturbation."""

from __future__ import annotations

from typing import ClassVar

from neuroanp.config.option import option
from neuroanp.config.sources import ANP, FIETE_SEUNG, LANSDELL
from neuroanp.network.record import Record
from neuroanp.rules._base import Layer, NodeRule
from neuroanp.rules._factors import outer, times
from neuroanp.rules._stretches import draws, over_draws
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays


class NodePerturbation(NodeRule):
    r"""Credit of each unit for the effect of its noise on the loss.

    .. math:: \Delta W = -\eta \sum_{t,l} \frac{M_{t,l}}{\sigma^2} \; \xi_{t,l} \; \mathrm{pre}_{t,l}^\top

    where

    - :math:`\xi_{t,l}` is the noise added to the activity of the postsynaptic layer, of standard deviation
      :math:`\sigma`;
    - :math:`M_{t,l}` is the modulator: the return with the noise minus the return without it;
    - :math:`\mathrm{pre}_{t,l}` is the input for ``W_in``, the hidden trace one step earlier for ``W_rec``,
      the hidden trace for ``W_out``, each without noise, and decorrelated where the record has D.

    Noise at step t meets losses from t on, so with discount 1 the mean of the sum is the gradient of the
    loss, through all steps, with an error of order :math:`\sigma^2` (mirrored, or of a clean pass). With
    discount 0 it is the gradient truncated to the step itself.

    One noisy pass is enough with a baseline from other trials: REINFORCE for a Gaussian policy.
    ``Modulator(baseline=RunningMean())`` makes it the rule of Fiete and Seung for substrates that can't run a
    trial twice, reward minus its running mean times the eligibility of the noise. The discount is the decay
    of the eligibility: with :math:`\ell_s - b_s` the surprise of one step,

    .. math:: \sum_t M_t \, \xi_t \, \mathrm{pre}_t^\top = \frac{1}{L} \sum_s (\ell_s - b_s)
              \sum_{t \le s} \gamma^{s-t} \, \xi_t \, \mathrm{pre}_t^\top

    Spiking cells integrate: noise that changes at every step hardly moves them. With `hold` h one draw stays
    for h steps, and its effect, divided by h, is credited to the trace of each of them: the mean is the
    gradient with the trace averaged over a draw's steps.

    Needs of a synapse
    ------------------
    Local: the noise of the postsynaptic cell, the trace of the presynaptic one. Broadcast: M.

    Parameters
    ----------
    hold : int
        Steps for which one draw of noise is held.
    readout_sigma : float, optional
        Standard deviation of the noise on the readout; that of the cells when left out.

    See `NoiseRule` for the other options.

    Examples
    --------
    >>> rule = NodePerturbation(sigma=0.05)
    >>> rule.passes
    ('plus', 'minus')
    >>> update = rule(record, Modulator()(record, {}), {})     # doctest: +SKIP

    Spiking cells, one noisy pass, compared with the lanes that see the same::

        train(LIF(), task, rule=NodePerturbation(sigma=0.1, hold=10, readout="delta"),
              modulator=Modulator(discount=0.98, baseline=OtherLanes()))

    References
    ----------
    Fiete and Seung, Phys. Rev. Lett. 97, 048104 (2006); Lansdell, Prakash, Kording,
    ICLR (2020); in recurrent networks Fernández, Keemink, van Gerven, arXiv 2405.08967, whose learning rate
    is the one here divided by :math:`\sigma`.
    """

    name = "node-perturbation"
    sources: ClassVar[tuple[str, ...]] = (FIETE_SEUNG, LANSDELL, ANP)

    hold: int = option(1, "steps for which one draw of noise is held", least=1)
    readout_sigma: float | None = option(
        None, "standard deviation of the readout's noise, if another", least=0
    )

    @property
    def hold_steps(self) -> int:
        return self.hold

    @property
    def output_sigma(self) -> float:
        return self.sigma if self.readout_sigma is None else self.readout_sigma

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        sigma = self.output_sigma if name == "W_out" else self.sigma
        if sigma == 0:
            return Synapse()
        if passes != ("plus",):
            return NotLocal(
                quantity="the trace without noise, which is in another pass than the noise",
                variant="Modulator(baseline=RunningMean()), one noisy pass compared with the trials before",
            )
        return Synapse(
            state=("eligibility", "gradient"),
            eligibility="eligibility = decay * eligibility + noise_post * trace_pre / (sigma**2 * hold)",
            credit="gradient += modulator * eligibility",
            forget="gradient = 0",
            constants={"sigma": sigma, "hold": self.hold},
        )

    def share(self, record: Record, modulator: Array, error: Array | None) -> Arrays:
        """Sum over steps and lanes: first of modulator times trace over the steps of a draw of noise."""
        if self.hold == 1 or self.sigma == 0 or record.wiring is not None:
            return super().share(record, modulator, error)
        noise, D = draws(record.noise, self.hold), record.decorrelation
        if noise is None:
            return super().share(record, modulator, error)
        post = noise / (self.sigma**2 * self.hold)
        inputs, x = (over_draws(modulator, x, self.hold) for x in (record.inputs, record.trace[:-1]))
        hidden = {"W_in": outer(post, inputs, D.get("D_in")), "W_rec": outer(post, x, D.get("D_hidden"))}
        return hidden | self._readout(record, modulator, error)

    def post(self, layer: Layer, record: Record, modulator: Array) -> Array:
        return times(modulator / (layer.sigma**2 * self.hold), layer.noise)

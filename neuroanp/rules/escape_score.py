"""Escape score: reward and the surprise of cells that spike by chance."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.config.sources import WILLIAMS
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules import _cells as spiking
from neuroanp.rules._factors import times, to_readout
from neuroanp.synapse import Neuron, NotLocal, Synapse
from neuroanp.types import Array, Arrays

PFISTER = """@article{pfister2006optimal,
  author = {Pfister, Jean-Pascal and Toyoizumi, Taro and Barber, David and Gerstner, Wulfram},
  title = {Optimal spike-timing-dependent plasticity for precise action potential firing in supervised
    learning},
  journal = {Neural Computation},
  volume = {18},
  number = {6},
  pages = {1318--1348},
  year = {2006},
  doi = {10.1162/neco.2006.18.6.1318}
}"""


class EscapeScore(spiking.CellRule):
    r"""Score function of cells that spike by chance, times the return: REINFORCE for spiking networks.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} M_{t,l} \, \frac{z_{t,l,i} - p_{t,l,i}}{s} \,
              \epsilon_{t,l,ij}, \qquad p_t = \frac{1}{1 + e^{-(v_t - \theta - b_t) / s}}

    where

    - z are the spikes, which logistic noise of scale s at the threshold decides (escape noise), and p is the
      chance that they had;
    - :math:`\epsilon` is the effect of a weight on the potential: presynaptic spikes (for ``W_in`` the
      input) filtered by the membrane, cut where a spike resets the potential;
    - :math:`M_{t,l}` is the modulator.

    :math:`\epsilon (z - p) / s` is the derivative of the log-likelihood of a spike train with respect to a
    weight, so the mean of the updates is the gradient of the expected loss of the noisy network, exactly and
    whatever the loss. It is a rule for cells that are noisy anyway, as those of many chips are: the noise is
    theirs, not the rule's, and stays on when the network is tested.

    Needs of a synapse
    ------------------
    Local: presynaptic spikes through a filter, the surprise z - p of the postsynaptic cell, its eligibility.
    Broadcast: M.

    Parameters
    ----------
    escape : float
        Scale s of the noise at the threshold, in the unit of the potential, above 0.
    readout : str
        ``"delta"``, ``"perturb"`` from noise on the readout, or ``"fixed"``.
    readout_sigma : float
        Standard deviation of the noise on the readout, for ``"perturb"``.

    Raises
    ------
    InvalidValue
        For values out of range, and for a model that doesn't give its `cells`.

    Examples
    --------
    >>> EscapeScore(escape=0.1).perturbation.lasting
    True

    References
    ----------
    Williams, Machine Learning 8, 229 (1992); Pfister, Toyoizumi, Barber, Gerstner, Neural Computation 18,
    1318 (2006), on the likelihood of a spike train under escape noise.
    """

    name = "escape-score"
    sources = (WILLIAMS, PFISTER)
    needs_baseline = True

    escape: float = option(0.1, "scale of the noise at the threshold", above=0)
    readout: Literal["delta", "perturb", "fixed"] = option("delta", "how the readout learns")
    readout_sigma: float = option(0.03, "standard deviation of the noise on the readout", least=0)

    @property
    def passes(self) -> tuple[str, ...]:
        return ("plus",)

    @property
    def perturbation(self) -> Perturbation:
        return Perturbation(
            target="thresholds", sigma=spiking.ESCAPE * self.escape, distribution="logistic", lasting=True,
            readout=self.readout == "perturb", readout_sigma=self.readout_sigma, recorded=self.recorded,
        )  # fmt: skip

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if name == "W_out":
            return Synapse(
                state=("eligibility", "gradient"),
                eligibility="eligibility = decay * eligibility + noise_post * trace_pre / readout_sigma**2",
                credit="gradient += modulator * eligibility",
                forget="gradient = 0",
                constants={"readout_sigma": self.readout_sigma},
            )
        return spiking.synapse(
            name,
            state=("eligibility",),
            credit="""
                eligibility = decay * eligibility + surprise_post * effect / escape
                gradient += modulator * eligibility
            """,
            constants={"escape": self.escape},
        )

    @property
    def neuron(self) -> Neuron:
        return spiking.surprise(self.escape)

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        course = spiking.course(record)
        surprise, _ = spiking.surprises(course, self.escape)
        update = spiking.weights_update(record, course, times(modulator / self.escape, surprise))
        if self.readout != "perturb":
            return update | self.readout_update(record)
        if self.readout_sigma == 0:
            return update
        return update | to_readout(record, times(modulator / self.readout_sigma**2, record.noise_out))

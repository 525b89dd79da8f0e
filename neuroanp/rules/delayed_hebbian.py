"""Miconi's delayed-reward Hebbian rule."""

from __future__ import annotations

import dataclasses
from typing import Literal

from neuroanp.arrays import scanned
from neuroanp.config.option import option
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import outer, pre, readouts, recurrent, times
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

MICONI = """@article{miconi2017biologically,
  author = {Miconi, Thomas},
  title = {Biologically plausible learning in recurrent neural networks reproduces neural dynamics observed
    during cognitive tasks},
  journal = {eLife},
  volume = {6},
  pages = {e20899},
  year = {2017},
  doi = {10.7554/eLife.20899}
}"""


class DelayedHebbian(NoiseRule):
    r"""Jumps of activity under an input, remembered and rewarded at the end of a trial.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} M_{t,l} \big( \delta a_{t,l,i} \, \mathrm{pre}_{t,l,j} \big)^3,
              \qquad \delta a_t = a_t - \bar a_{t-1}, \qquad
              \bar a_t = \alpha \, \bar a_{t-1} + (1 - \alpha) \, a_t

    where a is the activity of the postsynaptic layer, :math:`\alpha` is `memory`, and M and pre are as in
    `NodePerturbation`. The running mean starts from the first step, whose fluctuation is 0.

    The rule doesn't know the noise, but infers it from the activity: noise is rare and large, so that its
    jumps stand out, and the cube keeps the small relaxation after a jump from cancelling its eligibility. A
    cell is perturbed with probability `probability` at each step, uniformly from -A to A; sigma is the
    standard deviation over all steps, :math:`A \sqrt{p / 3}`.

    With a discount of 1 and a loss at the end of a trial only, M is the same at all steps: the update is
    reward minus its mean times the eligibility, summed over the trial. The published mean is one of the
    trials with the same input, baseline `OtherLanes`; `RunningMean` takes all trials.

    It is no gradient, and its length depends on the third power of everything: use Adam, or clip.

    Needs of a synapse
    ------------------
    Local: the postsynaptic activity and its running mean, the presynaptic trace, the eligibility.
    Broadcast: M.

    Parameters
    ----------
    probability : float
        Probability of a perturbation of a cell at a step, above 0 and at most 1.
    memory : float
        :math:`\alpha`, from 0 to less than 1.
    readout : str
        ``"perturb"`` by this rule, from fluctuations of the outputs; ``"delta"`` or ``"fixed"``.

    See `NoiseRule` for sigma and mirrored.

    Examples
    --------
    >>> DelayedHebbian(sigma=0.016, probability=0.003).perturbation.distribution
    'rare'

    References
    ----------
    Miconi, eLife 6, e20899 (2017).
    """

    name = "delayed-hebbian"
    sources = (MICONI,)
    bias_note = (
        "The eligibility is a cube of the change of activity, so that its size and direction are not those "
        "of a gradient; only the sign of the correlation with the reward is."
    )
    recorded = ("activity",)
    supports_sparse = True

    distribution: Literal["rare"] = option("rare", "distribution of the noise")  # type: ignore[assignment]
    probability: float = option(0.003, "probability that a cell is perturbed at a step", above=0, most=1)
    memory: float = option(
        0.05, "part of the running mean of activity that stays for a step", least=0, most=1
    )

    @property
    def perturbation(self) -> Perturbation:
        return dataclasses.replace(super().perturbation, probability=self.probability)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if len(passes) > 1:
            return NotLocal(
                quantity="the fluctuations of one pass in the other, whose loss decides about them too",
                variant="Modulator(baseline=RunningMean()), one pass compared with the trials before",
            )
        return Synapse(
            state=("arrived", "fluctuation", "usual", "eligibility", "gradient"),
            eligibility="arrived = trace_pre",
            credit="""
                fluctuation = going * (activity_post - usual)
                usual = activity_post - memory * fluctuation
                eligibility = decay * eligibility + (fluctuation * arrived)**3
                gradient += modulator * eligibility
            """,
            forget="gradient = 0",
            constants={"memory": self.memory},
        )

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        hidden = times(modulator, self._cubed(record.passes.noisy(record.activity)))
        update = {
            "W_in": outer(hidden, pre(record, "W_in") ** 3),
            "W_rec": recurrent(record, hidden, pre(record, "W_rec") ** 3),
        }
        if self.readout == "perturb":
            output = times(modulator, self._cubed(record.passes.noisy(record.outputs)))
            update |= {name: outer(output, pre(record, name) ** 3) for name in readouts(record)}
        return update | self.readout_update(record)

    def _cubed(self, activity: Array) -> Array:
        """Third power (T, L, n) of the fluctuations of an activity."""

        def follow(mean: Array, a: Array) -> tuple[Array, Array]:
            fluctuation = a - mean
            return mean + (1 - self.memory) * fluctuation, fluctuation

        return scanned(follow, activity[0], activity)[1] ** 3

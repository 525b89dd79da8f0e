"""Ornstein-Uhlenbeck adaptation of the weights."""

from __future__ import annotations

import dataclasses

from neuroanp.config.option import option
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import weight_noise
from neuroanp.synapse import NotLocal, Synapse, joined
from neuroanp.types import Array, Arrays

ADAPTATION = r"""@article{garciafernandez2024ornstein,
  author = {Garc{\'i}a Fern{\'a}ndez, Jes{\'u}s and Ahmad, Nasir and van Gerven, Marcel},
  title = {{Ornstein--Uhlenbeck} adaptation as a mechanism for learning in brains and machines},
  journal = {Entropy},
  volume = {26},
  number = {12},
  pages = {1125},
  year = {2024},
  doi = {10.3390/e26121125},
  eprint = {2410.13563},
  archivePrefix = {arXiv}
}"""


class OrnsteinUhlenbeck(NoiseRule):
    r"""Weights wander around their means, and the means follow them where reward was more than expected.

    .. math:: \theta_k - \mu_k = (1 - \lambda) (\theta_{k-1} - \mu_{k-1})
              + \sigma \sqrt{1 - (1 - \lambda)^2} \; \xi_k, \qquad
              \Delta \mu_k = -\eta \, \frac{M_k}{\sigma^2} \, (\theta_k - \mu_k)

    where

    - :math:`\theta_k` are the weights in force in trial k, the same in all lanes, and :math:`\mu_k` their
      means, which are trained, tested and stored;
    - :math:`\lambda` is `relaxation`, a trial the unit of time; :math:`\sigma` is the standard deviation of
      :math:`\theta - \mu` in the long run;
    - :math:`M_k` is the modulator at the first step, summed over lanes: the return of the trial minus its
      baseline. With baseline `RunningMean` it is the published reward prediction error, and one
      run of each trial is enough.

    With :math:`\lambda` = 1 this is weight perturbation, held for a trial. Slower noise suits substrates
    whose weights drift by themselves, such as memristors; its samples are less independent, so learning is
    slower. Readout weights wander too, unless they learn by the delta rule or not at all.

    Published is the process in continuous time, in which the weights don't move with the means at once: they
    relax to them at rate :math:`\lambda`. Here noise is a function of seed and trial, so they do. The
    difference is of second order in the learning rate.

    Needs of a synapse
    ------------------
    Local: the difference of the weight from its mean, both kept in the synapse. Broadcast: M, once a trial.

    Parameters
    ----------
    relaxation : float
        :math:`\lambda`, above 0 and at most 1: part of the way to its mean that a weight goes in a trial.

    See `NoiseRule` for the other options.

    Examples
    --------
    >>> OrnsteinUhlenbeck(sigma=0.05, relaxation=0.2).perturbation.target
    'weights'

    References
    ----------
    Fernández, Ahmad, van Gerven, Entropy 26, 1125 (2024), arXiv 2410.13563.
    """

    name = "ornstein-uhlenbeck"
    sources = (ADAPTATION,)
    bias_note = (
        "It follows weights that wander, over trials, so that one trial says little, and its size is set by "
        "the rates of wandering and following."
    )
    perturbs = "weights"

    relaxation: float = option(
        0.5, "part of the way to its mean that a weight goes in a trial", above=0, most=1
    )

    @property
    def hold_steps(self) -> int | None:
        return None

    @property
    def perturbation(self) -> Perturbation:
        return dataclasses.replace(super().perturbation, relaxation=self.relaxation)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if self.sigma == 0:
            return Synapse()
        apart = "(1 - relaxation) * apart + sqrt(1 - (1 - relaxation)**2 * int(trials > 1)) * weight_noise"
        wander = f"apart = {apart}"
        follow = "gradient = outcome * apart / sigma**2"
        return Synapse(
            state=("weight_noise", "apart", "gradient"),
            transmits=f"weight + polarity * ({apart})",
            learn=joined(wander, follow),
            constants={"sigma": self.sigma, "relaxation": self.relaxation},
        )

    @property
    def by_steps(self) -> bool:
        return True

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        return self.of_losses(record, modulator) | self.readout_update(record)

    def of_losses(self, record: Record, modulator: Array) -> Arrays:
        credit = modulator[0].sum() / self.sigma**2 if self.sigma > 0 else 0.0
        return {name: credit * apart for name, apart in next(weight_noise(record)).items()}

"""Evolution strategies."""

from __future__ import annotations

import dataclasses

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.network.layout import TO_READOUT
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import weight_noise
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

SALIMANS = """@misc{salimans2017evolution,
  author = {Salimans, Tim and Ho, Jonathan and Chen, Xi and Sidor, Szymon and Sutskever, Ilya},
  title = {Evolution strategies as a scalable alternative to reinforcement learning},
  year = {2017},
  eprint = {1703.03864},
  archivePrefix = {arXiv}
}"""


class EvolutionStrategies(NoiseRule):
    r"""Population of networks, a lane each, whose weights differ for a trial.

    .. math:: \Delta W = -\eta \sum_{l=1}^{L} \frac{M_l}{\sigma^2} \; \xi_l

    where

    - :math:`\xi_l` is the noise on the weights of member l, of standard deviation :math:`\sigma`, drawn once
      for a trial;
    - :math:`M_l` is the modulator of that lane at the first step: the return with the noise minus the return
      without it, or with its opposite (``mirrored``, antithetic pairs), over L. It needs a discount of 1 or
      near it.

    The mean is the gradient of the loss, smoothed over :math:`\sigma`. `WeightPerturbation` has the same
    noise in all lanes: one direction a trial where this has L of them, at the price of L matrices instead of
    one: a step reads all of them, so that large networks slow down.

    See `NoiseRule` for the options. Returns are not ranked.

    Examples
    --------
    >>> EvolutionStrategies(sigma=0.02).perturbation.per_lane
    True

    References
    ----------
    Salimans, Ho, Chen, Sidor, Sutskever, arXiv 1703.03864 (2017), without its ranks and weight decay.
    """

    name = "evolution-strategies"
    sources = (SALIMANS,)
    perturbs = "weights"

    @property
    def hold_steps(self) -> int | None:
        return None

    @property
    def perturbation(self) -> Perturbation:
        return dataclasses.replace(super().perturbation, per_lane=True)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        return NotLocal(
            quantity="weights of its own for each member", variant="WeightPerturbation, one member"
        )

    @property
    def by_steps(self) -> bool:
        return True

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        return self.of_losses(record, modulator) | self.readout_update(record)

    def of_losses(self, record: Record, modulator: Array) -> Arrays:
        lanes = record.mask.shape[1]
        xp = namespace(modulator)
        credit = xp.broadcast_to(modulator[0], lanes) / self.sigma**2 if self.sigma > 0 else np.zeros(lanes)
        return {
            name: xp.tensordot(credit, xi.astype(np.float64), axes=1)
            for name, xi in next(weight_noise(record)).items()
            if name not in TO_READOUT or self.readout == "perturb"
        }

"""Weight perturbation."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.config.option import option
from neuroanp.config.sources import ANP
from neuroanp.network.layout import TO_READOUT
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import weight_noise
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

CAUWENBERGHS = """@inproceedings{cauwenberghs1992fast,
  author = {Cauwenberghs, Gert},
  title = {A fast stochastic error-descent algorithm for supervised learning and optimization},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {5},
  pages = {244--251},
  year = {1992}
}"""

ZUEGE = r"""@article{zuege2023weight,
  author = {Z{\"u}ge, Paul and Klos, Christian and Memmesheimer, Raoul-Martin},
  title = {Weight versus node perturbation learning in temporally extended tasks: weight perturbation often
    performs similarly or better},
  journal = {Physical Review X},
  volume = {13},
  pages = {021006},
  year = {2023},
  doi = {10.1103/PhysRevX.13.021006}
}"""


class WeightPerturbation(NoiseRule):
    r"""Credit of each synapse for the effect of its noise on the loss.

    .. math:: \Delta W = -\eta \sum_t \frac{M_t}{\sigma^2} \; \xi^W_t

    where

    - :math:`\xi^W_t` is the noise on each weight at step t, of standard deviation :math:`\sigma`, the same
      in all lanes;
    - :math:`M_t` is the modulator summed over lanes: the mean over lanes of the return with the noise minus
      the return without it.

    With ``hold="trial"`` the noise is drawn once, and credited once with the return of the whole trial,
    :math:`M_0`: this needs a discount of 1 or near it. With ``hold="step"``, as published, each step has new
    noise and the return from that step on. Both have the gradient of the loss as their mean (for
    discount 1). The variance of the held one is about T/2 times less if the steps' gradients are unrelated,
    and twice as much if they all agree; it needs T times fewer draws. Noise on ``W_rec`` before a first step
    that starts from zero has no effect, and is left out.

    Parameters
    ----------
    hold : str
        Duration of one draw of weight noise: ``"trial"`` or ``"step"``.

    See `NoiseRule` for the other options.

    Examples
    --------
    >>> WeightPerturbation(sigma=0.01, hold="step", mirrored=False).perturbs
    'weights'

    References
    ----------
    Cauwenberghs, NeurIPS 5 (1993); fresh at each step: Fernández, Keemink, van Gerven,
    arXiv 2405.08967, whose learning rate is the one here divided by :math:`\sigma`; on holding: Züge, Klos,
    Memmesheimer, Phys. Rev. X 13, 021006 (2023).
    """

    name = "weight-perturbation"
    sources: ClassVar[tuple[str, ...]] = (CAUWENBERGHS, ANP, ZUEGE)
    perturbs = "weights"

    hold: Literal["trial", "step"] = option("trial", "how long one draw of weight noise lasts")

    @property
    def hold_steps(self) -> int | None:
        return None if self.hold == "trial" else 1

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if self.sigma == 0:
            return Synapse()
        transmits = "weight + polarity * weight_noise"
        constants = {"sigma": self.sigma}
        if self.hold == "trial":
            learn = "gradient = outcome * weight_noise / sigma**2"
            state = ("weight_noise", "gradient")
            return Synapse(state=state, transmits=transmits, learn=learn, constants=constants)
        noise = "(1 - resting) * weight_noise" if name == "W_rec" else "weight_noise"
        return Synapse(
            state=("weight_noise", "eligibility", "gradient"),
            transmits=transmits,
            eligibility=f"eligibility = decay * eligibility + {noise} / sigma**2",
            credit="gradient += modulator * eligibility",
            forget="gradient = 0",
            constants=constants,
        )

    @property
    def by_steps(self) -> bool:
        return self.hold == "trial"

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        return self.of_losses(record, modulator) | self.readout_update(record)

    def of_losses(self, record: Record, modulator: Array) -> Arrays:
        credit = modulator.sum(axis=1) / self.sigma**2 if self.sigma > 0 else np.zeros(len(modulator))
        zeros = namespace(modulator).zeros
        silent = self.hold == "step" and not record.trace[0].any()
        update: dict[str, Array] = {}
        for step, noise in enumerate(weight_noise(record)):
            for name, xi in noise.items():
                if name in TO_READOUT and self.readout != "perturb":
                    continue
                if name not in update:
                    update[name] = zeros(xi.shape)
                if not (silent and step == 0 and name == "W_rec"):
                    update[name] += credit[step] * xi
        return update

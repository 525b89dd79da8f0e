"""Weight noise that wanders from trial to trial: an Ornstein-Uhlenbeck process."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroanp.engine import noise
from neuroanp.engine.operations.dense import DenseProjection
from neuroanp.engine.operations.weight_noise import WeightNoise


class WanderingWeightNoise(WeightNoise):
    r"""Noise on weights, held for a trial, of which a part is left in the next one.

    .. math:: x_k = (1 - \lambda) \, x_{k-1} + \sqrt{1 - (1 - \lambda)^2} \; \xi_k

    with :math:`\xi_k` the draw of trial k, so that the variance is that of the draws; :math:`x_0 = \xi_0`. It
    is a function of seed and trial still: a trial that doesn't follow the last one is worked out again from
    the draws that are left in it.

    Parameters
    ----------
    relaxation : float
        :math:`\lambda`, above 0 and at most 1.

    The others are those of `WeightNoise`.
    """

    def __init__(
        self,
        projection: DenseProjection,
        *,
        signs: tuple[int, ...],
        distribution: str,
        stream: int,
        relaxation: float,
        mixed: bool,
        when: str,
        order: int,
        name: str,
    ) -> None:
        self.keep = 1.0 - relaxation
        self.last: tuple[int, int, Any] = (0, -2, None)
        super().__init__(
            projection, signs=signs, distribution=distribution, hold=0, stream=stream, mixed=mixed,
            given=True, when=when, order=order, name=name,
        )  # fmt: skip

    def start(self, steps: int, seed: int, trial: int, sigma: float) -> None:
        """Make ready for a trial."""
        self.play(sigma * self._process(seed, trial)[None] if sigma else np.zeros((1, *self.shape)))

    def _process(self, seed: int, trial: int) -> np.ndarray:
        last_seed, last_trial, x = self.last
        follows = (last_seed, last_trial) == (seed, trial - 1)
        if (last_seed, last_trial) == (seed, trial):
            return np.asarray(x)
        first = trial if follows else max(0, trial - self._reach)
        x = x if follows else self._draw(seed, first)
        for k in range(first if follows else first + 1, trial + 1):
            x = self.keep * x + math.sqrt(1 - self.keep**2) * self._draw(seed, k)
        self.last = (seed, trial, x)
        return np.asarray(x)

    @property
    def _reach(self) -> int:
        """Trials after which nothing is left but rounding."""
        return math.ceil(math.log(1e-17) / math.log(self.keep)) if self.keep > 0 else 0

    def _draw(self, seed: int, trial: int) -> np.ndarray:
        return noise.draw(self.distribution, seed, self.stream, trial, 0, self.shape[0], self.shape[1])

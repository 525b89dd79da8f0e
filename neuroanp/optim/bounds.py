"""Bounds of the weights."""

from __future__ import annotations

import math
import sys

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.optim._base import Stage
from neuroanp.synapse import Synapse
from neuroanp.types import Array, Arrays


class WeightBounds(Stage):
    """Cut the change of a weight where it would leave its range.

    Parameters
    ----------
    low, high : float
        Least and greatest weight; infinite for no bound.

    Raises
    ------
    InvalidValue
        When `low` is not below `high`.
    """

    low: float = option(-math.inf, "least weight", finite=False)
    high: float = option(math.inf, "greatest weight", finite=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise InvalidValue("WeightBounds.low", f"a number below high ({self.high:g})", self.low)

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        if not self._unbounded:
            for name, change in update.items():
                self._cut(change, weights[name])
        return update

    @property
    def _unbounded(self) -> bool:
        return self.low == -math.inf and self.high == math.inf

    def synapse(self) -> Synapse:
        if self._unbounded:
            return Synapse()
        largest = sys.float_info.max
        bounds = {"low": max(self.low, -largest), "high": min(self.high, largest)}
        return Synapse(learn="weight = clip(weight, low, high)", constants=bounds)

    def _cut(self, change: Array, w: Array) -> None:
        reached = w + change
        if reached.max() > self.high:
            self._stop(change, w, reached > self.high, self.high, -math.inf)
        if reached.min() < self.low:
            self._stop(change, w, reached < self.low, self.low, math.inf)

    @staticmethod
    def _stop(change: Array, w: Array, beyond: Array, bound: float, back: float) -> None:
        start = w[beyond]
        rest = bound - start
        # start + rest can round to the number next to the bound, on its far side
        over = np.sign(start + rest - bound) == -np.sign(back)
        change[beyond] = np.where(over, np.nextafter(rest, back), rest)

"""Bounds of the weights."""

from __future__ import annotations

import functools
import math
import sys

import numpy as np

from neuroanp.arrays import chosen, namespace
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
            return {name: self._cut(change, weights[name]) for name, change in update.items()}
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

    def _cut(self, change: Array, w: Array) -> Array:
        reached = w + change
        for beyond, bound, back in (
            (reached > self.high, self.high, -math.inf), (reached < self.low, self.low, math.inf),
        ):  # fmt: skip
            change = chosen(beyond.any(), functools.partial(_stopped, change, w, beyond, bound, back), change)
        return change


def _stopped(change: Array, w: Array, beyond: Array, bound: float, back: float) -> Array:
    """Change with those of some weights up to a bound, or the number next to it on the side `back`."""
    xp = namespace(w)
    rest = bound - w
    # w + rest can round to the number next to the bound, on its far side
    over = xp.sign(w + rest - bound) == -np.sign(back)
    return xp.where(beyond, xp.where(over, xp.nextafter(rest, xp.full_like(rest, back)), rest), change)

"""Times of functions that take turns, so that all of them meet the same machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = dict[str, NDArray[np.float64]]

BLOCK = 0.02
"""Seconds that a sample lasts at least: shorter calls are made several times."""

MOST_ROUNDS = 25


class Spread(NamedTuple):
    """Median, least and largest value of the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g}..{self.high:.3g})"


def spread(values: Sequence[float] | NDArray[np.float64]) -> Spread:
    """The `Spread` of one value a round."""
    return Spread(float(np.median(values)), float(np.min(values)), float(np.max(values)))


def interleaved(functions: Mapping[str, Callable[[], Any]], seconds: float, least: int = 5) -> Samples:
    """Milliseconds of a call of each function, one sample a round.

    In a round every function has its turn, in one order and then in the other. A first call of each isn't
    counted, as it compiles; a second tells how many calls make a sample.

    Parameters
    ----------
    functions : mapping
        By name.
    seconds : float
        About how long all rounds take together.
    least : int
        Rounds at least, however long they take.
    """
    calls = {}
    for name, function in functions.items():
        function()
        calls[name] = max(1, math.ceil(BLOCK / max(_seconds(function, 1), 1e-6)))
    names = list(functions)
    times = {name: list[float]() for name in functions}
    start = time.perf_counter()
    for count in range(MOST_ROUNDS):
        if count >= least and time.perf_counter() - start > seconds:
            break
        for name in names:
            times[name].append(1e3 * _seconds(functions[name], calls[name]))
        names.reverse()
    return {name: np.array(values) for name, values in times.items()}


def slope(sizes: Sequence[float], samples: Sequence[NDArray[np.float64]]) -> Spread:
    """Exponent of size in time: the slope of the straight line through their logarithms, round by round.

    Parameters
    ----------
    sizes : sequence of float
    samples : sequence of array
        For each size the time of every round.
    """
    return spread(np.polyfit(np.log(sizes), np.log(np.stack(samples)), 1)[0])


def _seconds(function: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times

"""LIF cells whose readout starts balanced."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models.lif import LIF
from neuroanp.network.model import Weights


class BalancedLIF(LIF):
    """LIF cells whose readout weights alternate in sign and have mean 0 at the start.

    Every other cell drives an output up and the ones between drive it down, so that an output starts near 0
    at any rate of the cells: for readouts whose sign decides.
    """

    name = "balanced-lif"

    refractory_period: Any = option(5 * ms, "time after a spike without another", unit="ms")
    input_gain: float = option(3.0, "input weights have this standard deviation")
    bias_spread: float = option(0.1, "standard deviation of that current")
    readout_gain: float = option(1.0, "readout weights have standard deviation gain / sqrt(hidden)")

    def initial_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        weights = super().initial_weights(rng, n_in, n_out)
        sign = np.where(np.arange(self.hidden) % 2, 1.0, -1.0)
        balanced = sign * np.abs(weights["W_out"])
        return weights | {"W_out": balanced - balanced.mean(axis=1, keepdims=True)}

"""Leaky integrate-and-fire cells with current-based synapses."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.dynamics import Cells
from neuroanp.network.model import Model, Weights, gaussian_weights
from neuroanp.network.wiring import Wiring
from neuroanp.types import Array


def golden_ratio_spread(n: int) -> Array:
    """Numbers (n,) from 0 to 1, multiples of the golden ratio modulo 1, which spread evenly for every n."""
    return np.arange(n) * (np.sqrt(5) - 1) / 2 % 1


class LIF(Model):
    r"""Leaky integrate-and-fire cells; threshold 1, reset to 0, leaky readout of the spikes.

    .. math::
        \tau \dot v &= -v + W_{in} u + \xi \quad (\text{+ } W_{rec} \text{ column for every spike}) \\
        \tau_{out} \dot y &= -y \quad (\text{+ } W_{out} \text{ column for every spike})

    The noise is a current; the trace is the spike. The last input, always 1, has as its weights the currents
    of cells without input. Potentials start spread out.

    With a `density` below 1 or a `delay` each cell has ``density * hidden`` outgoing recurrent synapses,
    drawn from the network's seed, and an axonal delay, spread evenly from `least_delay` to `delay`. Only the
    weights that exist are stored and learn: ``W_rec`` is a vector of them, see `Wiring`. Spikes reach the
    readout without delay.
    """

    name = "lif"
    equations = """
        dv/dt = (drive + noise - v) / tau : 1 (unless refractory)
        drive : 1
        noise : 1
        spiked : 1
        tau : second (shared)
        refractory_period : second (shared)
    """
    update = "spiked = 0"
    threshold = "v > 1"
    reset = "v = 0; spiked = 1"
    refractory: ClassVar[str | None] = "refractory_period"
    method: ClassVar[str | None] = "exact"
    readout_equations = """
        y : 1
        drive : 1
        noise : 1
        target : 1
        tau : second (shared)
    """
    readout_update = """
        y = y * exp(-dt / tau) + drive + noise
        drive = 0
    """
    synaptic = "v"
    activity = "v"
    trace = "spiked"
    potential = "v"

    tau: Any = option(20 * ms, "membrane time constant", unit="ms", above=0)
    tau_out: Any = option(20 * ms, "time constant of the readout", unit="ms", above=0)
    refractory_period: Any = option(3 * ms, "time after a spike without another", unit="ms", above=0)
    input_gain: float = option(1.0, "input weights have this standard deviation", least=0)
    bias_mean: float = option(0.5, "mean current of a cell without input")
    bias_spread: float = option(0.3, "standard deviation of that current", least=0)
    recurrent_gain: float = option(
        0.5, "recurrent weights have standard deviation gain / sqrt(density * hidden)", least=0
    )
    v_spread: float = option(1.0, "cells start at potentials from 0 to this, not to fire together", least=0)
    readout_gain: float = option(0.3, "readout weights have standard deviation gain / sqrt(hidden)", least=0)
    density: float = option(1.0, "part of the recurrent synapses that exist", least=0, most=1)
    delay: Any = option(0 * ms, "longest axonal delay of recurrent synapses", unit="ms", least=0)
    least_delay: Any = option(0 * ms, "shortest axonal delay of recurrent synapses", unit="ms", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = type(self).__name__
        if round(self.density * self.hidden) < 1:
            expected = f"a part of {self.hidden} cells that is at least one of them"
            raise InvalidValue(f"{where}.density", expected, self.density)
        if self.least_delay > self.delay:
            raise InvalidValue(f"{where}.least_delay", f"at most delay ({self.delay})", self.least_delay)

    def parameters(self) -> dict[str, Any]:
        return {"tau": self.tau, "refractory_period": self.refractory_period}

    def initial_state(self) -> dict[str, Any]:
        return {"v": self.v_spread * golden_ratio_spread(self.hidden)}

    def readout_parameters(self) -> dict[str, Any]:
        return {"tau": self.tau_out}

    def readout_memory(self, dt: Any) -> float:
        return float(np.exp(-float(dt / self.tau_out)))

    def cells(self, dt: Any) -> Cells | None:
        memory = float(np.exp(-float(dt / self.tau)))
        silent = max(0, round(float(self.refractory_period / dt)) - 1)
        return Cells(memory=memory, drive=1 - memory, refractory=silent)

    @property
    def outgoing(self) -> int | None:
        return None if self.density == 1 and self.delay == 0 * ms else round(self.density * self.hidden)

    def wiring(self, rng: np.random.Generator, dt: Any) -> Wiring | None:
        if self.outgoing is None:
            return None
        steps = (round(float(delay / dt)) for delay in (self.least_delay, self.delay))
        return Wiring.draw(rng, self.hidden, self.outgoing, *steps)

    def initial_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        gains = (self.input_gain * np.sqrt(n_in), self.recurrent_gain, self.readout_gain)
        weights = gaussian_weights(rng, self.hidden, n_in, n_out, gains, self.outgoing)
        if self.bias:
            weights["W_in"][:, -1] = self.bias_mean + self.bias_spread * rng.standard_normal(self.hidden)
        return weights

"""Leaky rate units with time constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.models.tanh import TanhRNN
from neuroanp.network.dynamics import Rates


class LeakyTanhRNN(TanhRNN):
    r"""Leaky rate units, each with its time constant.

    .. math::
        a = W_{in} u + W_{rec} x + \xi, \qquad \tau_i \dot x_i = -x_i + \tanh a_i, \qquad y = W_{out} x

    The time constants are spaced evenly on a logarithmic scale, so that some units follow the input and
    others remember it; with `tau_min` equal to `tau_max` all are the same.
    """

    name = "leaky-tanh"
    equations = """
        dx/dt = (tanh(a) - x) / tau : 1
        a : 1
        drive : 1
        noise : 1
        tau : second
    """
    update = "a = drive + noise"
    method = "exact"

    tau_min: Any = option(0.3 * ms, "shortest time constant", unit="ms", above=0)
    tau_max: Any = option(50 * ms, "longest time constant", unit="ms", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tau_min > self.tau_max:
            raise InvalidValue("LeakyTanhRNN.tau_min", f"at most tau_max, {self.tau_max}", str(self.tau_min))

    def parameters(self) -> dict[str, Any]:
        shortest, longest = float(self.tau_min / ms), float(self.tau_max / ms)
        return {"tau": np.geomspace(shortest, longest, self.hidden) * ms}

    def rates(self, dt: Any) -> Rates | None:
        return Rates(memory=np.exp(-np.asarray(dt / self.parameters()["tau"])))

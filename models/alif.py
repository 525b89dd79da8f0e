"""Leaky integrate-and-fire cells of which a part adapts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.config.sources import E_PROP
from neuroanp.models.lif import LIF
from neuroanp.network.dynamics import Cells
from neuroanp.types import Array


class ALIF(LIF):
    r"""LIF cells whose threshold rises with every spike and decays back, with time constant `tau_a`.

    .. math:: \text{spike where } v > 1 + b, \qquad \tau_a \dot b = -b, \quad b \leftarrow b + \beta
              \text{ at every spike}

    The first part of the cells, as many as `adaptive` says, adapts; the others are plain LIF.

    References
    ----------
    Bellec et al., Nature Communications 11, 3625 (2020).
    """

    name = "alif"
    sources = (E_PROP,)
    equations = """
        dv/dt = (drive + noise - v) / tau : 1 (unless refractory)
        db/dt = -b / tau_a : 1
        drive : 1
        noise : 1
        spiked : 1
        beta : 1
        tau : second (shared)
        tau_a : second (shared)
        refractory_period : second (shared)
    """
    threshold = "v > 1 + b"
    reset = "v = 0; b += beta; spiked = 1"

    adaptation = "b"

    adaptive: float = option(0.5, "part of the cells that adapt", least=0, most=1)
    beta: float = option(0.1, "rise of the threshold at a spike", least=0)
    tau_a: Any = option(200 * ms, "time constant of adaptation", unit="ms", above=0)

    def _rise(self) -> Array:
        return np.where(np.arange(self.hidden) < round(self.adaptive * self.hidden), self.beta, 0.0)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {"tau_a": self.tau_a, "beta": self._rise()}

    def cells(self, dt: Any) -> Cells | None:
        plain = super().cells(dt)
        fading = float(np.exp(-float(dt / self.tau_a)))
        return None if plain is None else dataclasses.replace(plain, fading=fading, rise=self._rise())

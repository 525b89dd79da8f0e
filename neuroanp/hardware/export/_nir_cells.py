"""NIR's cells beside ours: which models they are, and the numbers of a graph from those of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.models import CurrentLIF
from neuroanp.network.model import Model
from neuroanp.types import Array, Arrays

DIALECTS = ("r=1", "r=tau/dt")

EQUATIONS = (
    "equations", "update", "threshold", "reset", "method", "readout_equations", "readout_update", "synaptic",
    "drive", "trace",
)  # fmt: skip
"""Strings of a model in which cells of NIR are those of `CurrentLIF`."""


def require_exact(model: Model, dt: Any) -> None:
    """Refuse a model whose spikes no NIR graph has, with all reasons; `InvalidValue`."""
    if found := list(reasons(model, dt)):
        expected = "cells that a NIR graph has exactly, as current-lif, which is the model to train"
        raise InvalidValue("export.nir.run", expected, f"{model.name}: {'; '.join(found)}")


def reasons(model: Model, dt: Any) -> Iterator[str]:
    """Reasons that a model's cells aren't those of a graph; none for `CurrentLIF`."""
    cells = model.cells(dt)
    if model.threshold is None:
        yield "its units have rates, a LIF has spikes"
    elif cells is None:
        yield "its equations are not those of a LIF with one time constant"
    else:
        if cells.refractory:
            yield f"refractoriness, {cells.refractory} steps without a spike after each"
        if model.synaptic == "v":
            yield "a cell that fires loses the recurrent input of that step"
        if model.adaptation is not None:
            yield "thresholds that adapt"
        own = any(getattr(model, name) != getattr(CurrentLIF, name) for name in EQUATIONS)
        if own and model.synaptic != "v" and model.adaptation is None:
            yield "equations of its own"
    if any(np.any(value) for value in model.initial_state().values()):
        yield "potentials that start spread out, where a graph starts at 0 (v_spread)"
    if model.outgoing is not None:
        yield "recurrent synapses with delays, or of which only a part exists (density, delay)"
    if model.skip:
        yield "a direct connection from input to readout (skip)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constants:
    r"""Numbers of a graph for steps of length dt.

    With :math:`\alpha` the part of a potential and :math:`\kappa` the part of the readout left after a step,

    .. math:: \tau = \frac{dt}{1 - \alpha}, \qquad W'_{in} = \frac{W_{in}}{r}, \qquad
              W'_{rec} = \frac{\alpha}{1 - \alpha} \frac{W_{rec}}{r}, \qquad
              W'_{out} = \frac{W_{out}}{(1 - \kappa) \, r_{out}}

    Parameters
    ----------
    dt : float
        Seconds.
    alpha, kappa : float
    dialect : str
    """

    dt: float
    alpha: float
    kappa: float
    dialect: str

    @classmethod
    def of(cls, model: Model, dt: Any, dialect: str) -> Constants:
        """Constants of a model that has `cells`."""
        cells = model.cells(dt)
        if cells is None:
            raise InvalidValue("Model.cells", "constants of cells", None)
        return cls(dt=float(dt), alpha=cells.memory, kappa=model.readout_memory(dt), dialect=dialect)

    @property
    def tau(self) -> float:
        """Time constant of the cells in seconds."""
        return self.dt / (1 - self.alpha)

    @property
    def tau_out(self) -> float:
        """Time constant of the readout in seconds."""
        return self.dt / (1 - self.kappa)

    @property
    def r(self) -> float:
        """Resistance of the cells."""
        return 1.0 if self.dialect == "r=1" else 1 / (1 - self.alpha)

    @property
    def r_out(self) -> float:
        """Resistance of the readout."""
        return 1.0 if self.dialect == "r=1" else 1 / (1 - self.kappa)

    @property
    def factors(self) -> dict[str, float]:
        """Factors from a network's weights to those of the graph."""
        recurrent = self.alpha / (1 - self.alpha)
        return {
            "W_in": 1 / self.r,
            "W_rec": recurrent / self.r,
            "W_out": 1 / ((1 - self.kappa) * self.r_out),
        }

    def graph(self, weights: Arrays) -> Arrays:
        """Weights of the graph in float64, of those of the network."""
        return {name: np.asarray(weights[name], float) * factor for name, factor in self.factors.items()}

    def spikes(self, arrays: Arrays, inputs: Array, dtype: np.dtype[Any]) -> Array:
        """Spikes (T, N) of the graph's cells as readers step them, for inputs (T, n_in) with the bias."""
        number = dtype.type
        W_rec, current = arrays["W_rec"].astype(dtype), inputs.astype(dtype) @ arrays["W_in"].T.astype(dtype)
        share, r = number(self.dt) / number(self.tau), number(self.r)
        v, z = np.zeros((2, len(W_rec)), dtype)
        raster = np.zeros((len(inputs), len(W_rec)), bool)
        for t, drive in enumerate(current):
            v = v + share * (r * (drive + W_rec @ z) - v)
            raster[t] = v > 1
            z = raster[t].astype(dtype)
            v = v * (1 - z)
        return raster

"""Axes of a network: passes, lanes, layers, and the projections between them."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from neuroanp.engine.products import product
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

_SIGNS = {"clean": 0, "plus": 1, "minus": -1}


class Passes(tuple[str, ...]):
    """Names of the passes of a lane, in their order on axis P, of ``"clean"``, ``"plus"`` and ``"minus"``.

    Examples
    --------
    >>> Passes(("plus", "minus")).signs
    (1, -1)
    """

    __slots__ = ()

    @property
    def signs(self) -> tuple[int, ...]:
        """Sign of the noise in each pass, 0 in a clean one."""
        return tuple(_SIGNS[name] for name in self)

    @property
    def shares(self) -> tuple[float, ...]:
        """Part of each pass in the trace without noise, see `clean`."""
        if "clean" in self:
            return tuple(float(name == "clean") for name in self)
        return tuple(1.0 / len(self) for _ in self)

    @property
    def contrast(self) -> tuple[float, ...]:
        """Factor of each pass in `effect`; of a single pass the sign of its noise."""
        if len(self) == 1:
            return tuple(map(float, self.signs))
        return tuple(0.5 * sign for sign in self.signs) if "minus" in self else (-1.0, 1.0)

    def clean(self, values: Array) -> Array:
        """Values (T, ...), of (T, P, ...), without the noise, to first order in it.

        The clean pass, else the mean of plus and minus, else the plus pass; one pass as a view.
        """
        if "minus" in self and "clean" not in self:
            mean = values[:, self.index("plus")] + values[:, self.index("minus")]
            mean *= 0.5
            return mean
        return values[:, self.index("clean" if "clean" in self else "plus")]

    def noisy(self, values: Array) -> Array:
        """Values (T, ...) of the pass that the modulator judges: the plus pass, or the only one."""
        return values[:, self.index("plus") if "plus" in self else 0]

    def effect(self, values: Array) -> Array:
        """Change (T, ...) of values (T, P, ...) by the noise of the plus pass, to first order in it.

        ``(plus - minus) / 2`` for mirrored passes, ``plus - clean`` otherwise, as a new array.

        Raises
        ------
        InvalidValue
            When the plus pass has no other to be compared with.
        """
        mirrored = "minus" in self
        if "plus" not in self or not (mirrored or "clean" in self):
            expected = "plus with clean or minus to compare it with"
            raise InvalidValue("Record.passes", expected, ", ".join(self))
        reference = values[:, self.index("minus" if mirrored else "clean")]
        change = values[:, self.index("plus")] - reference
        if mirrored:
            change *= 0.5
        return change


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """Sizes of a network of P passes of L lanes.

    Parameters
    ----------
    passes : Passes
    lanes : int
    n_in : int
        Inputs, the bias among them.
    hidden, n_out : int
        Hidden units and outputs.
    dt : Quantity
        Length of a step.
    dtype : numpy.dtype
        Precision of the simulation.
    """

    passes: Passes
    lanes: int
    n_in: int
    hidden: int
    n_out: int
    dt: Any
    dtype: np.dtype[Any]

    @property
    def rows(self) -> int:
        """Number of passes of lanes, P L."""
        return len(self.passes) * self.lanes

    def units(self, layer: str) -> int:
        """Number of units of a layer: ``"inputs"``, ``"hidden"`` or ``"readout"``."""
        return {"inputs": self.n_in, "hidden": self.hidden, "readout": self.n_out}[layer]

    def shape(self, steps: int, n: int) -> tuple[int, int, int, int]:
        """Shape (T, P, L, n) of a record of `n` variables."""
        return steps, len(self.passes), self.lanes, n


class Projection(NamedTuple):
    """Weights between two layers."""

    source: str
    target: str
    decorrelated_by: str
    """Matrix that decorrelates the trace of the source."""
    stream: int
    """Stream of noise on the weights."""


PROJECTIONS = {
    "W_in": Projection("inputs", "hidden", decorrelated_by="D_in", stream=2),
    "W_rec": Projection("hidden", "hidden", decorrelated_by="D_hidden", stream=3),
    "W_out": Projection("hidden", "readout", decorrelated_by="D_hidden", stream=4),
    "W_skip": Projection("inputs", "readout", decorrelated_by="D_in", stream=5),
}
"""Projections of a network by the name of their weights; ``W_skip`` of models with a direct connection."""

TO_READOUT = tuple(name for name, projection in PROJECTIONS.items() if projection.target == "readout")
"""Weights that learn as the readout does."""

DECORRELATING = {"D_in": "inputs", "D_hidden": "hidden"}
"""Layers by the name of the matrix that decorrelates their traces."""


def mixed(weights: Array, D: Array) -> Array:
    """Weights (post, pre) times a matrix (n, n), where pre is n or a multiple of it: block by block."""
    return product(weights.reshape(-1, len(D)), D).reshape(weights.shape)


NODE_STREAMS = {"hidden": 0, "output": 1}
"""Streams of the noise on the units of each layer."""

DISTURBANCE_STREAM = 6
"""Stream of the noise that is the cells' own."""

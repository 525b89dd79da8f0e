"""Event-driven projection: a weight row is added for every spike, so that cost follows the spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class SpikeProjection(Operation):
    """For every spike of cell j: ``target[i] += W[i, j]`` in the same pass and lane.

    Parameters
    ----------
    source, target : NeuronGroup
        Groups of (passes, lanes, n) cells; the source has a threshold.
    write : str
        Variable of `target` that the weights are added to.
    rows : int
        Passes x lanes.
    """

    native = """
    neuroanp::add_rows(@weights, @spikes, @target, @@n_in, @@n_out, @spikes[@@cells]);
    """

    def __init__(
        self, source: Any, target: Any, write: str, *, rows: int, when: str, order: int, name: str
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("spikes", source, "_spikespace")
        self._refer("target", target, write)
        self.n_in, self.n_out = len(source) // rows, len(target) // rows
        self._buffer("weights", target.variables[write].dtype, self.n_out * self.n_in)
        self._ready(n_in=self.n_in, n_out=self.n_out, cells=len(source))

    @property
    def weights(self) -> Any:
        """(n_out, n_in) view of the weights, which are stored a presynaptic cell a row."""
        return self.array("weights").reshape(self.n_in, self.n_out).T

    def step(self) -> None:
        """The addition in NumPy."""
        space = self.array("spikes")
        fired = space[: space[-1]]
        if len(fired):
            row, cell = np.divmod(fired, self.n_in)
            target = self.array("target").reshape(-1, self.n_out)
            np.add.at(target, row, self.array("weights").reshape(self.n_in, self.n_out)[cell])

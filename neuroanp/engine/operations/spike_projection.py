"""Event-driven projection: a weight row is added for every spike, so that cost follows the spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class SpikeProjection(Operation):
    """For every spike of cell j: ``target[i] += W[i, j]`` in the same pass and lane.

    With `inhibit`, only positive weights do so; the size of negative ones is added to that variable.

    Parameters
    ----------
    source, target : NeuronGroup
        Groups of (passes, lanes, n) cells; the source has a threshold.
    write : str
        Variable of `target` that the weights are added to.
    rows : int
        Passes x lanes.
    inhibit : str, optional
        Variable of `target` that negative weights are added to.
    """

    native = """
    neuroanp::add_rows(@weights, @spikes, @target, @@n_in, @@n_out, @spikes[@@cells]);
    """
    native_signed = """
    neuroanp::add_rows_by_sign(@weights, @spikes, @target, @inhibited, @@n_in, @@n_out, @spikes[@@cells]);
    """

    def __init__(
        self,
        source: Any,
        target: Any,
        write: str,
        *,
        rows: int,
        inhibit: str | None = None,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("spikes", source, "_spikespace")
        self._refer("target", target, write)
        if inhibit is not None:
            self._refer("inhibited", target, inhibit)
            self.native = self.native_signed
        self.signed = inhibit is not None
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
            weights = self.array("weights").reshape(self.n_in, self.n_out)[cell]
            if self.signed:
                np.add.at(self.array("inhibited").reshape(-1, self.n_out), row, np.maximum(-weights, 0))
                weights = np.maximum(weights, 0)
            np.add.at(self.array("target").reshape(-1, self.n_out), row, weights)

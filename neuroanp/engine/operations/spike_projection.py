"""Event-driven projection: a weight row is added for every spike, so that cost follows the spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._spike_driven import SpikeDriven


class SpikeProjection(SpikeDriven):
    """For every spike of cell j: ``target[i] += W[i, j]`` in the same pass and lane; see `SpikeDriven`."""

    native = """
    neuroanp::add_rows(@weights, @spikes, @target, @@n_in, @@n_out, @spikes[@@cells]);
    """
    by_rows = True
    native_signed = """
    neuroanp::add_rows_by_sign(@weights, @spikes, @target, @inhibited, @@n_in, @@n_out, @spikes[@@cells]);
    """

    def __init__(self, source: Any, target: Any, write: str, **options: Any) -> None:
        super().__init__(source, target, write, **options)
        if self.signed:
            self.native = self.native_signed
        self._buffer("weights", target.variables[write].dtype, self.n_out * self.n_in)
        self._ready(n_in=self.n_in, n_out=self.n_out, cells=len(source))

    @property
    def weights(self) -> Any:
        """(n_out, n_in) view of the weights, which are stored a presynaptic cell a row."""
        return self.array("weights").reshape(self.n_in, self.n_out).T

    def step(self) -> None:
        """The addition in NumPy."""
        row, cell = np.divmod(self._spikes(), self.n_in)
        self._add(row, self.weights.T[cell])

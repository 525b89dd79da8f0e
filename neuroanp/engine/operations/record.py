"""Keep the course of a variable, a row a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class Recorder(Operation):
    """Copy a variable of a group into row t of a buffer at step t.

    Parameters
    ----------
    source : NeuronGroup
    read : str
        Variable to keep.
    """

    native = """
    std::memcpy(@buffer + @row[0] * @@size, @source, @@size * sizeof(@source[0]));
    @row[0]++;
    """

    def __init__(self, source: Any, read: str, *, when: str, order: int, name: str) -> None:
        super().__init__(source, when, order, name)
        self._refer("source", source, read)
        self.size = len(source)
        self.variables.add_array("row", size=1, dtype=np.int64)
        self._buffer("buffer", source.variables[read].dtype)
        self._ready(size=self.size)

    def start(self, shape: tuple[int, ...]) -> np.ndarray:
        """Make ready for a trial; returns the buffer as `shape`, steps first."""
        self.array("row")[0] = 0
        return self.allocate("buffer", shape)

    def step(self) -> None:
        """One step in NumPy."""
        self.array("buffer").reshape(-1, self.size)[int(self.array("row")[0])] = self.array("source")
        self.array("row")[0] += 1

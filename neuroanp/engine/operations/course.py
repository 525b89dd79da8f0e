"""Keep the course of a variable in every pass, and that of a weighted sum of the passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class CourseRecorder(Operation):
    """Copy a variable of a group into row t of a buffer at step t, and the sum of its passes into another.

    The sum is formed while what it is made of is at hand: after a run the trial no longer fits the cache.
    With one pass the two are the same memory.

    Parameters
    ----------
    source : NeuronGroup
        Group of (passes, lanes, n) cells.
    read : str
        Variable to keep.
    shares : tuple of float
        Weight of each pass in the sum; 1 where there is one pass.
    """

    native = """
    const @dtype* const from = @source;
    std::memcpy(@buffer + @row[0] * @@size, from, @@size * sizeof(@dtype));
    @row[0]++;
    static const @dtype shares[] = {@@shares};
    @dtype* __restrict const sum = @course + @row[0] * @@width;
    for (int k = 0; k < @@width; k++) {
        sum[k] = shares[0] * from[k];
        for (int pass = 1; pass < @@passes; pass++) sum[k] += shares[pass] * from[pass * @@width + k];
    }
    """
    native_single = """
    @row[0]++;
    std::memcpy(@course + @row[0] * @@width, @source, @@width * sizeof(@dtype));
    """

    def __init__(
        self, source: Any, read: str, *, shares: tuple[float, ...], when: str, order: int, name: str
    ) -> None:
        super().__init__(source, when, order, name)
        self._refer("source", source, read)
        dtype = source.variables[read].dtype
        self.passes, self.width = len(shares), len(source) // len(shares)
        self.shares = np.array(shares, dtype)
        self.variables.add_array("row", size=1, dtype=np.int64)
        self._buffer("buffer", dtype)
        self._buffer("course", dtype)
        native = self.native_single if self.passes == 1 else self.native
        self.native = native.replace("@dtype", "double" if dtype == np.float64 else "float")
        numbers = ", ".join(str(float(share)) for share in shares)
        self._ready(size=len(source), width=self.width, passes=self.passes, shares=numbers)

    def start(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Make ready for a trial.

        Returns
        -------
        tuple of array
            (T, passes, lanes n) of the variable, and (T + 1, lanes n) of the sum, whose first row is there
            already: what the variable is before the first step.
        """
        self.array("row")[0] = 0
        course = self.allocate("course", (steps + 1, self.width))
        self._sum(course[0])
        if self.passes == 1:
            return course[1:, None], course
        return self.allocate("buffer", (steps, self.passes, self.width)), course

    def step(self) -> None:
        """One step in NumPy."""
        row = int(self.array("row")[0])
        if self.passes > 1:
            buffer = self.array("buffer").reshape(-1, self.passes, self.width)
            buffer[row] = self.array("source").reshape(self.passes, self.width)
        self._sum(self.array("course").reshape(-1, self.width)[row + 1])
        self.array("row")[0] += 1

    def _sum(self, out: np.ndarray) -> None:
        np.dot(self.shares, self.array("source").reshape(self.passes, self.width), out=out)

"""Keep the course of a variable, a row a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class Recorder(Operation):
    """Copy a variable of a group into row t of a buffer at step t, as far as the buffer reaches.

    Parameters
    ----------
    source : NeuronGroup
    read : str
        Variable to keep.
    """

    native = """
    if ((size_t)(@row[0] + 1) * @@size <= _numbuffer) {
        for (const auto& cells : neuroanp::cells(@@size))
            std::memcpy(@buffer + @row[0] * @@size + cells.first, @source + cells.first,
                        (cells.end - cells.first) * sizeof(@source[0]));
        @row[0]++;
    }
    """
    by_rows = True

    def __init__(self, source: Any, read: str, *, when: str, order: int, name: str) -> None:
        super().__init__(source, when, order, name)
        self._refer("source", source, read)
        self.size = len(source)
        self.variables.add_array("row", size=1, dtype=np.int64)
        self._buffer("buffer", source.variables[read].dtype)
        self._ready(size=self.size)

    def prepare(self, shape: tuple[int, ...]) -> np.ndarray:
        """Make ready for a trial; returns the buffer as `shape`, steps first."""
        self.array("row")[0] = 0
        return self.allocate("buffer", shape)

    def step(self) -> None:
        """One step in NumPy."""
        rows = self.array("buffer").reshape(-1, self.size)
        if self.array("row")[0] < len(rows):
            rows[int(self.array("row")[0])] = self.array("source")
            self.array("row")[0] += 1


class CourseRecorder(Operation):
    """Add up the passes of a variable at every step, in row t + 1 of a buffer at step t.

    The sum is formed while its passes are at hand: after a run the trial no longer fits the cache.

    Parameters
    ----------
    source : NeuronGroup
        Group of (passes, lanes, n) cells.
    read : str
        Variable to keep.
    shares : tuple of float
        Weight of each pass in the sum; 1 where there is one pass.
    apart : bool
        Keep each pass too.
    """

    native = """
    const @dtype* __restrict const from = @source;
    @dtype* __restrict const sum = @course + (@row[0] + 1) * @@width;
    static const @dtype shares[] = {@@shares};
    for (const auto& cells : neuroanp::cells_of_pass(@@width)) {
        for (int64_t k = cells.first; k < cells.end; k++) {
            sum[k] = shares[0] * from[k];
            for (int pass = 1; pass < @@passes; pass++) sum[k] += shares[pass] * from[pass * @@width + k];
        }
        for (int64_t k = cells.first; @@apart && k < @@passes * @@width; k += @@width)
            std::memcpy(@buffer + @row[0] * @@passes * @@width + k, from + k,
                        (cells.end - cells.first) * sizeof(@dtype));
    }
    @row[0]++;
    """
    by_rows = True

    def __init__(
        self,
        source: Any,
        read: str,
        *,
        shares: tuple[float, ...],
        apart: bool,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(source, when, order, name)
        self._refer("source", source, read)
        dtype = source.variables[read].dtype
        self.passes, self.width = len(shares), len(source) // len(shares)
        self.shares = np.array(shares, dtype)
        self.apart = apart and self.passes > 1
        self.variables.add_array("row", size=1, dtype=np.int64)
        self._buffer("buffer", dtype)
        self._buffer("course", dtype)
        self.native = self.native.replace("@dtype", "double" if dtype == np.float64 else "float")
        self._ready(
            width=self.width,
            passes=self.passes,
            shares=", ".join(str(float(share)) for share in shares),
            apart=str(self.apart).lower(),
        )

    def prepare(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Make ready for a trial.

        Returns
        -------
        tuple of array
            (T + 1, lanes n) of the sum, whose first row is there already: the variable before the first
            step; and (T, passes, lanes n) of the variable, the same memory where there is one pass, of no
            steps where passes are not kept.
        """
        self.array("row")[0] = 0
        course = self.allocate("course", (steps + 1, self.width))
        self._sum(course[0])
        if self.passes == 1:
            return course, course[1:, None]
        return course, self.allocate("buffer", (steps if self.apart else 0, self.passes, self.width))

    def step(self) -> None:
        """One step in NumPy."""
        row = int(self.array("row")[0])
        self._sum(self.array("course").reshape(-1, self.width)[row + 1])
        if self.apart:
            self.array("buffer").reshape(-1, self._passes.size)[row] = self._passes.ravel()
        self.array("row")[0] += 1

    @property
    def _passes(self) -> np.ndarray:
        return self.array("source").reshape(self.passes, self.width)

    def _sum(self, out: np.ndarray) -> None:
        np.dot(self.shares, self._passes, out=out)

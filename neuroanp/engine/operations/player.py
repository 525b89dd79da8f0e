"""Play a recorded course into a variable, a row a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class Player(Operation):
    """Write row t of a buffer (T, lanes, n) into a variable at step t.

    Parameters
    ----------
    target : NeuronGroup
        Group of (passes, lanes, n) cells.
    write : str
        Variable to write.
    signs : tuple of int
        Each pass gets the row times its sign.
    """

    native = """
    static const int signs[] = {@@signs};
    for (const auto& cells : neuroanp::cells_of_pass(@@size))
        for (int pass = 0; pass < @@passes; pass++)
            for (int64_t k = cells.first; k < cells.end; k++)
                @target[pass * @@size + k] = signs[pass] * @buffer[@row[0] * @@size + k];
    @row[0]++;
    """
    by_rows = True

    def __init__(
        self, target: Any, write: str, *, signs: tuple[int, ...], when: str, order: int, name: str
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("target", target, write)
        self.signs, self.size = signs, len(target) // len(signs)
        self.variables.add_array("row", size=1, dtype=np.int64)
        self._buffer("buffer", target.variables[write].dtype)
        self._ready(size=self.size, passes=len(signs), signs=", ".join(map(str, signs)))

    def prepare(self, shape: tuple[int, ...]) -> np.ndarray:
        """Make ready for a trial; returns the buffer as `shape` (T, lanes, n), to write the course in."""
        self.array("row")[0] = 0
        return self.allocate("buffer", shape)

    def play(self, course: np.ndarray) -> np.ndarray:
        """Take the course (T, lanes, n) of a trial; returns the buffer's view of it."""
        buffer = self.prepare(course.shape)
        buffer[:] = course
        return buffer

    def step(self) -> None:
        """One step in NumPy."""
        row = self.array("buffer").reshape(-1, self.size)[int(self.array("row")[0])]
        for sign, values in zip(self.signs, self.array("target").reshape(-1, self.size), strict=True):
            np.multiply(row, sign, out=values)
        self.array("row")[0] += 1

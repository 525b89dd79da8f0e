"""Delay line: the last values of a variable, side by side."""

from __future__ import annotations

from typing import Any

from neuroanp.engine.operations._base import Operation


class DelayLine(Operation):
    """Values of the last steps, those of the present one first, of every pass and lane.

    Parameters
    ----------
    source, target : NeuronGroup
        Groups of (rows, n) and (rows, steps, n) cells; rows are passes x lanes.
    read, write : str
        Variable read from `source` and written in `target`.
    rows : int
    """

    native = """
    for (const auto& rows : neuroanp::stretches(@@rows))
        for (int64_t row = rows.first; row < rows.end; row++) {
            auto* const line = @target + row * @@width;
            memmove(line + @@size, line, (@@width - @@size) * sizeof(*line));
            memcpy(line, @source + row * @@size, @@size * sizeof(*line));
        }
    """
    by_rows = True

    def __init__(
        self, source: Any, read: str, target: Any, write: str, *, rows: int, when: str, order: int, name: str
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("source", source, read)
        self._refer("target", target, write)
        self.rows, self.size = rows, len(source) // rows
        self._ready(rows=rows, size=self.size, width=len(target) // rows)

    def step(self) -> None:
        """One step in NumPy."""
        line = self.array("target").reshape(self.rows, -1)
        line[:, self.size :] = line[:, : -self.size].copy()
        line[:, : self.size] = self.array("source").reshape(self.rows, self.size)

"""`Report`: what `measure` returns, as a table and as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from neuroanp.bench.rows import Row

HEADINGS = ("part", "beside", "size", "ours", "other", "ours / other (range over rounds)", "promised")


@dataclasses.dataclass(frozen=True)
class Report:
    """All rows, and what they were measured on; printed, a table as Markdown.

    Attributes
    ----------
    machine : dict
        See `neuroanp.bench.machine`.
    rows : tuple of Row
    """

    machine: dict[str, Any]
    rows: tuple[Row, ...]

    def json(self) -> str:
        """The figures on one line, for machines."""
        return json.dumps({"machine": self.machine, "rows": [row.plain() for row in self.rows]})

    def __str__(self) -> str:
        return f"{self._heading()}\n\n{self._table()}"

    def _heading(self) -> str:
        about = self.machine
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        load = "" if about["load"] is None else f", load {about['load']:.2g}"
        where = f"{about['processor']}, {about['cores']} cores, one of them used{load}, {about['system']}"
        return f"{where}\n{versions}"

    def _table(self) -> str:
        lines = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, tuple("-" * width for width in widths))
        return "\n".join(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines
        )

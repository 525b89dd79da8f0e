"""`Row`: one line of the table."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from neuroanp.bench.timing import Samples, Spread, spread
from neuroanp.storage import json_line


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """Outcome of one measurement, or why there is none.

    Parameters
    ----------
    part : str
        Name of the part of the benchmark.
    what : str
        Peer that ours was compared with, or name of the figure.
    size : str
        Of the network and the trial.
    ours, other : float, optional
        Medians, in `unit`.
    unit : str
    ratio : Spread, optional
        Ours over other, round by round; for a slope the slope.
    limit : float, optional
        Largest acceptable median of the ratio, or value of ours where there is no ratio.
    note : str
        Shown in place of a ratio: why nothing was measured, or what belongs to the figure.
    """

    part: str
    what: str
    size: str
    ours: float | None = None
    other: float | None = None
    unit: str = "ms"
    ratio: Spread | None = None
    limit: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """The limit is kept; None without a limit or a measurement."""
        value = self.ours if self.ratio is None else self.ratio.median
        return None if self.limit is None or value is None else value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        measured = (
            f"{value:.3g} {self.unit}".strip() if value is not None else ""
            for value in (self.ours, self.other)
        )
        ratio = self.note if self.ratio is None else str(self.ratio)
        unit = f" {self.unit}" if self.ratio is None else ""
        promised = "" if self.limit is None else f"<= {self.limit:g}{unit}"
        if self.holds is not None:
            promised += ", holds" if self.holds else ", missed"
        return (self.part, self.what, self.size, *measured, ratio, promised)

    def plain(self) -> dict[str, Any]:
        """The row as JSON holds it."""
        ratio = None if self.ratio is None else self.ratio._asdict()
        return dataclasses.asdict(self) | {"holds": self.holds, "ratio": ratio}

    @classmethod
    def restored(cls, plain: dict[str, Any]) -> Row:
        """The row that `plain` was made of."""
        fields = {name: value for name, value in plain.items() if name != "holds"}
        return cls(**fields | {"ratio": fields["ratio"] and Spread(**fields["ratio"])})


def compared(samples: Samples, ours: str, other: str, **labels: Any) -> Row:
    """The row of two functions that took turns.

    Parameters
    ----------
    samples : dict
        From `interleaved`.
    ours, other : str
        Names in it.
    **labels
        The other fields of the row.
    """
    return Row(
        ours=float(np.median(samples[ours])),
        other=float(np.median(samples[other])),
        ratio=spread(samples[ours] / samples[other]),
        **labels,
    )


HEADINGS = ("part", "beside", "size", "ours", "other", "ours / other (range over rounds)", "promised")


@dataclasses.dataclass(frozen=True)
class Report:
    """All rows and the machine they were measured on; printed, a table as Markdown.

    Attributes
    ----------
    machine : dict
        See `neuroanp.bench.run.machine`.
    rows : tuple of Row
    """

    machine: dict[str, Any]
    rows: tuple[Row, ...]

    def json(self) -> str:
        """The figures on one line, for machines."""
        return json_line({"machine": self.machine, "rows": [row.plain() for row in self.rows]})

    def __str__(self) -> str:
        return f"{self._heading()}\n\n{self._table()}"

    def _heading(self) -> str:
        about = self.machine
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        load = "" if about["load"] is None else f", load {about['load']:.2g}"
        cores = f"{about['cores']} cores, one of them used unless a row says otherwise"
        where = f"{about['processor']}, {cores}{load}, {about['system']}"
        return f"{where}\n{versions}"

    def _table(self) -> str:
        lines = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, tuple("-" * width for width in widths))
        return "\n".join(
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines
        )

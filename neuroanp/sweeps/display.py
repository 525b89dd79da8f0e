"""Display of a sweep in notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuroanp.config.display import Markup, bold, fold, paragraph, table, value_text
from neuroanp.sweeps.bar import shown

if TYPE_CHECKING:
    from neuroanp.sweeps.results import Sweep

MOST = 10
"""Points that are listed, the best ones."""


def sweep_html(sweep: Sweep) -> Markup:
    """Sentence, the best points with mean and range over seeds, and the settings, folded."""
    sign = 1 if sweep.settings["direction"] == "minimize" else -1
    done = [point for point in sweep.points if point.value is not None and math.isfinite(point.value)]
    done.sort(key=lambda point: (point.state != "finished", sign * (point.value or 0.0), point.number))
    rows = []
    for point in done[:MOST]:
        found = sweep.statistics(point)
        mean, spread = shown(found["mean"]), f"{shown(found['low'])} to {shown(found['high'])}"
        values = [shown(label) for label in point.values.values()]
        rows.append(
            (
                point.number,
                *values,
                bold(mean) if point is sweep.best else mean,
                spread,
                found["seeds"],
                point.state,
            )
        )
    heads = ("point", *sweep.names, sweep.objective, "range over seeds", "seeds", "state")
    listed = table(rows, heads, numbers=range(1 + len(sweep.names), 2 + len(sweep.names))) if rows else ""
    settings = table([(name, value_text(value)) for name, value in sweep.settings.items()])
    return Markup(paragraph(repr(sweep)) + listed + fold("settings", settings))

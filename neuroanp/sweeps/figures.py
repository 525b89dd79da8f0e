"""Figures of a sweep, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.plotting import sweep as plotting
from neuroanp.plotting.run import RunFigure
from neuroanp.plotting.sweep import Field, Scores
from neuroanp.sweeps.bar import shown
from neuroanp.sweeps.outcome import Outcome

if TYPE_CHECKING:
    from neuroanp.sweeps.results import Sweep

BEST = 5
"""Points whose curves are drawn."""


def heat_map(sweep: Sweep, *names: str) -> RunFigure:
    """Map of two fields."""
    chosen = names or sweep.names[:2]
    if len(chosen) != 2:
        raise InvalidValue("Sweep.plot.names", "two fields for a map", f"{', '.join(chosen) or 'none'}")
    across, up = (_field(sweep, name) for name in chosen)
    return plotting.heat_map(_title(sweep), across, up, _scores(sweep))


def slices(sweep: Sweep, *names: str) -> RunFigure:
    """Objective along fields, all when none is named."""
    fields = [_field(sweep, name) for name in names or sweep.names]
    return plotting.slices(_title(sweep), fields, _scores(sweep))


def parallel(sweep: Sweep, *names: str) -> RunFigure:
    """Parallel coordinates of fields, all when none is named."""
    fields = [_field(sweep, name) for name in names or sweep.names]
    return plotting.parallel(_title(sweep), fields, _scores(sweep))


def curves(sweep: Sweep) -> RunFigure:
    """Learning curves of the best points."""
    column = "test_score" if sweep.objective == "score" else "test_loss"
    scores = _scores(sweep)
    sign = 1 if scores.lower_is_better else -1
    lines: dict[str, Any] = {}
    for number in np.argsort(sign * scores.means, kind="stable")[:BEST]:
        point = sweep.points[number]
        found = [outcome.curve for outcome in point.outcomes.values() if outcome.curve.get("test_update")]
        if point.state == "finished" and found:
            label = ", ".join(f"{name} {shown(value)}" for name, value in point.values.items())
            values = np.array([[np.nan if v is None else v for v in curve[column]] for curve in found])
            lines[label] = np.array(found[0]["test_update"]), values
    if not lines:
        raise InvalidValue("Sweep.plot.kind", "another one for a sweep without tests on the way", "curves")
    return plotting.curves(_title(sweep), column.replace("_", " "), lines)


KINDS = {"map": heat_map, "slices": slices, "parallel": parallel, "curves": curves}
"""Functions that draw, by kind."""


def _field(sweep: Sweep, name: str) -> Field:
    values, unit = sweep.numbers(name)
    return Field(name if unit is None else f"{name} ({unit})", values)


def _scores(sweep: Sweep) -> Scores:
    if not sweep.points:
        raise InvalidValue("Sweep.plot", "a sweep with points", "one without")
    none = Outcome(seed=0, state="failed")
    seeds = [
        [point.outcomes.get(seed, none).value(sweep.objective) for seed in sweep.settings["seeds"]]
        for point in sweep.points
    ]
    means = np.array([np.nan if p.state != "finished" or p.value is None else p.value for p in sweep.points])
    means[~np.isfinite(means)] = np.nan
    return Scores(
        sweep.objective.replace("_", " "), means, np.array(seeds), sweep.settings["direction"] == "minimize"
    )


def _title(sweep: Sweep) -> str:
    task = sweep.settings["task"]["class"].rpartition(":")[2]
    return f"{task}: {len(sweep.points)} points, {len(sweep.settings['seeds'])} seeds"

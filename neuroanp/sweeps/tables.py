"""Results of a sweep as tables of other libraries."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.sweeps.outcome import CURVE
from neuroanp.training.tables import required

if TYPE_CHECKING:
    from neuroanp.sweeps.results import Sweep

FIELDS = ("test_loss", "score", "train_loss", "rate", "seconds", "updates")
"""Fields of a result."""
UNITS = {"rate": "Hz", "seconds": "s", "test_seconds": "s", "peak_memory": "MiB"}
POINT, SEED, EVALUATION = "point", "seed", "evaluation"
"""Names of axes."""


def frame(sweep: Sweep) -> Any:
    """`pandas.DataFrame` with a row for each pair of point and seed; its ``attrs`` have the units.

    Columns: ``point``, the varied fields, ``seed``, ``report`` (True for seeds that nothing was chosen on),
    ``state``, the fields of a result, ``test_seconds``, ``host``, ``peak_memory`` and ``message``.
    """
    pandas = required("pandas", "tables")
    fields = {name: sweep.numbers(name)[0] for name in sweep.names}
    rows = [
        {POINT: point.number}
        | {name: values[point.number] for name, values in fields.items()}
        | {SEED: outcome.seed, "report": report, "state": outcome.state}
        | {name: outcome.measured(name) for name in FIELDS if name not in fields}
        | {"test_seconds": outcome.test_seconds, "host": outcome.worker.get("host")}
        | {"peak_memory": outcome.worker.get("peak_memory"), "message": outcome.message}
        for point, outcome, report in sweep.outcomes
    ]
    table = pandas.DataFrame(rows)
    table.attrs["units"] = UNITS | sweep.settings["units"]
    return table


def dataset(sweep: Sweep) -> Any:
    """`xarray.Dataset` over the varied fields of a grid, or points, and seeds.

    Variables are ``state``, the fields of a result and, of sweeps with evaluations on the way, the curves
    ``test_update``, ``test_loss_curve`` and ``test_score`` over ``evaluation``; those of the best point on
    seeds that nothing was chosen on start with ``report_``. NaN stands for what isn't done or diverged.
    Attributes hold the settings as JSON, enough to repeat the sweep.
    """
    xarray = required("xarray", "tables")
    seeds = sweep.settings["seeds"]
    length = max((len(outcome.curve.get(CURVE[0], ())) for _, outcome, _ in sweep.outcomes), default=0)
    points = [point.number for point in sweep.points]
    variables: dict[str, Any] = {}
    found = {(p.number, outcome.seed): outcome for p, outcome, report in sweep.outcomes if not report}
    for name in [name for name in FIELDS if name not in sweep.names]:
        values = [[_number(found.get((p, seed)), name) for seed in seeds] for p in points]
        variables[name] = ((POINT, SEED), np.array(values).reshape(len(points), len(seeds)), _unit(name))
    states = [[found[p, seed].state if (p, seed) in found else "" for seed in seeds] for p in points]
    variables["state"] = ((POINT, SEED), np.array(states, dtype=str).reshape(len(points), len(seeds)), {})
    for name in CURVE if length else ():
        curve = np.full((len(points), len(seeds), length), math.nan)
        for (p, seed), outcome in found.items():
            known = [math.nan if value is None else value for value in outcome.curve.get(name, [])]
            curve[p, seeds.index(seed), : len(known)] = known
        full = name if name not in FIELDS else f"{name}_curve"
        variables[full] = ((POINT, SEED, EVALUATION), curve, {})
    variables |= _report(sweep)
    coordinates: dict[str, Any] = {POINT: points, SEED: np.array(seeds, dtype=np.int64)}
    for name in sweep.names:
        values, unit = sweep.numbers(name)
        coordinates[name] = (POINT, _labels(values), {} if unit is None else {"units": unit})
    settings = {name: value if type(value) in (str, int, float) else json.dumps(value)
                for name, value in sweep.settings.items() if value is not None}  # fmt: skip
    table = xarray.Dataset(variables, coords=coordinates, attrs=settings)
    if sweep.settings["sampler"] == "grid" and points:
        return table.set_index({POINT: list(sweep.names)}).unstack(POINT) if len(sweep.names) > 1 else (
            table.swap_dims({POINT: sweep.names[0]}).drop_vars(POINT))  # fmt: skip
    return table


def _report(sweep: Sweep) -> dict[str, Any]:
    outcomes = [outcome for _, outcome, report in sweep.outcomes if report]
    if not outcomes:
        return {}
    seeds = np.array([outcome.seed for outcome in outcomes], dtype=np.int64)
    axis = f"report_{SEED}"
    variables: dict[str, Any] = {
        f"report_{name}": ((axis,), np.array([_number(outcome, name) for outcome in outcomes]), _unit(name))
        for name in FIELDS
    }
    return variables | {axis: ((axis,), seeds, {})}


def _number(outcome: Any, name: str) -> float:
    value = None if outcome is None else outcome.measured(name)
    return math.nan if value is None else float(value)


def _unit(name: str) -> dict[str, str]:
    return {"units": UNITS[name]} if name in UNITS else {}


def _labels(values: list[Any]) -> Any:
    """Coordinate of numbers, or of texts where not all are."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return np.array(values if numbers else ["none" if value is None else str(value) for value in values])

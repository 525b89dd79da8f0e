"""`Sweep`: what a sweep found, read from its file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.config.units import parse_unit, read_quantity
from neuroanp.errors import UnknownName
from neuroanp.sweeps.bar import shown
from neuroanp.sweeps.outcome import Outcome
from neuroanp.sweeps.place import folder_of
from neuroanp.sweeps.store import Point, Store, best_of
from neuroanp.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Sweep:
    """Sweep in a file, while it runs and afterwards. Printed, it is a sentence about the best point.

    Parameters
    ----------
    path : Path or str
        File of `neuroanp.sweep` or ``neuroanp sweep``.

    Attributes
    ----------
    path : Path
    settings : dict
        Arguments of `neuroanp.sweep`, enough to repeat it, and ``units`` of the varied fields.
    points : list of Point
    report : dict
        Outcomes of the seeds to report, by number of point and seed.

    Raises
    ------
    DataError
        For a file that is no sweep's, or not there.
    MissingExtra
        Without Optuna.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        store = Store(self.path)
        self.settings, self.points, self.report = store.settings, store.points, store.report
        store.close()

    @property
    def objective(self) -> str:
        """Field that points are judged by."""
        return str(self.settings["objective"])

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names of what is varied."""
        return tuple(self.settings["vary"])

    @property
    def total(self) -> int:
        """Pairs of point and seed when it is done, those to report too."""
        points, seeds = int(self.settings["points"]), len(self.settings["seeds"])
        over = len(self.points) == points and all(point.state != "open" for point in self.points)
        report = [] if over and self.best is None else self.settings["report_seeds"]
        return points * seeds + len(report)

    @property
    def outcomes(self) -> list[tuple[Point, Outcome, bool]]:
        """Outcomes by point and seed; then, with True, those of the best point on the seeds to report."""
        pairs = [
            (point, point.outcomes[seed], False) for point in self.points for seed in sorted(point.outcomes)
        ]
        best, seeds = self.best, self.settings["report_seeds"]
        if best is None:
            return pairs
        return pairs + [
            (best, self.report[best.number, s], True) for s in seeds if (best.number, s) in self.report
        ]

    @property
    def best(self) -> Point | None:
        """Finished point with the best mean; None before there is one."""
        return best_of(self.points, self.settings["direction"])

    def statistics(self, point: Point, report: bool = False) -> dict[str, Any]:
        """Mean, standard deviation, range and number of the objective over the seeds of a point."""
        outcomes = [
            outcome for other, outcome, is_report in self.outcomes if other is point and is_report == report
        ]
        values = np.array([outcome.value(self.objective) for outcome in outcomes])
        if not values.size:
            return {"mean": math.nan, "sd": math.nan, "low": math.nan, "high": math.nan, "seeds": 0}
        sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
        return {
            "mean": float(values.mean()), "sd": sd, "low": float(values.min()), "high": float(values.max()),
            "seeds": values.size,
        }  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """What ``neuroanp sweep --json`` prints: ``points``, one entry a pair, and ``best``."""
        pairs = [
            {"values": point.values, "seed": outcome.seed, "report": report, "state": outcome.state}
            | {name: outcome.measured(name) for name in ("score", "test_loss", "seconds")}
            for point, outcome, report in self.outcomes
        ]
        best = None
        if self.best is not None:
            best = {"values": self.best.values, "objective": self.objective} | self.statistics(self.best)
            if self.settings["report_seeds"]:
                best["report"] = self.statistics(self.best, report=True)
        return {"points": pairs, "best": best}

    def run(self, point: Point | int, seed: int) -> Run:
        """Run of a point and a seed, from its run folder; `DataError` where that isn't there."""
        number = point if isinstance(point, int) else point.number
        return Run.load(self.runs / f"{number}-{seed}")

    @property
    def runs(self) -> Path:
        """Folder of the run folders, named by point and seed."""
        return folder_of(self.path)

    def to_pandas(self) -> Any:
        """Table of type `pandas.DataFrame`: a row for each pair of point and seed; see `table`."""
        from neuroanp.sweeps.tables import frame

        return frame(self)

    def to_xarray(self) -> Any:
        """Results of type `xarray.Dataset`, over the values of a grid, or points, and seeds."""
        from neuroanp.sweeps.tables import dataset

        return dataset(self)

    def plot(self, kind: str | None = None, *names: str) -> Figure:
        """Figure of the sweep.

        Parameters
        ----------
        kind : {"map", "slices", "parallel", "curves"}, optional
            Heat map of two fields, the objective along each field, parallel coordinates, or learning curves
            of the best points (of sweeps with ``tests``). When left out, a map of two fields, else slices.
        *names : str
            Fields of a map; the first two when left out.

        Raises
        ------
        UnknownName
            For another kind or field.
        """
        from neuroanp.sweeps import figures

        kind = kind or ("map" if len(self.names) == 2 else "slices")
        if kind not in figures.KINDS:
            raise UnknownName("Sweep.plot.kind", kind, list(figures.KINDS))
        for name in names:
            if name not in self.names:
                raise UnknownName("Sweep.plot.names", name, list(self.names))
        return figures.KINDS[kind](self, *names)

    def numbers(self, name: str) -> tuple[list[Any], str | None]:
        """Values of a field by point, as numbers in its unit where it has one, and the unit."""
        unit = self.settings["units"].get(name)
        labels = [point.values[name] for point in self.points]
        if unit is None:
            return labels, None
        return [_number(label, unit) for label in labels], unit

    def __repr__(self) -> str:
        done = len(self.outcomes)
        task = self.settings["task"]["class"].rpartition(":")[2]
        head = f"sweep of {task} over {', '.join(self.names)}: {done} of {self.total} trainings done"
        if self.best is None:
            return f"{head}; no point is finished."
        values = ", ".join(f"{name} {shown(label)}" for name, label in self.best.values.items())
        text = f"{head}; best {self.objective} {_measured(self.statistics(self.best))} at {values}"
        if self.report:
            text += (
                f"; on seeds that nothing was chosen on {_measured(self.statistics(self.best, report=True))}"
            )
        return f"{text}."

    def _repr_html_(self) -> str:
        from neuroanp.sweeps.display import sweep_html

        return sweep_html(self)


def _measured(statistics: Mapping[str, Any]) -> str:
    low, high, seeds = statistics["low"], statistics["high"], statistics["seeds"]
    if seeds == 1:
        return f"{low:.4g} (one seed)"
    return f"{statistics['mean']:.4g} (mean of {seeds} seeds, {low:.4g} to {high:.4g})"


def _number(label: Any, unit: str) -> Any:
    return float(read_quantity(label, unit) / parse_unit(unit)) if isinstance(label, str) else label

"""Series of one's own: forecast of some columns of a table from others."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import DataError, InvalidValue
from neuroanp.tasks import _table
from neuroanp.tasks._series import Course, SeriesTask, forecast, forecasting
from neuroanp.training.recipe import Recipe
from neuroanp.types import Array

WIDEST = 72
"""Steps that the linear predictor on a window sees at most."""
SAMPLES = 10
"""Least number of training steps for each of its weights."""
FARTHEST = 1e100
"""Standard deviations from the mean, beyond which squares overflow."""


class Series(SeriesTask):
    """Forecast of columns of a table `ahead` steps on: a CSV file, a data frame or arrays of one's own.

    Each row is a step, 1 ms for the network. The first rows, a part `split` of all, are for training, the
    rest is held out. Columns are centred on their mean and divided by their standard deviation, both of the
    training part, so that a loss of 1 is that of its mean; `in_units` takes outputs back.

    With a column of times, numbers or dates, no window, tap or pair of input and target reaches across a gap,
    more than 1.5 times the median time between rows; rows whose time isn't after that of the row before are
    refused. A data frame with dates as its index needs no such column. Dates without a time zone are taken as
    they stand. Messages count the rows of a file from 1, the header, and those of frames and arrays from 0.

    Parameters
    ----------
    data : path, data frame, mapping of arrays or array
        An array has a row a step and columns named 0, 1, ...; only the path of a file is kept in
        ``config.json``, so a run on other data can't be repeated from its folder alone.
    inputs : tuple of str
        Columns that the network sees; all but the time when empty.
    targets : tuple of str
        Columns to predict; may be left out for data with one column.
    ahead : int
        Steps from the inputs to their target; 0 reads targets from inputs of the same row.
    time : str, optional
        Column of times.
    time_format : str, optional
        Format of dates that aren't ISO 8601, such as ``"%d.%m.%Y %H:%M"``, of `datetime.datetime.strptime`.
    split : float
        Part of the rows for training.

    See `SeriesTask` for the other options.

    Raises
    ------
    InvalidValue
        For options that can't be.
    DataError
        When the data is looked at: for cells that aren't finite numbers and times that don't rise, with row
        and column, for columns that don't vary in the training part, and for too few rows.
    UnknownName
        For columns that the data doesn't have.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> task = Series(data={"a": rng.random(500), "b": rng.random(500)}, targets="b", window=30, washout=10)
    >>> task.trial(rng, lanes=4).inputs.shape
    (30, 4, 2)
    """

    name = "series"

    data: str | Path | Any = option(None, "CSV file with a header and a row a step")
    inputs: tuple[str, ...] = option((), "columns that the network sees; all but the time when left out")
    targets: tuple[str, ...] = option((), "columns to predict")
    ahead: int = option(1, "steps from the inputs to their target", least=0)
    time: str | None = option(None, "column of times, numbers or dates, whose gaps are respected")
    time_format: str | None = option(None, "format of dates that aren't ISO 8601, e.g. %d.%m.%Y %H:%M")
    split: float = option(0.8, "part of the rows for training, from the start", above=0, below=1)
    window: int = option(96, "steps in a training window", least=1)
    washout: int = option(48, "steps at the start of a window that don't count", least=0)

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, _names(f"Series.{name}", getattr(self, name)))
        super().__post_init__()

    @property
    def n_in(self) -> int:
        return self.taps * len(self._columns[0])

    @property
    def n_out(self) -> int:
        return len(self._columns[1])

    @property
    def series(self) -> Course:
        return self._scaled[0]

    def in_units(self, outputs: Array) -> Array:
        """Outputs (..., n_out) of the network in the units of the target columns."""
        _, mean, deviation = self._scaled
        return np.asarray(outputs * deviation + mean)

    @functools.cached_property
    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of inputs and targets."""
        if self.data is None:
            raise InvalidValue("Series.data", "a CSV file (--data FILE), a data frame or arrays", None)
        names = tuple(name for name in _table.opened(self.data).names if name != self.time)
        targets = self.targets or names
        if not self.targets and len(names) != 1:
            raise InvalidValue("Series.targets", f"columns to predict, of {', '.join(names)}", "none")
        return self.inputs or names, targets

    @functools.cached_property
    def _scaled(self) -> tuple[Course, Array, Array]:
        """Course, and mean and standard deviation (n_out,) of the target columns."""
        inputs, targets = self._columns
        names = tuple(dict.fromkeys((*inputs, *targets)))
        table = _table.read(self.data, names, time=self.time, time_format=self.time_format)
        held_out = int(self.split * len(table.values))
        train = table.values[:held_out]
        needed = self.ahead + self.behind + 1
        if min(len(train), len(table.values) - held_out) <= needed:
            expected = f"more than {needed} rows (ahead, taps and washout) in each of the parts"
            parts = f"{len(train)} to train and {len(table.values) - held_out} held out"
            raise DataError(f"{table.source}: expected {expected}, got {parts}")
        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = train.mean(axis=0), train.std(axis=0)
        for place in np.flatnonzero(np.ptp(train, axis=0) == 0)[:1]:
            first, last = table.rows[0], table.rows[held_out - 1]
            where = f"{table.source}: rows {first} to {last}, column {names[place]}"
            expected = "a column that varies in the training part"
            raise DataError(f"{where}: expected {expected}, got {train[0, place]:g} throughout")
        for place in np.flatnonzero(~np.isfinite(deviation) | (deviation == 0))[:1]:
            expected = "numbers of a size whose standard deviation can be told"
            where = f"{table.source}: column {names[place]}"
            raise DataError(f"{where}: expected {expected}, got {deviation[place]:g}")
        at = [names.index(name) for name in targets]
        scaled = (table.values - mean) / deviation
        for row, column in np.argwhere(np.abs(scaled) > FARTHEST)[:1]:
            where = f"{table.source}: row {table.rows[row]}, column {names[column]}"
            expected = f"at most {FARTHEST:g} standard deviations of the training part"
            raise DataError(f"{where}: expected {expected}, got {table.values[row, column]:g}")
        course = forecast(scaled, at, self.ahead, held_out, table.stretches)
        seen = [names.index(name) for name in inputs]
        course = Course(course.inputs[:, seen], course.targets, course.train, course.test, course.stretches)
        return course, mean[at], deviation[at]

    def trivial(self) -> dict[str, float]:
        """Mean of the training part, persistence where inputs hold the targets, and linear predictors."""
        inputs, targets = self._columns
        course = self.series
        levels = {"mean": self.level(lambda steps: np.zeros((len(steps), len(targets))))}
        if self.ahead > 0 and set(targets) <= set(inputs):
            now = [inputs.index(name) for name in targets]
            levels["persistence"] = self.level(lambda steps: course.inputs[steps][:, now])
        levels["linear on the present"] = self.linear_level(1)
        steps = sum(map(len, course.within(course.train, 0)))
        lags = max(2, self.taps, min(WIDEST, steps // (SAMPLES * len(inputs))))
        if course.within(course.train, lags - 1):
            levels[f"linear on the last {lags} steps"] = self.linear_level(lags)
        return levels

    def recipe(self, preset: str) -> Recipe:
        """Settings of the weather: a direct connection and a readout that starts at the linear solution."""
        general = super().recipe(preset)
        return forecasting(general, self.washout + 1) if preset == "best" else general


def _names(where: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(name.strip() for name in given.split(",") if name.strip())
    try:
        return tuple(map(str, given))
    except TypeError:
        raise InvalidValue(where, "names of columns", given) from None

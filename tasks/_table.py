"""Columns of numbers from a CSV file, a data frame or arrays, in stretches of time without a gap."""

from __future__ import annotations

import csv
import datetime
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neuroanp.errors import DataError, UnknownName
from neuroanp.types import Array

LONGEST = 60
"""Characters of a cell in messages."""
GAP = 1.5
"""Time between two rows, in the usual one, from which there is a gap between them."""


class Table(NamedTuple):
    """Columns of numbers.

    Parameters
    ----------
    source : str
        File or object, for messages.
    names : tuple of str
    values : (T, n) array
    stretches : tuple of range
        Rows without a gap between them; one of all without times.
    rows : range
        Their numbers in messages: in a file from 2, as the header is row 1, else from 0.
    """

    source: str
    names: tuple[str, ...]
    values: Array
    stretches: tuple[range, ...]
    rows: Sequence[int]


class Cells(NamedTuple):
    """Source of a table before its cells are numbers: a function from a name to its cells."""

    source: str
    names: tuple[str, ...]
    column: Callable[[str], Sequence[Any] | Array]
    rows: Sequence[int]


def read(
    data: Any, names: Sequence[str], *, time: str | None = None, time_format: str | None = None,
    step: float | None = None,
) -> Table:  # fmt: skip
    """Columns of a CSV file, a data frame, a mapping of arrays, or a 2-d array with columns 0, 1, ...

    Parameters
    ----------
    data : path, data frame, mapping or array
    names : sequence of str
        Columns; all but the time when empty.
    time : str, optional
        Column of times, numbers or dates; the index of a data frame where that is one of dates.
    time_format : str, optional
        Format of dates that aren't ISO 8601, as `datetime.datetime.strptime` has it.
    step : float, optional
        Usual time between rows, seconds for dates; their median when left out.

    Raises
    ------
    DataError
        For what can't be read; for a cell that isn't a finite number, with row and column; for times that
        don't rise from row to row, or rise by less than half of the usual.
    UnknownName
        For a column that isn't there.
    """
    cells = opened(data)
    times = _times(data, cells, time)
    chosen = tuple(names) or tuple(name for name in cells.names if name != time)
    for name in chosen:
        if name not in cells.names:
            raise UnknownName(f"{cells.source}: column", name, list(cells.names))
    columns = [_numbers(cells, name) for name in chosen]
    values = np.stack(columns, axis=1) if columns else np.zeros((len(cells.rows), 0))
    stretches: tuple[range, ...] = (range(len(values)),)
    if times is not None:
        stretches = _stretches(cells, time or "index", times, time_format, step)
    return Table(cells.source, chosen, values, stretches, cells.rows)


def opened(data: Any) -> Cells:
    """Names and cells of the columns of data as `read` takes them."""
    if isinstance(data, (str, Path)):
        return _file(Path(data).expanduser())
    if isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "__getitem__")):
        by_name = {str(name): data[name] for name in (data if isinstance(data, Mapping) else data.columns)}
        for name, column in by_name.items():
            if isinstance(column, (str, bytes)) or not hasattr(column, "__len__"):
                raise DataError(f"{type(data).__name__}: column {name}: expected its cells, got {column!r}")
        lengths = {len(column) for column in by_name.values()}
        if len(lengths) != 1:
            raise DataError(f"{type(data).__name__}: expected columns of one length, got {sorted(lengths)}")
        return Cells(type(data).__name__, tuple(by_name), by_name.__getitem__, range(lengths.pop()))
    values = np.asarray(data)
    if values.ndim != 2:
        expected = "a path, a data frame, a mapping of columns or an array of rows and columns"
        raise DataError(f"{type(data).__name__}: expected {expected}, got shape {values.shape}")
    names = tuple(map(str, range(values.shape[1])))
    return Cells(type(data).__name__, names, lambda name: values[:, int(name)], range(len(values)))


def _file(path: Path) -> Cells:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    header = [name.strip() for name in lines[0]] if lines else []
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: expected columns with names of their own, got {', '.join(twice)} twice")
    numbered = [(number, line) for number, line in enumerate(lines[1:], start=2) if line]
    for number, line in numbered:
        if len(line) > len(header):
            raise DataError(f"{path}: row {number}: expected {len(header)} cells, got {len(line)}")

    def column(name: str) -> list[str]:
        place = header.index(name)
        return [line[place] if place < len(line) else "" for _, line in numbered]

    return Cells(str(path), tuple(header), column, [number for number, _ in numbered])


def _numbers(cells: Cells, name: str) -> Array:
    column = cells.column(name)
    try:
        values = np.array(column, dtype=np.float64)
        texts = isinstance(column, list)
    except (TypeError, ValueError):
        texts = True
    if texts:
        values = np.array([_number(cell) for cell in column])
    if values.ndim != 1:
        raise DataError(f"{cells.source}: column {name}: expected one number a row, got shape {values.shape}")
    for place in np.flatnonzero(~np.isfinite(values))[:1]:
        cell = _shown(column, place)
        where = f"{cells.source}: row {cells.rows[place]}, column {name}"
        raise DataError(f"{where}: expected a finite number, got {cell!r}")
    return values


def _number(cell: Any) -> float:
    """Number of a cell; NaN for text that is none, among it what Python alone reads as one."""
    try:
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)
    except (TypeError, ValueError):
        return math.nan


def _shown(column: Any, place: int) -> str:
    cell = str(column[place] if isinstance(column, list) else np.asarray(column)[place])
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]} ..."


def _times(data: Any, cells: Cells, time: str | None) -> Sequence[Any] | Array | None:
    """Cells of the times; None without."""
    if time is None:
        index = np.asarray(getattr(data, "index", ()))
        return index if index.dtype.kind == "M" else None
    if time not in cells.names:
        raise UnknownName(f"{cells.source}: column", time, list(cells.names))
    return cells.column(time)


def _seconds(cells: Cells, name: str, column: Sequence[Any] | Array, time_format: str | None) -> Array:
    """Times in seconds, or in the unit of their numbers."""
    values = np.asarray(column)
    if values.dtype.kind == "M":
        seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
        times = np.where(np.isnat(values), math.nan, seconds)
    else:
        times = np.array([_instant(cell, time_format) for cell in column])
    for place in np.flatnonzero(~np.isfinite(times))[:1]:
        where = f"{cells.source}: row {cells.rows[place]}, column {name}"
        like = f"a time as {time_format}" if time_format else "a number or a date such as 2024-01-31 12:00"
        raise DataError(f"{where}: expected {like}, got {_shown(column, place)!r}")
    return times


def _instant(cell: Any, time_format: str | None) -> float:
    """Seconds of a date, which without a time zone is taken as it stands; a number as it is."""
    try:
        if isinstance(cell, str) and time_format is not None:
            moment = datetime.datetime.strptime(cell.strip(), time_format)
        elif isinstance(cell, str):
            try:
                return float(cell)
            except ValueError:
                moment = datetime.datetime.fromisoformat(cell.strip())
        elif isinstance(cell, datetime.datetime):
            moment = cell
        else:
            return float(cell)
        zone = moment.tzinfo or datetime.UTC
        return moment.replace(tzinfo=zone).timestamp()
    except (TypeError, ValueError, OverflowError, re.error):
        return math.nan  # re.error is of a format that names a part twice


def _stretches(
    cells: Cells, name: str, column: Sequence[Any] | Array, time_format: str | None, step: float | None
) -> tuple[range, ...]:
    """Rows between gaps."""
    times = _seconds(cells, name, column, time_format)
    if len(times) < 2:
        return (range(len(times)),)
    passed = np.diff(times)
    for place in np.flatnonzero(passed <= 0)[:1]:
        got = "the same" if passed[place] == 0 else "an earlier one"
        shown = _shown(column, place + 1)
        raise DataError(
            f"{cells.source}: row {cells.rows[place + 1]}, column {name}: expected a time after that of the "
            f"row before, got {got}: {shown}"
        )
    usual = float(np.median(passed)) if step is None else step
    for place in np.flatnonzero(passed < usual * (2 - GAP))[:1]:
        where = f"{cells.source}: row {cells.rows[place + 1]}, column {name}"
        usually = f"a time {usual:g} after that of the row before, as usual"
        raise DataError(f"{where}: expected {usually}, got {passed[place]:g}")
    ends = [0, *(np.flatnonzero(passed > usual * GAP) + 1), len(times)]
    return tuple(range(int(first), int(last)) for first, last in itertools.pairwise(ends))

"""Tables of numbers: what is read, where its gaps are, and what is refused, by row and column."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from neuroanp.errors import DataError, UnknownName
from neuroanp.tasks import _table

START = datetime.datetime(2024, 3, 30, 22)


def written(tmp_path: Path, hours: list[float], fmt: str = "%Y-%m-%d %H:%M", **cells: str) -> Path:
    """A file with a column of dates, so many hours after the start, and two of numbers; `cells` by place."""
    lines = ["when,a,b"]
    for place, hour in enumerate(hours):
        date = f"{START + datetime.timedelta(hours=hour):{fmt}}"
        lines.append(f"{cells.get(f'when{place}', date)},{cells.get(f'a{place}', place)},{-place}")
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_gaps_cut_the_rows_into_stretches(tmp_path: Path) -> None:
    table = _table.read(written(tmp_path, [0, 1, 2, 5, 6, 100, 101.2, 102]), (), time="when")
    assert table.stretches == (range(0, 3), range(3, 5), range(5, 8))
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values[:, 0], np.arange(8))


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ([0, 1, 2, 2, 3], "row 5, column when: expected a time after .* got the same: 2024-03-31 00:00"),
        ([0, 1, 3, 2, 4], "row 5, column when: expected a time after .* got an earlier one"),
        ([4, 3, 2, 1, 0], "row 3, column when: expected a time after .* got an earlier one"),
        ([0, 1, 2, 2.4, 3, 4], "row 5, column when: expected a time 3600 after that .* got 1440"),
    ],
)
def test_times_that_do_not_go_on_are_refused_by_row(tmp_path: Path, hours: list, message: str) -> None:
    with pytest.raises(DataError, match=rf"own\.csv: {message}"):
        _table.read(written(tmp_path, hours), (), time="when")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"a2": "n/a"}, "row 4, column a: expected a finite number, got 'n/a'"),
        ({"a0": ""}, "row 2, column a: expected a finite number, got ''"),
        ({"a1": "inf"}, "row 3, column a: expected a finite number, got 'inf'"),
        ({"when2": "noon"}, "row 4, column when: expected a number or a date such as .*, got 'noon'"),
        ({"a2": "1,2"}, "row 4: expected 3 cells, got 4"),
    ],
)
def test_cells_that_cannot_be_read_are_named(tmp_path: Path, cells: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _table.read(written(tmp_path, [0, 1, 2, 3], **cells), (), time="when")


def test_other_dates_need_their_format(tmp_path: Path) -> None:
    path = written(tmp_path, [0, 1, 2, 4], "%d.%m.%Y %H:%M")
    with pytest.raises(DataError, match="row 2, column when"):
        _table.read(path, (), time="when")
    table = _table.read(path, ("a",), time="when", time_format="%d.%m.%Y %H:%M")
    assert table.stretches == (range(0, 3), range(3, 4))


def test_frames_mappings_and_arrays_are_the_same_table() -> None:
    pandas = pytest.importorskip("pandas")
    hours = np.array([0, 1, 2, 3, 7, 8])
    columns = {"a": np.arange(6.0), "b": np.arange(6.0) ** 2}
    dates = np.datetime64("2024-01-01") + hours * np.timedelta64(1, "h")
    frame = pandas.DataFrame({**columns, "when": dates})
    zoned = frame.assign(when=frame.when.dt.tz_localize("Europe/Berlin"))
    indexed = frame.set_index("when")
    tables = [
        *(_table.read(data, (), time="when") for data in (frame, zoned, {**columns, "when": dates})),
        _table.read(indexed, ()),
        _table.read(np.column_stack([*columns.values(), hours]), (), time="2"),
    ]
    for table in tables:
        assert table.stretches == (range(0, 4), range(4, 6))
        np.testing.assert_array_equal(table.values, np.stack(list(columns.values()), axis=1))
    with pytest.raises(DataError, match=r"DataFrame: row 3, column index: .* an earlier one"):
        _table.read(indexed.iloc[[0, 1, 2, 0, 4]], ())
    with pytest.raises(DataError, match="DataFrame: row 1, column a: expected a finite number, got 'nan'"):
        _table.read(frame.assign(a=frame.a.where(frame.a != 1)), ("a",))


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, [0, 1])
    for wanted, time in ((("aa",), None), (("a",), "wen")):
        with pytest.raises(UnknownName, match=r"own\.csv: column: expected one of when, a, b, got"):
            _table.read(path, wanted, time=time)
    with pytest.raises(DataError, match="expected columns of one length"):
        _table.read({"a": [1, 2], "b": [1]}, ())
    path.write_text("a,a\n1,2\n")
    with pytest.raises(DataError, match="names of their own, got a twice"):
        _table.read(path, ())

"""Strange CSV files: refused by row and column, or a run whose pairs of input and target are right."""

import csv
import io

import numpy as np
import pytest
from hypothesis import strategies as st

from neuroanp.errors import DataError, InvalidValue, UnknownName
from neuroanp.tasks import _weather_file
from support.mutations import EXAMPLES, damaged, explore, nothing_executed, shell

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
CELLS = (
    "", " ", "nan", "inf", "-inf", "text", "1e400", "1e308", "1,5", '"', '"1', "0x1", "7", "-3", "1e-320",
    "\x00", "9" * 400, "x" * 140_000, "2024-01-31", "\u0661", "1_0", "True", "None", "=1+1", "\x1b[31m",
)  # fmt: skip


def table(rows, columns=("time", "a", "b")):
    """Cells of a series with a header; the time is hours."""
    values = np.random.default_rng(2).standard_normal((rows, len(columns))).round(3)
    values[:, 0] = np.arange(rows)
    return [list(columns), *([f"{value:g}" for value in row] for row in values)]


@st.composite
def series_files(draw):
    """Bytes of a CSV file with a few changes."""
    rows = table(80)
    for _ in range(draw(st.integers(1, 3))):
        change = draw(
            st.sampled_from(
                ["cell", "cell", "gone", "twice", "swapped", "gap", "short", "long", "blank", "header"]
            )
        )
        at = draw(st.integers(1, len(rows) - 2))
        column = draw(st.integers(0, 2))
        if change == "cell":
            rows[at][column : column + 1] = [draw(st.sampled_from(CELLS))]
        elif change == "gone":
            del rows[at]
        elif change == "twice":
            rows.insert(at, list(rows[at]))
        elif change == "swapped":
            rows[at], rows[at + 1] = rows[at + 1], rows[at]
        elif change == "gap":
            del rows[at : at + draw(st.integers(1, 30))]
            rows += [list(rows[-1])] if len(rows) < 3 else []
        elif change in ("short", "long", "blank"):
            rows[at] = {"short": rows[at][:column], "long": [*rows[at], "1"], "blank": []}[change]
        else:
            rows[0][column : column + 1] = [draw(st.sampled_from(["a", "", "time", "\ufeff", "A", " b "]))]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(",".join(row) for row in rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    content = text.encode(encoding, errors="replace")
    return draw(st.just(content) | st.just(content) | damaged(content))


@EXAMPLES
def test_a_series_is_refused_by_row_or_its_pairs_are_right(examples, trained, tmp_path):
    whole = "\n".join(",".join(row) for row in table(80)).encode()
    words = ["--targets=b", "--time=time", "--ahead=2", "--window=9", "--washout=2", "--out=new", "--lanes=2"]

    def prop(content):
        (tmp_path / "own.csv").write_bytes(content)
        trained.asked.clear()
        with nothing_executed():
            code, _, said = shell("train", "series", "--data=own.csv", *words)
            if code == 0:
                code, said = looked_at(trained.asked[0]["task"], content)
        assert code == 0 or (content != whole and ("own.csv" in said or "Series." in said))

    prop(whole)
    explore(examples, prop, content=series_files())


def looked_at(task, content):
    """Exit code and message of a series; its pairs are right, by times that are read otherwise."""
    try:
        course, trivial = task.series, task.trivial()
    except (DataError, InvalidValue, UnknownName) as error:
        assert "\x1b" not in str(error) or repr(error)
        return 2, str(error)
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    columns = {name.strip(): np.array([float(line[name]) for line in lines]) for name in lines[0] if name}
    usual = np.median(np.diff(columns["time"]))
    train = columns["b"][: int(0.8 * len(lines))]
    scaled = (columns["b"] - train.mean()) / train.std()
    for stretch in course.stretches:
        for at in stretch:
            assert abs(columns["time"][at + 2] - columns["time"][at] - 2 * usual) <= usual
            np.testing.assert_allclose(course.targets[at, 0], scaled[at + 2], rtol=1e-9, atol=1e-9)
    assert np.isfinite(course.inputs).all() and np.isfinite(list(trivial.values())).all()
    return 0, ""


@EXAMPLES
def test_weather_is_refused_by_row_or_as_it_is(examples, trained, small_file):
    names = ("date", *_weather_file.COLUMNS)
    places = st.tuples(st.integers(0, 399), st.sampled_from(names))
    dates = ("01/02/2010 03:00", "1/2/2010 3:00", "02/30/2010 00:00", "2010-01-02 03:00")
    words = ["--train_hours=300", "--ahead=1", "--window=20", "--washout=5", "--out=new"]

    def prop(cells):
        path = small_file(hours=400, cells=cells)
        trained.asked.clear()
        with nothing_executed():
            code, _, said = shell("train", "weather", f"--data={path}", *words)
            if code == 0:
                course = trained.asked[0]["task"].series
                assert np.isfinite(course.inputs).all() and (np.ptp(course.inputs[:300], axis=0) > 0.5).all()
                assert list(map(len, course.stretches)) == [399]
            else:
                assert path.name in said or "Weather.data" in said
        assert code == 0 or cells

    prop({})
    cells = st.sampled_from(CELLS) | st.sampled_from(dates)
    explore(examples, prop, cells=st.dictionaries(places, cells, min_size=1, max_size=3))

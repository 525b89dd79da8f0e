"""Series of one's own: windows, taps and targets against brute force, on a series with gaps."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroanp.errors import DataError, InvalidValue, UnknownName
from neuroanp.tasks import Series, Weather
from neuroanp.testing import check_task
from neuroanp.training.task import loss

AHEAD, TAPS, WINDOW, WASHOUT = 3, 4, 20, 6
HOURS = np.concatenate([np.arange(0, 90), np.arange(97, 104), np.arange(110, 400), np.arange(420, 560)])


def columns(hours: np.ndarray = HOURS) -> dict[str, np.ndarray]:
    """Columns whose values tell the hour: a is the hour, b a function of it."""
    return {"hour": hours, "a": hours.astype(float), "b": (hours * 37 % 101).astype(float)}


def task(**options: Any) -> Series:
    given = {
        "data": columns(), "targets": "b", "inputs": ("a", "b"), "time": "hour", "ahead": AHEAD, "taps": TAPS,
        "window": WINDOW, "washout": WASHOUT,
    }  # fmt: skip
    return Series(**(given | options))


def raw(task: Series, trial: Any) -> tuple[np.ndarray, np.ndarray]:
    """Hours (T, L, taps) that inputs are of, and values (T, L) that targets are of."""
    held_out = int(task.split * len(HOURS))
    train = columns()["a"][:held_out]
    hours = trial.inputs[..., ::2] * train.std() + train.mean()
    return hours.round(6), task.in_units(trial.targets)[..., 0].round(6)


def brute_force(first: int, last: int) -> set[int]:
    """Places of the rows from `first` to before `last` with taps and target in an unbroken run of hours."""
    run = [
        place
        for place in range(first + TAPS - 1, last - AHEAD)
        if HOURS[place + AHEAD] - HOURS[place - TAPS + 1] == AHEAD + TAPS - 1
    ]
    return set(run)


def test_every_window_is_an_unbroken_run_of_hours_and_every_such_window_is_drawn() -> None:
    series = task()
    trial = series.trial(np.random.default_rng(0), 4000)
    hours, targets = raw(series, trial)
    np.testing.assert_array_equal(hours[..., 0], hours[0, :, 0] + np.arange(WINDOW)[:, None])
    np.testing.assert_array_equal(hours, hours[..., :1] - np.arange(TAPS))
    np.testing.assert_array_equal(targets, (hours[..., 0] + AHEAD) * 37 % 101)
    usable = {int(HOURS[place]) for place in brute_force(0, int(0.8 * len(HOURS)))}
    starts = {hour for hour in usable if all(hour + step in usable for step in range(WINDOW))}
    assert set(hours[0, :, 0].astype(int)) == starts


def test_evaluation_counts_each_held_out_hour_once_after_a_washout_of_its_own() -> None:
    series = task(split=0.5)
    trial = series.evaluation(np.random.default_rng(0))
    hours, targets = raw(series, trial)
    counted = trial.mask > 0
    np.testing.assert_array_equal(hours[counted], hours[counted][:, :1] - np.arange(TAPS))
    np.testing.assert_array_equal(targets[counted], (hours[counted][:, 0] + AHEAD) * 37 % 101)
    assert not trial.mask[:WASHOUT].any()
    held_out = int(0.5 * len(HOURS))
    rows = brute_force(0, len(HOURS))
    judged = {
        int(HOURS[row]) for row in rows if row >= held_out and set(range(row - WASHOUT, row)) <= rows
    }  # fmt: skip
    assert sorted(hours[counted][:, 0].astype(int)) == sorted(judged)


@pytest.mark.parametrize("lanes", [1, 7])
def test_fitting_shows_every_training_step_once(lanes: int) -> None:
    series = task()
    seen: list[int] = []
    for trial, _ in series.fitting(lanes):
        hours, targets = raw(series, trial)
        counted = trial.mask > 0
        np.testing.assert_array_equal(targets[counted], (hours[counted][:, 0] + AHEAD) * 37 % 101)
        seen += hours[counted][:, 0].astype(int).tolist()
    rows = brute_force(0, int(0.8 * len(HOURS)))
    assert sorted(seen) == sorted(int(HOURS[r]) for r in rows if set(range(r - WASHOUT, r)) <= rows)


def test_trivial_predictors_see_what_is_judged() -> None:
    series = task(taps=1)
    trial, levels = series.evaluation(np.random.default_rng(0)), series.trivial()
    assert levels["mean"] == pytest.approx(loss(np.zeros_like(trial.targets), trial))
    assert levels["persistence"] == pytest.approx(loss(trial.inputs[..., 1:2], trial))
    assert "persistence" not in task(inputs="a").trivial() and "persistence" not in task(ahead=0).trivial()
    lag = np.random.default_rng(1).standard_normal(400)
    law = Series(
        data={"x": lag, "y": np.roll(lag, 2)}, inputs="x", targets="y", window=WINDOW, washout=WASHOUT
    )
    assert min(law.trivial().values()) < 1e-20 < law.trivial()["linear on the present"]


def test_scaling_is_that_of_the_training_part() -> None:
    data = columns()
    changed = data | {"b": np.where(np.arange(len(HOURS)) < 0.8 * len(HOURS), data["b"], 1e6)}
    first, other = (task(data=each).trial(np.random.default_rng(0), 50) for each in (data, changed))
    np.testing.assert_array_equal(first.inputs, other.inputs)
    np.testing.assert_array_equal(first.targets, other.targets)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": None}, r"Series\.data: expected a CSV file"),
        ({"targets": ()}, r"Series\.targets: expected columns to predict, of a, b"),
        ({"targets": "c"}, "column: expected one of hour, a, b, got 'c'"),
        ({"data": columns() | {"b": np.ones(len(HOURS))}}, "rows 0 to 420, column b: .* varies .* got 1 thr"),
        ({"data": {k: v[:60] for k, v in columns().items()}}, "more than 13 rows .* got 48 to train and 12"),
        ({"window": 300}, r"Series\.window: expected at most the \d+ steps of the longest stretch"),
        ({"carry": True}, r"Series\.carry: expected False for a series with gaps"),
        ({"split": 1.0}, r"Series\.split"),
        ({"data": columns(HOURS[::-1])}, "row 1, column hour: expected a time after"),
    ],
)
def test_what_cannot_be(options: dict, message: str) -> None:
    with pytest.raises((DataError, InvalidValue, UnknownName), match=message):
        task(**options).trial(np.random.default_rng(0), 2)


def test_a_file_passes_the_check_of_tasks(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns())
        rows.writerows(zip(*columns().values(), strict=True))
    check_task(task(data=str(path)))


@pytest.mark.parametrize("carry", [False, True])
def test_weather_windows_do_not_reach_across_missing_hours(small_file: Any, carry: bool) -> None:
    path = small_file(hours=600)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:201] + lines[251:]))
    weather = Weather(data=str(path), ahead=6, train_hours=400, window=30, washout=10, carry=carry)
    if carry:
        with pytest.raises(InvalidValue, match=r"Weather\.carry: expected False for a series with gaps"):
            weather.trial(np.random.default_rng(0), 2)
        return
    trial = weather.trial(np.random.default_rng(0), 500)
    np.testing.assert_array_equal(trial.targets[:-6, :, 0], trial.inputs[6:, :, 1])
    path.write_text("".join(lines[:201] + lines[200:]))
    with pytest.raises(DataError, match=r"row 202, column date: .* got the same"):
        weather.series  # noqa: B018
    path.write_text("".join(lines[:1] + lines[:0:-1]))
    with pytest.raises(DataError, match=r"row 3, column date: .* got an earlier one"):
        weather.series  # noqa: B018

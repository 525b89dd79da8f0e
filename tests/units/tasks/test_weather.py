"""Weather: scaling, parts and trivial levels; the real observations where there are such."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroanp.errors import DataError, InvalidValue
from neuroanp.tasks import Weather, _weather_file
from neuroanp.tasks._linear import linear
from neuroanp.training.task import loss

SMALL = {"ahead": 6, "train_hours": 400, "window": 30, "washout": 10}


def test_columns_are_scaled_by_the_training_part(small_file: Callable[..., Path]) -> None:
    series = Weather(data=str(small_file()), **SMALL).series
    train = series.inputs[:400]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.ptp(train, axis=0), 1)
    raw = _weather_file.read(small_file()).values
    unscaled = np.diff(series.inputs, axis=0) * np.ptp(raw[:400], axis=0)
    np.testing.assert_allclose(unscaled, np.diff(raw[:-6], axis=0))


def test_held_out_hours_change_nothing_in_training(small_file: Callable[..., Path]) -> None:
    def trial(path: Path) -> np.ndarray:
        drawn = Weather(data=str(path), **SMALL).trial(np.random.default_rng(1), 500)
        return np.concatenate([drawn.inputs, drawn.targets], axis=2)

    before = trial(small_file())
    changed = {(hour, name): "1e6" for hour in range(400, 500) for name in _weather_file.COLUMNS}
    np.testing.assert_array_equal(trial(small_file(cells=changed)), before)


def test_a_constant_column_becomes_zero(small_file: Callable[..., Path]) -> None:
    path = small_file(cells={(hour, "Visibility"): "10" for hour in range(500)})
    assert (Weather(data=str(path), **SMALL).series.inputs[:, 0] == 0).all()


def test_target_is_the_temperature_ahead(small_file: Callable[..., Path], rng: np.random.Generator) -> None:
    task = Weather(data=str(small_file()), **SMALL)
    trial = task.trial(rng, 7)
    assert trial.inputs.shape == (30, 7, task.n_in) == (30, 7, 9)
    assert trial.targets.shape == (30, 7, task.n_out) == (30, 7, 1)
    np.testing.assert_array_equal(trial.targets[:-6, :, 0], trial.inputs[6:, :, 1])
    assert _weather_file.COLUMNS[1] == "DryBulbFarenheit"


def test_evaluation_is_the_rest_after_a_washout(
    small_file: Callable[..., Path], rng: np.random.Generator
) -> None:
    task = Weather(data=str(small_file()), **SMALL)
    trial = task.evaluation(rng)
    np.testing.assert_array_equal(trial.inputs[:, 0], task.series.inputs[390:])
    np.testing.assert_array_equal(trial.mask[:, 0], np.repeat([0, 1], [10, 94]))


def test_trivial_levels_are_on_the_evaluation_data(
    small_file: Callable[..., Path], rng: np.random.Generator
) -> None:
    task = Weather(data=str(small_file()), **SMALL)
    trial, levels = task.evaluation(rng), task.trivial()
    assert levels["persistence"] == pytest.approx(loss(trial.inputs[:, :, 1:2], trial))
    ratio = levels["persistence"] / min(levels.values())
    assert task.score(trial.inputs[:, :, 1:2], trial) == pytest.approx(ratio)
    inputs, targets = task.series.inputs, task.series.targets
    line = np.linalg.lstsq(np.insert(inputs[:394], 0, 1, axis=1), targets[:394], rcond=None)[0]
    guess = np.insert(trial.inputs, 0, 1, axis=2) @ line
    assert levels["linear on the present"] == pytest.approx(loss(guess, trial))


def test_a_file_that_changed_is_read_again(small_file: Callable[..., Path]) -> None:
    task = Weather(data=str(small_file()), **SMALL)
    before = task.series.inputs
    small_file(cells={(3, "Altimeter"): "77"})
    assert not np.array_equal(task.series.inputs, before)


def test_too_few_hours(small_file: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"small.csv: expected more than 33624 hours .* got 500"):
        Weather(data=str(small_file())).series  # noqa: B018


@pytest.mark.parametrize("fields", [{"ahead": 0}, {"train_hours": 50}, {"washout": 96}])
def test_bad_fields(fields: dict) -> None:
    with pytest.raises(InvalidValue, match=f"Weather.{next(iter(fields))}"):
        Weather(**fields)


@pytest.mark.parametrize(
    ("ahead", "persistence", "present"),
    [(1, 0.000597, 0.000564), (24, 0.005815, 0.004136), (48, 0.010834, 0.008207)],
)
def test_levels_of_the_real_observations(
    observations: Path, ahead: int, persistence: float, present: float
) -> None:
    series = Weather(data=str(observations), ahead=ahead).series
    test = slice(series.test.start, series.test.stop)
    line = linear(series.inputs, series.targets, series.train, series.test)
    found = [((guess - series.targets[test]) ** 2).mean() for guess in (series.inputs[test, 1:2], line)]
    np.testing.assert_allclose(found, [persistence, present], atol=6e-7)


@pytest.mark.slow
def test_level_of_the_last_72_hours(observations: Path) -> None:
    """The design leaves the first 71 held-out hours out, so that all 72 lie in the held-out part."""
    task = Weather(data=str(observations))
    series = task.series
    guess = linear(series.inputs, series.targets, series.train, series.test, lags=72)
    error = (guess - series.targets[series.test.start :])[:, 0] ** 2
    assert error[71:].mean() == pytest.approx(0.002849, abs=5e-7)
    assert error.mean() == pytest.approx(0.002921, abs=5e-7)


def test_scaling_over_all_data_would_be_the_same(observations: Path) -> None:
    scaled = Weather(data=str(observations), ahead=1).series.inputs
    assert (np.ptp(scaled, axis=0) == 1).all()
    assert (np.ptp(scaled[:33_600], axis=0) == 1).all()

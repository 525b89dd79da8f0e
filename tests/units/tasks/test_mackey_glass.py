"""Mackey-Glass: its series, its parts and its trivial levels."""

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.tasks import MackeyGlass
from neuroanp.tasks.mackey_glass import _mackey_glass
from neuroanp.training.task import loss


def test_series_solves_the_delay_equation() -> None:
    x = _mackey_glass(400, seed=3)
    t = np.arange(30, 390)
    slope = (x[t - 2] - 8 * x[t - 1] + 8 * x[t + 1] - x[t + 2]) / 12
    wanted = 0.2 * x[t - 17] / (1 + x[t - 17] ** 10) - 0.1 * x[t]
    assert np.abs(slope - wanted).max() < 0.12 * np.abs(wanted).max()
    assert np.corrcoef(slope, wanted)[0, 1] > 0.99
    shifted = 0.2 * x[t - 16] / (1 + x[t - 16] ** 10) - 0.1 * x[t]
    assert np.abs(slope - shifted).mean() > 2 * np.abs(slope - wanted).mean()


def test_forecast_targets_lie_ahead_and_recall_targets_behind() -> None:
    forecast, recall = MackeyGlass().series, MackeyGlass(direction="recall").series
    assert len(forecast.inputs) == len(recall.inputs) == 5000
    np.testing.assert_array_equal(forecast.targets[:-15], forecast.inputs[15:])
    np.testing.assert_array_equal(recall.targets[15:], recall.inputs[:-15])


@pytest.mark.parametrize("direction", ["forecast", "recall"])
def test_training_never_sees_the_held_out_part(direction: str, rng: np.random.Generator) -> None:
    task = MackeyGlass(direction=direction)
    trial, held_out = task.trial(rng, 2000), task.evaluation(rng)
    counted = held_out.mask[:, 0] > 0
    assert counted.sum() == 1000
    assert not np.isin(trial.targets, held_out.targets[counted]).any()
    unseen = held_out.inputs if direction == "recall" else held_out.targets
    assert not np.isin(trial.inputs, unseen[counted]).any()


def test_every_place_of_the_training_part_is_drawn(rng: np.random.Generator) -> None:
    task = MackeyGlass(steps=400, window=60)
    seen = np.isin(task.series.inputs[:, 0], task.trial(rng, 5000).inputs)
    np.testing.assert_array_equal(np.flatnonzero(seen), np.arange(0.8 * 400 - 15))


def test_lanes_are_windows_with_an_uncounted_start(rng: np.random.Generator) -> None:
    task = MackeyGlass(window=50, washout=20)
    trial = task.trial(rng, 4)
    assert trial.inputs.shape == trial.targets.shape == (50, 4, 1)
    assert not trial.carry
    np.testing.assert_array_equal(trial.mask, np.repeat([0, 1], [20, 30])[:, None] * np.ones((1, 4)))
    for lane in range(4):
        start = int(np.flatnonzero(task.series.inputs[:, 0] == trial.inputs[0, lane, 0])[0])
        np.testing.assert_array_equal(trial.inputs[:, lane], task.series.inputs[start : start + 50])
        np.testing.assert_array_equal(trial.targets[:, lane], task.series.targets[start : start + 50])


def test_evaluation_starts_with_a_washout_from_the_end_of_training(rng: np.random.Generator) -> None:
    task = MackeyGlass(washout=30)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == (1030, 1, 1)
    np.testing.assert_array_equal(trial.inputs[:, 0], task.series.inputs[3970:])
    np.testing.assert_array_equal(trial.mask[:, 0], np.repeat([0, 1], [30, 1000]))


@pytest.mark.parametrize(
    ("direction", "table"),
    [("forecast", (0.0465, 0.0415, 0.0135, 0.0101)), ("recall", (0.0465, 0.0415, 0.0101, 1e-31))],
)
def test_trivial_levels_are_those_of_the_design(direction: str, table: tuple[float, ...]) -> None:
    levels = list(MackeyGlass(direction=direction).trivial().values())
    np.testing.assert_allclose(levels, table, rtol=0.015, atol=1e-29)


def test_trivial_levels_are_on_the_evaluation_data(rng: np.random.Generator) -> None:
    task = MackeyGlass()
    series, trial = task.series, task.evaluation(rng)
    train = slice(series.train.stop)
    line = np.polyfit(series.inputs[train, 0], series.targets[train, 0], 1)
    levels = task.trivial()
    assert levels["zero"] == pytest.approx(loss(np.zeros_like(trial.targets), trial))
    assert levels["linear on the present"] == pytest.approx(loss(np.polyval(line, trial.inputs), trial))


def test_score_is_the_loss_over_the_best_trivial_one(rng: np.random.Generator) -> None:
    task = MackeyGlass()
    trial, levels = task.evaluation(rng), task.trivial()
    assert task.score(trial.targets, trial) == 0
    ratio = levels["zero"] / levels["linear on 20 inputs"]
    assert task.score(np.zeros_like(trial.targets), trial) == pytest.approx(ratio)


def test_draws_repeat_with_the_seed() -> None:
    task = MackeyGlass()
    first, again, other = (task.trial(np.random.default_rng(seed), 8).inputs for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(task.series.inputs, MackeyGlass(series_seed=1).series.inputs)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"direction": "forcast"}, "MackeyGlass.direction: expected one of .* did you mean 'forecast'"),
        ({"window": 40, "washout": 40}, "washout: expected fewer steps than the window of 40, got 40"),
        ({"ahead": 0}, "MackeyGlass.ahead"),
        ({"steps": 100}, "MackeyGlass.steps"),
        ({"washout": -1}, "MackeyGlass.washout"),
    ],
)
def test_bad_fields(fields: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        MackeyGlass(**fields)


def test_window_longer_than_the_training_part(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidValue, match=r"MackeyGlass\.window: expected at most the 3985 steps"):
        MackeyGlass(window=4000).trial(rng, 1)

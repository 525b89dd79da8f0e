"""Forecasts by the tasks' own recipes, beside linear regression on a window of the same data."""

import statistics
from pathlib import Path

import pytest

from neuroanp import train
from neuroanp.tasks import Weather


@pytest.mark.slow  # two minutes each
@pytest.mark.parametrize("ahead", [1, 24, 48])
def test_weather_is_below_linear_regression_on_72_hours(observations: Path, ahead: int) -> None:
    task = Weather(data=str(observations), ahead=ahead)
    runs = [train(task=task, seed=seed, tests=0, progress=False) for seed in range(100, 105)]
    mean = statistics.fmean(run.result["test_loss"] for run in runs)
    assert mean < task.trivial()["linear on the last 72 h"]

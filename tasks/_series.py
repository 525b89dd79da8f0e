"""Base of the tasks on one series: training on windows of its first part, evaluation on the rest."""

from __future__ import annotations

import abc
import dataclasses
from functools import lru_cache

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.tasks import _linear as trivial
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Inputs and targets of a series, step by step, and its two parts.

    Parameters
    ----------
    inputs : (T, n_in) array
    targets : (T, n_out) array
    train : range
        Steps to train on; neither their inputs nor their targets reach into the held-out part.
    test : range
        Steps to judge on.
    """

    inputs: Array
    targets: Array
    train: range
    test: range

    def __post_init__(self) -> None:
        self.inputs.flags.writeable = False
        self.targets.flags.writeable = False


def forecast(values: Array, column: int, ahead: int, held_out: int) -> Series:
    """Series to predict a column of `values` (T, n_in) `ahead` steps on, unseen from step `held_out` on."""
    targets = values[ahead:, column : column + 1].copy()
    inputs = values[: len(targets)].copy()
    return Series(inputs, targets, range(held_out - ahead), range(held_out, len(targets)))


class SeriesTask(Task):
    """Base of the tasks on one series. A subclass defines `series` and `trivial`.

    A training trial gives each lane another window of the training part. The state is zero at
    the start of a window, so its first `washout` steps don't count. The evaluation is the whole
    held-out part as one lane, after `washout` steps that don't count.

    With `carry` the windows go on from one another: each lane walks through its own contiguous part of the
    training part, window after window, and keeps its state, until less than a window is left. Then all
    lanes start again, each lap a step later than the one before as far as the steps left over allow. Only a
    window that starts has a washout, which always leaves it a step that counts.
    """

    score_name = "test loss over the best trivial predictor's"
    higher_is_better = False

    window: int = option(120, "steps in a training window", least=1)
    washout: int = option(40, "steps at the start of a window that don't count", least=0)
    carry: bool = option(False, "keep the state from window to window, each lane in a part of its own")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.washout >= self.window and not self.carry:
            where = f"{type(self).__name__}.washout"
            raise InvalidValue(where, f"fewer steps than the window of {self.window}", self.washout)

    @property
    @abc.abstractmethod
    def series(self) -> Series:
        """Series with its training and held-out parts."""

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Windows of the training part, one for each lane, drawn or next in turn: (window, lanes, n)."""
        series = self.series
        reach = len(series.train) // lanes if self.carry else len(series.train)
        if self.window > reach:
            part = "part of each lane" if self.carry else "training part"
            expected = f"at most the {reach} steps of the {part}"
            raise InvalidValue(f"{type(self).__name__}.window", expected, self.window)
        if self.carry:
            first, goes_on = self._place(index, reach)
            firsts = reach * np.arange(lanes) + first
        else:
            firsts, goes_on = rng.integers(reach - self.window + 1, size=lanes), False
        steps = firsts + np.arange(self.window)[:, None]
        mask = np.ones((self.window, lanes))
        if not goes_on:
            mask[: min(self.washout, self.window - 1)] = 0
        return Trial(series.inputs[steps], series.targets[steps], mask, carry=goes_on)

    def _place(self, index: int, reach: int) -> tuple[int, bool]:
        """First step of a carried window in a part of `reach` steps; True if it goes on from the last."""
        lap, window = divmod(index, reach // self.window)
        return lap % (reach % self.window + 1) + window * self.window, window > 0

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out part as one lane, after `washout` steps; the same for every `rng`."""
        return _held_out(self.series, self.washout)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Test loss over that of the best trivial predictor, which counts as at least rounding error."""
        return loss(outputs, trial) / max(min(self.trivial().values()), float(np.finfo(float).eps))

    def recipe(self, preset: str) -> Recipe:
        """Published method with the rates, of those tried, at which it gets furthest on a series."""
        general = super().recipe(preset)
        if preset != "published":
            return general
        decorrelation = Decorrelation(rate=1e-4, anneal="none")
        return general.replace(optimizer=SGD(lr=3e-3), decorrelation=decorrelation)


def _held_out(series: Series, washout: int) -> Trial:
    first = max(series.test.start - washout, 0)
    steps = slice(first, series.test.stop)
    mask = np.ones((series.test.stop - first, 1))
    mask[: series.test.start - first] = 0
    return Trial(series.inputs[steps, None], series.targets[steps, None], mask)


def level(series: Series, predictions: Array) -> float:
    """Test loss of `predictions` (len(series.test), n_out)."""
    return loss(predictions[:, None], _held_out(series, 0))


@lru_cache(maxsize=32)
def linear_level(series: Series, lags: int) -> float:
    """Test loss of the linear predictor on the last `lags` inputs, fitted on the training part."""
    return level(series, trivial.linear(series.inputs, series.targets, series.train, series.test, lags))

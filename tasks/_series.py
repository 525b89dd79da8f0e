"""Base of the tasks on one series: training on windows of its first part, evaluation on the rest."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.models import LeakyTanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD, Adam
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.tasks._linear import lagged
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

LONG = 8
"""Least length, in washouts, of pieces that a readout is fitted to: states settle as in the evaluation."""
TAIL = 5
"""One part in so many of the training part, its end, is what a penalty is chosen on."""


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """Inputs and targets of a series, step by step, and its two parts.

    Parameters
    ----------
    inputs : (T, n) array
    targets : (T, n_out) array
    train : range
        Steps to train on; neither their inputs nor their targets reach into the held-out part.
    test : range
        Steps to judge on.
    stretches : tuple of range
        Steps without a gap between them, or to the step that their target is of; all when left out. Steps in
        none of them have no target.
    """

    inputs: Array
    targets: Array
    train: range
    test: range
    stretches: tuple[range, ...] = ()

    def __post_init__(self) -> None:
        self.inputs.flags.writeable = False
        self.targets.flags.writeable = False
        if not self.stretches:
            object.__setattr__(self, "stretches", (range(len(self.targets)),))

    def within(self, part: range, behind: int) -> list[range]:
        """Steps of a part that have so many steps of their stretch behind them, by stretch."""
        cut = [range(max(s.start + behind, part.start), min(s.stop, part.stop)) for s in self.stretches]
        return [steps for steps in cut if steps]

    def last(self, steps: Array, count: int) -> Array:
        """Inputs (..., count n) of the last `count` steps, the newest first; all in one stretch."""
        if count == 1:
            return self.inputs[steps]
        return np.concatenate([self.inputs[steps - lag] for lag in range(count)], axis=-1)

    def judged(self, behind: int) -> Array:
        """Held-out steps that have so many steps of their stretch behind them."""
        return np.concatenate([np.arange(0), *map(np.array, self.within(self.test, behind))]).astype(int)


def forecast(
    values: Array, columns: list[int], ahead: int, held_out: int, stretches: tuple[range, ...] = ()
) -> Course:
    """Course to predict columns of `values` (T, n) `ahead` steps on, unseen from step `held_out` on."""
    targets = values[ahead:, columns].copy()
    inputs = values[: len(targets)].copy()
    pairs = tuple(range(s.start, s.stop - ahead) for s in stretches if len(s) > ahead)
    return Course(inputs, targets, range(held_out - ahead), range(held_out, len(targets)), pairs)


class SeriesTask(Task):
    """Base of the tasks on one series. A subclass defines `series` and `trivial`.

    A training trial gives each lane another window of the training part. The state is zero at
    the start of a window, so its first `washout` steps don't count. The evaluation is the whole
    held-out part, a lane for each stretch without a gap, after `washout` steps that don't count.

    With `taps` the network sees the inputs of so many steps side by side, the present ones first. No window,
    tap or pair of input and target reaches across a gap of the series.

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
    taps: int = option(
        1, "steps whose inputs the network sees side by side, the present one included", least=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.washout >= self.window and not self.carry:
            where = f"{type(self).__name__}.washout"
            raise InvalidValue(where, f"fewer steps than the window of {self.window}", self.washout)

    @property
    @abc.abstractmethod
    def series(self) -> Course:
        """Course of the series with its training and held-out parts."""

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Windows of the training part, one for each lane, drawn or next in turn: (window, lanes, n)."""
        series, where = self.series, type(self).__name__
        stretches = series.within(series.train, self.taps - 1)
        longest = max(map(len, stretches), default=0)
        if self.carry and len(stretches) > 1:
            raise InvalidValue(f"{where}.carry", "False for a series with gaps", True)
        reach = longest // lanes if self.carry else longest
        if self.window > reach:
            gap = "longest stretch without a gap" if len(stretches) > 1 else "training part"
            part = "part of each lane" if self.carry else gap
            raise InvalidValue(f"{where}.window", f"at most the {reach} steps of the {part}", self.window)
        if self.carry:
            first, goes_on = self._place(index, reach)
            firsts = stretches[0].start + reach * np.arange(lanes) + first
        else:
            counts = np.cumsum([0, *(max(0, len(s) - self.window + 1) for s in stretches)])
            drawn, goes_on = rng.integers(counts[-1], size=lanes), False
            chosen = np.searchsorted(counts, drawn, side="right") - 1
            firsts = drawn - counts[chosen] + np.array([s.start for s in stretches])[chosen]
        steps = firsts + np.arange(self.window)[:, None]
        mask = np.ones((self.window, lanes))
        if not goes_on:
            mask[: min(self.washout, self.window - 1)] = 0
        return Trial(series.last(steps, self.taps), series.targets[steps], mask, carry=goes_on)

    def _place(self, index: int, reach: int) -> tuple[int, bool]:
        """First step of a carried window in a part of `reach` steps; True if it goes on from the last."""
        lap, window = divmod(index, reach // self.window)
        return lap % (reach % self.window + 1) + window * self.window, window > 0

    @property
    def behind(self) -> int:
        """Steps of a stretch before the first one that is judged."""
        return self.taps - 1 + self.washout

    @property
    def _judged(self) -> list[range]:
        """Steps that are judged, by stretch; `InvalidValue` without any."""
        judged = self.series.within(self.series.test, self.behind)
        if not judged:
            expected = f"a held-out part with more than the {self.behind} steps of taps and washout in a row"
            raise InvalidValue(f"{type(self).__name__}.series", expected, f"{len(self.series.test)} steps")
        return judged

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out part, a lane a stretch, each after `washout` steps; the same for every `rng`."""
        series, judged = self.series, self._judged
        length = max(map(len, judged))
        steps = np.array([s.start for s in judged]) + np.arange(-self.washout, length)[:, None]
        mask = (np.arange(-self.washout, length)[:, None] >= 0) & (steps < [s.stop for s in judged])
        steps = np.minimum(steps, [s.stop - 1 for s in judged])
        return Trial(series.last(steps, self.taps), series.targets[steps], mask)

    def fitting(self, lanes: int) -> Iterator[tuple[Trial, bool]]:
        """Training part in stretches of about equal length, a lane each; its last fifth apart."""
        series = self.series
        cut = series.train.stop - len(series.train) // TAIL
        for part, apart in ((range(series.train.start, cut), False), (range(cut, series.train.stop), True)):
            judged = series.within(part, self.behind)
            reach = max(-(-sum(map(len, judged)) // lanes), LONG * self.washout)
            pieces = [
                range(first, min(first + reach, s.stop))
                for s in judged
                for first in range(s.start, s.stop, reach)
            ]
            for place in range(0, len(pieces), lanes):
                for trial in self._side_by_side(pieces[place : place + lanes], lanes):
                    yield trial, apart

    def _side_by_side(self, pieces: list[range], lanes: int) -> Iterator[Trial]:
        """Trials of windows that go on from one another, until the longest piece is over."""
        pieces = pieces + [range(pieces[0].start, pieces[0].start)] * (lanes - len(pieces))
        starts, stops = (np.array([getattr(p, name) for p in pieces]) for name in ("start", "stop"))
        series, longest = self.series, max(map(len, pieces))
        for first in range(-self.washout, longest, self.window):
            relative = np.arange(first, min(first + self.window, longest))[:, None]
            steps = np.minimum(starts + relative, np.maximum(stops - 1, starts))
            mask = (relative >= 0) & (starts + relative < stops)
            inputs = series.last(steps, self.taps)
            yield Trial(inputs, series.targets[steps], mask, carry=first > -self.washout)

    def level(self, predictor: Callable[[Array], Array]) -> float:
        """Test loss of a trivial predictor, a function from steps (n,) to outputs (n, n_out)."""
        return _level(self.series, predictor, np.concatenate(self._judged))

    def linear_level(self, lags: int) -> float:
        """Test loss of the linear predictor on the last `lags` inputs, fitted on the training part."""
        return _linear_level(self.series, lags, self.behind)

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


def forecasting(general: Recipe, steps: int) -> Recipe:
    """Recipe with a readout that sees the inputs of `steps` steps, and starts at the linear solution.

    Rates are the highest, of those tried on the weather, at which noise doesn't undo that start.
    """
    return general.replace(
        model=LeakyTanhRNN(hidden=200, recurrent_gain=0.9, skip=True, skip_steps=steps),
        optimizer=Adam(lr=3e-5, readout_lr=3e-6, skip_lr=0.0),
        decorrelation=None,
        readout_start="linear",
        updates=150,
    )


def _level(series: Course, predictor: Callable[[Array], Array], steps: Array) -> float:
    return float(((predictor(steps) - series.targets[steps]) ** 2).mean())


@lru_cache(maxsize=32)
def _linear_level(series: Course, lags: int, behind: int) -> float:
    fit = np.concatenate(series.within(series.train, lags - 1))
    weights = np.linalg.lstsq(lagged(series.inputs, fit, lags), series.targets[fit], rcond=None)[0]
    starts = np.array([stretch.start for stretch in series.stretches])

    def predictor(steps: Array) -> Array:
        first = starts[np.searchsorted(starts, steps, side="right") - 1]
        return np.asarray(lagged(series.inputs, steps, lags, first) @ weights)

    return _level(series, predictor, series.judged(behind))

"""Races to a loss: tasks, ways to learn them in the same loop, and the course of one training."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroanp.errors import Diverged
from neuroanp.gradients import BPTT
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator
from neuroanp.rules import ResponsePerturbation
from neuroanp.tasks import CopyingMemory, DelayedXOR, MackeyGlass, PatternGeneration
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

PLAIN, GOAL = "BPTT", "BPTT, decorrelated"
RESPONSE, NODE, E_PROP = "response perturbation", "node perturbation", "e-prop, learned feedback"
DTYPE = "float32"
EVERY = 5
"""Updates between two tests."""


class Race(NamedTuple):
    """Task and the recipe of each way to learn it."""

    task: Task
    entries: Mapping[str, Recipe]


def _rates(
    task: Task, rule: ResponsePerturbation, bptt: Mapping[str, Any], decorrelated: Mapping[str, Any],
    response: Mapping[str, Any], node: Mapping[str, Any],
) -> Race:  # fmt: skip
    """Race of tanh networks; each way has its own changes of the recipe's optimizer and decorrelation."""
    best = task.recipe("best")

    def changed(rule: Any, changes: Mapping[str, Any]) -> Recipe:
        optimizer = dict(changes)
        rate = optimizer.pop("decorrelation", 0.0)
        matrix = best.decorrelation and best.decorrelation.replace(rate=rate) if rate else None
        return best.replace(rule=rule, decorrelation=matrix, optimizer=best.optimizer.replace(**optimizer))

    entries = {
        PLAIN: changed(BPTT(), bptt),
        GOAL: changed(BPTT(), decorrelated),
        RESPONSE: changed(rule, response),
        NODE: changed(best.rule.replace(distribution="sign"), node),
    }
    return Race(task, entries)


def _spikes(task: Task, bptt: Mapping[str, Any], lanes: int) -> Race:
    """Race of spiking networks, whose recipes have no decorrelation."""
    node, e_prop = task.recipe("node"), task.recipe("best")
    gradient = node.replace(
        rule=BPTT(), modulator=Modulator(), lanes=lanes, optimizer=node.optimizer.replace(**bptt)
    )
    decorrelated = gradient.replace(decorrelation=Decorrelation(rate=0.01))
    return Race(task, {PLAIN: gradient, GOAL: decorrelated, E_PROP: e_prop, NODE: node})


def _mackey_glass() -> Race:
    d = {"decorrelation": 0.01}
    return _rates(MackeyGlass(), ResponsePerturbation(sigma=0.01, distribution="sign"), {}, d, d, d)


def _copying() -> Race:
    same = {"lr": 2e-3, "readout_lr": 6e-2, "b1": 0.8}
    d = same | {"decorrelation": 0.06}
    rule = ResponsePerturbation(sigma=0.001, lags=10, distribution="sign")
    return _rates(CopyingMemory(), rule, same, d, d, d)


RACES: dict[str, Callable[[], Race]] = {
    "mackey-glass": _mackey_glass,
    "copying, medium": _copying,
    "delayed-xor": lambda: _spikes(DelayedXOR(), {"lr": 2e-3}, 128),
    "pattern-generation": lambda: _spikes(PatternGeneration(), {}, 1),
}
"""By name. Rates, of all ways alike, are those of a small grid that get furthest on seeds 0 to 2."""


class Course(NamedTuple):
    """Loss on unseen trials in a training, over updates and seconds, tests left out."""

    start: float
    """Seconds to make the trainer: network, library or JAX, first weights."""
    updates: NDArray[np.int64]
    """Updates before each test."""
    seconds: NDArray[np.float64]
    """Seconds of all updates before each test."""
    first: float
    """Seconds of the first update over those of the usual one, in which JAX compiles."""
    losses: NDArray[np.float64]

    def seconds_to(self, loss: float, alone: bool) -> float:
        """Seconds to a loss, from the start or of the updates alone; not a number where it isn't reached."""
        reached = np.flatnonzero(self.losses <= loss)
        if not len(reached):
            return float("nan")
        return float(self.seconds[reached[0]]) + (-self.first if alone else self.start)


def course(race: str, entry: str, seed: int, updates: int | None = None) -> Course:
    """Course of one training on all cores; to be called in a process of its own.

    Parameters
    ----------
    race, entry : str
        Names in `RACES` and in its entries.
    seed : int
    updates : int, optional
        The recipe's when left out.
    """
    task, entries = RACES[race]()
    recipe = entries[entry] if updates is None else entries[entry].replace(updates=updates)
    begin = time.perf_counter()
    trainer = Trainer(task, recipe, seed=seed, dtype=DTYPE, tests=max(1, recipe.updates // EVERY))
    start = time.perf_counter() - begin
    try:
        run = trainer.run(progress=False)
    except Diverged as error:
        run = error.run
    history = run.history
    seconds, tests = np.array(history["seconds"]), np.array(history["test_update"], int)
    each = np.diff(seconds, prepend=0.0)
    return Course(
        start, tests, seconds[tests - 1], float(each[0] - np.median(each)), np.array(history["test_loss"])
    )

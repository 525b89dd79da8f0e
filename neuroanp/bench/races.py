"""Races to a loss: tasks, ways to learn them in the same loop, and the course of one training."""

from __future__ import annotations

import time
from collections.abc import Callable
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

PLAIN, DECORRELATED = "BPTT", "BPTT, decorrelated"
REFERENCE = "BPTT, decorrelated: the reference"
"""Its final loss is what is raced to."""

RESPONSE, NODE, E_PROP = "response perturbation", "node perturbation", "e-prop, learned feedback"
DTYPE = "float32"
EVERY = 5
"""Updates between two tests."""


class Race(NamedTuple):
    """Task, and the recipes of each way to learn it.

    Attributes
    ----------
    task : Task
    entries : dict
        Recipe of each way that gets to ten times the reference's loss in the fewest updates.
    late : dict
        Those that get further, for the losses below.
    """

    task: Task
    entries: dict[str, Recipe]
    late: dict[str, Recipe]


def _with(recipe: Recipe, decorrelation: float = 0.0, updates: int | None = None, **rates: Any) -> Recipe:
    """Recipe with these rates, without decorrelation where there is none."""
    return recipe.replace(
        optimizer=recipe.optimizer.replace(**rates),
        decorrelation=Decorrelation(rate=decorrelation) if decorrelation else None,
        updates=updates or recipe.updates,
    )


def _rules(recipe: Recipe, response: ResponsePerturbation) -> dict[str, Recipe]:
    """Recipe of tanh networks by each rule."""
    rules = {
        PLAIN: BPTT(), DECORRELATED: BPTT(), RESPONSE: response,
        NODE: recipe.rule.replace(distribution="sign"),
    }  # fmt: skip
    return {name: recipe.replace(rule=rule) for name, rule in rules.items()}


def _mackey_glass() -> Race:
    task = MackeyGlass()
    best = task.recipe("best")
    ways = _rules(best, ResponsePerturbation(sigma=0.01, lags=30, distribution="sign"))
    soon = {
        REFERENCE: best.replace(rule=BPTT()),
        PLAIN: _with(ways[PLAIN], 0.0, 300, lr=9e-3),
        DECORRELATED: _with(ways[DECORRELATED], 0.04, 300),
        RESPONSE: _with(ways[RESPONSE], 0.04, 300, lr=9e-3),
        NODE: _with(ways[NODE], 0.04, lr=9e-3),
    }
    late = {
        PLAIN: _with(ways[PLAIN], lr=9e-3),
        DECORRELATED: _with(ways[DECORRELATED], 0.04, lr=9e-3),
        RESPONSE: _with(ways[RESPONSE], 0.04, lr=9e-3),
    }
    return Race(task, soon, soon | late)


def _copying() -> Race:
    task = CopyingMemory()
    best = task.recipe("best")
    response = ResponsePerturbation(sigma=0.001, lags=15, distribution="sign")
    ways = _rules(best, response)
    rates: dict[str, Any] = {"lr": 2e-3, "readout_lr": 6e-2, "b1": 0.8}
    low = rates | {"lr": 5e-4}
    soon = {
        REFERENCE: _with(best.replace(rule=BPTT()), 0.02, lr=3e-3),
        PLAIN: _with(ways[PLAIN], 0.0, 200, **rates),
        DECORRELATED: _with(ways[DECORRELATED], 0.06, 200, **rates),
        RESPONSE: _with(ways[RESPONSE].replace(rule=response.replace(lags=10)), 0.12, 200, b2=0.97, **rates),
        NODE: _with(ways[NODE], 0.06, 200, **rates),
    }
    late = {
        PLAIN: _with(ways[PLAIN], lr=3e-3),
        DECORRELATED: _with(ways[DECORRELATED], 0.06, **rates | {"lr": 1e-3}),
        RESPONSE: _with(ways[RESPONSE], 0.06, **low),
        NODE: _with(ways[NODE], 0.06, **low),
    }
    return Race(task, soon, soon | late)


def _spikes(task: Task, lanes: int, **rates: Any) -> Race:
    """Race of spiking networks; the rates are of BPTT, those of the rules are the recipes'."""
    node = task.recipe("node")
    gradient = _with(node.replace(rule=BPTT(), modulator=Modulator(), lanes=lanes), **rates)
    entries = {
        REFERENCE: _with(gradient, 0.01), PLAIN: gradient, E_PROP: task.recipe("best"), NODE: node,
    }  # fmt: skip
    return Race(task, entries, entries)


RACES: dict[str, Callable[[], Race]] = {
    "mackey-glass": _mackey_glass,
    "copying, medium": _copying,
    "delayed-xor": lambda: _spikes(DelayedXOR(), 128, lr=2e-3),
    "pattern-generation": lambda: _spikes(PatternGeneration(), 1, lr=8e-3),
}
"""By name. Recipes are the best of a grid on seeds 0 to 2, by the updates to these losses: for BPTT and our
rules alike, two to four rates of hidden weights, two of the readout, of decorrelation and of each of Adam's
memories, and up to three numbers of updates.
"""


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


def course(race: str, recipe: Recipe, seed: int) -> Course:
    """Course of one training on all cores; to be called in a process of its own.

    Parameters
    ----------
    race : str
        Name in `RACES`.
    recipe : Recipe
    seed : int
    """
    task = RACES[race]().task
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

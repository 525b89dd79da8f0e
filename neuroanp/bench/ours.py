"""The update that is measured: node perturbation of tanh units on a copying trial that stays the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from neuroanp.config import registry
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.rules import NodePerturbation
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

LR = 1e-4
SIGMA = 0.01
STEPS = 210
SYMBOLS = 10
DELAY = 10


class Given(Task):
    """One trial for ever, drawn before anything is timed.

    Parameters
    ----------
    given : Trial
    carry : bool
        Whether each trial after the first goes on from the one before, as windows of a long series do.
    """

    name = "given"
    score_name = "loss"

    given: Trial
    carry: bool = False

    @property
    def n_in(self) -> int:
        return int(self.given.inputs.shape[2])

    @property
    def n_out(self) -> int:
        return int(self.given.targets.shape[2])

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        return dataclasses.replace(self.given, carry=True) if self.carry and index else self.given

    def evaluation(self, rng: np.random.Generator) -> Trial:
        return self.given

    def score(self, outputs: Array, trial: Trial) -> float:
        return loss(outputs, trial)


def copying(steps: int, lanes: int) -> Trial:
    """A trial of copying memory of about so many steps: symbols, a delay of 10, and the symbols again."""
    task = registry.find("task", "copying-memory")
    made = task(alphabet=SYMBOLS, length=max(1, (steps - DELAY) // 2), delay=DELAY)
    trial: Trial = made.trial(np.random.default_rng(0), lanes)
    return trial


def training(
    hidden: int,
    trial: Trial,
    dtype: str,
    *,
    carry: bool = False,
    engine: str = "compiled",
    distribution: Literal["gaussian", "sign"] = "gaussian",
) -> Trainer:
    """Mirrored node perturbation with a delta-rule readout and Adam, without decorrelation.

    Parameters
    ----------
    hidden : int
    trial : Trial
    dtype : {"float32", "float64"}
    carry : bool
        See `Given`.
    engine : str
    distribution : {"gaussian", "sign"}
        Of the noise.
    """
    recipe = Recipe(
        model=registry.find("model", "tanh")(hidden=hidden, readout_gain=1.0),
        rule=NodePerturbation(sigma=SIGMA, readout="delta", distribution=distribution),
        optimizer=Adam(lr=LR, anneal="none"),
        decorrelation=None,
        lanes=trial.lanes,
        updates=1,
    )
    return Trainer(Given(given=trial, carry=carry), recipe, engine=engine, dtype=dtype)


def stepping(made: Trainer) -> Callable[[], float]:
    """A function that makes the next update and returns its loss; the trials are there before."""
    first, later = made.trial(0), made.trial(1)
    done = iter(range(2**62))

    def update() -> float:
        k = next(done)
        return made.learn(later if k else first, k)

    return update


def seen(trial: Trial, dtype: Any) -> tuple[Array, Array]:
    """Inputs, with the 1 that the bias sees, and targets, as the network has them."""
    inputs = np.pad(trial.inputs, ((0, 0), (0, 0), (0, 1)), constant_values=1)
    return inputs.astype(dtype), trial.targets.astype(dtype)


def size(hidden: int, lanes: int, dtype: str, steps: int = STEPS, unit: str = "units") -> str:
    """How the table writes the size of a network and its trial."""
    return f"{hidden} {unit}, {lanes} {'lane' if lanes == 1 else 'lanes'}, {dtype}, {steps} steps"


def generator() -> np.random.Generator:
    """What weights are drawn from."""
    return np.random.default_rng(0)

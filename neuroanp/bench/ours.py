"""The update that is measured: node perturbation of tanh units on a copying trial that stays the same."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from neuroanp.engine.threads import using
from neuroanp.models import TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

LR = 1e-4
SIGMA = 0.01
STEPS = 210
SYMBOLS = 10
DELAY = 10


class FixedTrial(Task):
    """One trial for ever, drawn before anything is timed.

    Parameters
    ----------
    fixed : Trial
    carry : bool
        Each trial after the first goes on from the one before, as windows of a long series do.
    """

    name = "fixed-trial"
    score_name = "loss"

    fixed: Trial
    carry: bool = False

    @property
    def n_in(self) -> int:
        return int(self.fixed.inputs.shape[2])

    @property
    def n_out(self) -> int:
        return int(self.fixed.targets.shape[2])

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        return dataclasses.replace(self.fixed, carry=True) if self.carry and index else self.fixed

    def evaluation(self, rng: np.random.Generator) -> Trial:
        return self.fixed

    def score(self, outputs: Array, trial: Trial) -> float:
        return loss(outputs, trial)


def copying(steps: int, lanes: int) -> Trial:
    """A trial of copying memory of about so many steps: symbols, a delay of 10, and the symbols again."""
    task = CopyingMemory(alphabet=SYMBOLS, length=max(1, (steps - DELAY) // 2), delay=DELAY)
    return task.trial(np.random.default_rng(0), lanes)


def training(
    hidden: int,
    trial: Trial,
    dtype: str,
    *,
    carry: bool = False,
    engine: str = "compiled",
    distribution: Literal["gaussian", "sign"] = "gaussian",
    threads: int | None = 1,
    **settings: Any,
) -> Trainer:
    """Mirrored node perturbation with a delta-rule readout and Adam, without decorrelation.

    Parameters
    ----------
    hidden : int
    trial : Trial
    dtype : {"float32", "float64"}
    carry : bool
        See `FixedTrial`.
    engine : str
    distribution : {"gaussian", "sign"}
        Of the noise.
    threads : int, optional
        None for one on each core.
    **settings
        Others of the trainer.
    """
    recipe = Recipe(
        model=model(hidden),
        rule=NodePerturbation(sigma=SIGMA, readout="delta", distribution=distribution),
        optimizer=Adam(lr=LR, anneal="none"),
        decorrelation=None,
        lanes=trial.lanes,
        updates=1,
    )
    return Trainer(
        FixedTrial(fixed=trial, carry=carry), recipe, engine=engine, dtype=dtype, threads=threads, **settings
    )


def model(hidden: int) -> TanhRNN:
    """Network that is trained."""
    return TanhRNN(hidden=hidden, readout_gain=1.0)


def stepping(session: Trainer) -> Callable[[], float]:
    """A function that makes the next update and returns its loss; the trials are there before."""
    first, later = session.trial(0), session.trial(1)
    indices = itertools.count()

    def update() -> float:
        index = next(indices)
        with using(session.threads):
            return session.learn(later if index else first, index)

    return update


def arrays(trial: Trial, dtype: Any) -> tuple[Array, Array]:
    """Inputs, with the 1 that the bias sees, and targets, as the network has them."""
    inputs = np.pad(trial.inputs, ((0, 0), (0, 0), (0, 1)), constant_values=1)
    return inputs.astype(dtype), trial.targets.astype(dtype)


def size(hidden: int, lanes: int, dtype: str, steps: int = STEPS, unit: str = "units") -> str:
    """Size of a network and its trial, as the table writes it."""
    return f"{hidden} {unit}, {lanes} {'lane' if lanes == 1 else 'lanes'}, {dtype}, {steps} steps"


def generator() -> np.random.Generator:
    """Generator that weights are drawn from."""
    return np.random.default_rng(0)

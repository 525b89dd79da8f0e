"""`Task`: trials of a network, their score, and trivial predictors."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from brian2 import ms

from neuroanp.config.naming import ClassName
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.network.plant import Plant
from neuroanp.network.trial import Trial
from neuroanp.training.recipe import PRESETS, Recipe
from neuroanp.types import Array

UNSEEN = 256
"""Lanes of an evaluation, where a task doesn't say otherwise."""


class Task(Part):
    """Base of all tasks.

    A task is one file. It defines at least `n_in`, `n_out` and `trial`.

    Attributes
    ----------
    name : str
        Name in the shell.
    score_name : str
        Quantity that `score` gives, e.g. ``"fraction of symbols right"``.
    higher_is_better : bool
        Direction of `score`.
    presets : tuple of str
        Names of its recipes, the default one first.
    dt : Quantity
        Length of one step.
    """

    registered_as: ClassVar[str] = "task"
    name: ClassVar[str] = ClassName()  # type: ignore[assignment]
    score_name: ClassVar[str] = "part of the target's variance explained"
    higher_is_better: ClassVar[bool] = True
    presets: ClassVar[tuple[str, ...]] = PRESETS
    dt: ClassVar[Any] = 1 * ms

    @property
    def loss(self) -> str | None:
        """Loss of one output at one step, an expression of ``y`` and ``target``; None for the model's."""
        return None

    @property
    def judged_by(self) -> str:
        """``"loss"`` or ``"score"``, compared with trivial predictors: score where loss isn't an error."""
        return "loss"

    @property
    @abc.abstractmethod
    def n_in(self) -> int:
        """Number of inputs."""

    @property
    @abc.abstractmethod
    def n_out(self) -> int:
        """Number of outputs."""

    @property
    def plant(self) -> Plant | None:
        """World that the network acts on, for a task in closed loop."""
        return None

    @abc.abstractmethod
    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Training trial of `lanes` lanes; `index` counts the trials of tasks whose trials are in order."""

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Unseen trials that the result is judged on, as lanes of one trial; 256 fresh ones."""
        return self.trial(rng, UNSEEN)

    def fitting(self, lanes: int) -> Iterator[tuple[Trial, bool]]:
        """Whole training part in trials of `lanes` lanes, to fit a linear readout to; none for most tasks.

        True comes with trials that the penalty is chosen on, in a part of their own: the last fifth.
        """
        return iter(())

    def score(self, outputs: Array, trial: Trial) -> float:
        """Score of readouts (T, L, n_out) of an evaluation trial."""
        counted = np.asarray(trial.mask) > 0
        return 1.0 - loss(outputs, trial) / float(trial.targets[counted].var(axis=0).mean())

    def trivial(self) -> dict[str, float]:
        """Test loss of each trivial predictor, computed on the same data, by name; that of zero output."""
        trial = self.evaluation(np.random.default_rng(0))
        return {"zero": loss(np.zeros_like(trial.targets), trial)}

    def trivial_scores(self) -> dict[str, float]:
        """`score` of trivial predictors, by name, for tasks that know them."""
        return {}

    def final_score(self, score: float, before: Sequence[float]) -> float:
        """Score of a run, from that of its end and those of the evaluations `before`."""
        return score

    def recipe(self, preset: str) -> Recipe:
        """Settings that the task is trained with, by preset; the general ones."""
        return Recipe.general(preset)


def loss(outputs: Array, trial: Trial) -> float:
    """Mean over outputs, lanes and counted steps of the squared error.

    Parameters
    ----------
    outputs : (T, L, n_out) array
    trial : Trial
    """
    mask = np.asarray(trial.mask)
    error = ((outputs - trial.targets) ** 2).mean(axis=2)
    return float((error * mask).sum() / mask.sum())


LAST = 10
"""Evaluations that a run is judged by."""


class PlantTask(Task):
    """Base of the tasks in which a network acts on a plant; a subclass gives `plant` and `trivial`.

    A trial is the first states of its episodes. The score is the mean number of the plant's steps until the
    end of an episode.

    Parameters
    ----------
    episodes : int
        Unseen episodes to judge on.
    """

    score_name = "steps until the end of an episode"

    episodes: int = option(20, "unseen episodes to judge on", least=1)

    @property
    @abc.abstractmethod
    def plant(self) -> Plant: ...

    @property
    def judged_by(self) -> str:
        return "score"

    @property
    def n_in(self) -> int:
        return len(self.plant.observations)

    @property
    def n_out(self) -> int:
        return len(self.plant.actions)

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """One episode in each lane."""
        plant = self.plant
        steps = plant.longest * plant.steps_each(self.dt)
        empty = np.zeros((steps, lanes, self.n_in)), np.zeros((steps, lanes, self.n_out))
        return Trial(*empty, plant=plant.draw_start(rng, lanes))

    def evaluation(self, rng: np.random.Generator) -> Trial:
        return self.trial(rng, self.episodes)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Mean number of the plants' steps, the last of an episode included."""
        steps = np.asarray(trial.mask)[:: self.plant.steps_each(self.dt)]
        return float(steps.sum(axis=0).mean())

    def final_score(self, score: float, before: Sequence[float]) -> float:
        """Mean over the last ten evaluations, so that success has to last to the end."""
        return float(np.mean((before or [score])[-LAST:]))

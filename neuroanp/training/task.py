"""`Task` and `Trial`: what is asked of a network, and when it counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from brian2 import ms

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.network.plant import Plant
from neuroanp.network.trial import Trial
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """Base of all tasks: a frozen dataclass whose fields are its options.

    A task is one file. It defines `n_in`, `n_out`, `trial`, `evaluation`, `score` and `trivial`.

    Attributes
    ----------
    name : str
        Name in the shell.
    score_name : str
        What `score` measures, e.g. ``"fraction of symbols right"``.
    higher_is_better : bool
        Direction of `score`.
    presets : tuple of str
        Names of its recipes, the default one first.
    dt : Quantity
        Length of one step.
    """

    name: ClassVar[str]
    score_name: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    presets: ClassVar[tuple[str, ...]] = ("best", "published")
    dt: ClassVar[Any] = 1 * ms

    @property
    def loss(self) -> str | None:
        """Loss of one output at one step, an expression of ``y`` and ``target``; None for the model's."""
        return None

    @property
    def judged_by(self) -> str:
        """Whether `loss` or `score` is compared with trivial predictors: score where loss isn't an error."""
        return "loss"

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        raise TypeError(f"{type(self).__name__} does not define n_in")

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        raise TypeError(f"{type(self).__name__} does not define n_out")

    @property
    def plant(self) -> Plant | None:
        """What the network acts on, for a task in closed loop."""
        return None

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Draw one training trial of `lanes` lanes.

        `index` is the number of the trial in the run; only tasks whose trials go on from one another look
        at it.
        """
        raise TypeError(f"{type(self).__name__} does not define trial")

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """The unseen trials that the result is judged on, as lanes of one trial."""
        raise TypeError(f"{type(self).__name__} does not define evaluation")

    def score(self, outputs: Array, trial: Trial) -> float:
        """Judge readouts (T, L, n_out) of an evaluation trial."""
        raise TypeError(f"{type(self).__name__} does not define score")

    def trivial(self) -> dict[str, float]:
        """Test loss of each trivial predictor, computed on the same data, by name."""
        raise TypeError(f"{type(self).__name__} does not define trivial")

    def trivial_scores(self) -> dict[str, float]:
        """`score` of trivial predictors, by name, for tasks that know them."""
        return {}

    def final_score(self, score: float, before: Sequence[float]) -> float:
        """Score of a run: that of its end, or what else follows from the scores `before`, test by test."""
        return score

    @classmethod
    def recipe(cls, preset: str) -> dict[str, Any]:
        """Arguments of `neuroanp.train` in which a preset of the task differs from the general one."""
        return {}


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
"""Tests that a run is judged by."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlantTask(Task):
    """Base of the tasks in which a network acts on a plant; a subclass gives `plant` and `trivial`.

    There are no inputs and targets to show: a trial is the states that its episodes start in. The score is
    the mean number of the plant's steps until the end of an episode.

    Parameters
    ----------
    episodes : int
        Unseen episodes to judge on.
    """

    score_name = "steps until the end of an episode"

    episodes: int = option(20, "unseen episodes to judge on")

    def __post_init__(self) -> None:
        checks.whole(self, 1, "episodes")

    @property
    def plant(self) -> Plant:
        raise TypeError(f"{type(self).__name__} does not define plant")

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
        """Start one episode in each lane."""
        plant = self.plant
        steps = plant.longest * plant.steps_each(self.dt)
        empty = np.zeros((steps, lanes, self.n_in)), np.zeros((steps, lanes, self.n_out))
        return Trial(*empty, plant=plant.start(rng, lanes))

    def evaluation(self, rng: np.random.Generator) -> Trial:
        return self.trial(rng, self.episodes)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Mean number of steps that plants made, the last of an episode included."""
        made = np.asarray(trial.mask)[:: self.plant.steps_each(self.dt)]
        return float(made.sum(axis=0).mean())

    def final_score(self, score: float, before: Sequence[float]) -> float:
        """Mean over the last ten tests, so that success has to be held to the end."""
        return float(np.mean([*before, *([] if before else [score])][-LAST:]))

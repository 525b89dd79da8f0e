"""`PlantTask`: a task in closed loop, made of a plant."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from neuroanp import checks
from neuroanp.options import option
from neuroanp.plant import Plant
from neuroanp.task import Array, Task, Trial

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

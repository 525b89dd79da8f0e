"""A trainer that simulates nothing, whose losses are a formula of its settings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroanp.config import document
from neuroanp.training.evaluation import evaluations
from neuroanp.training.loop import Step
from neuroanp.training.result import RESULT_KEYS
from neuroanp.training.run import Run


class Formula:
    """Trainer of a recipe with a sigma and a learning rate; its test loss falls with the updates."""

    def __init__(self, task: Any, recipe: Any, seed: int, tests: int, build: Any, **others: Any) -> None:
        self.task, self.recipe, self.seed = task, recipe, seed
        self.config = document.describe(task=task, recipe=recipe, seed=seed, tests=tests, **others)
        self.due = evaluations(recipe.updates, tests)
        names = ("update", "loss", "seconds", "test_update", "test_loss", "test_score")
        self.state = _State({name: [] for name in names})

    def loss(self, update: int) -> float:
        miss = abs(math.log(self.recipe.rule.sigma / 0.02)) + abs(math.log(self.recipe.optimizer.lr / 0.01))
        return (1 + miss) * (0.5 + 1 / (1 + update)) + 0.01 * math.sin(100 * self.seed + update)

    def __iter__(self) -> Any:
        history = self.state.history
        while self.state.update < self.recipe.updates:
            self.state.update += 1
            update, loss = self.state.update, self.loss(self.state.update)
            for name, value in (("update", update), ("loss", loss), ("seconds", 0.001 * update)):
                history[name].append(value)
            if update in self.due:
                for name, value in (("test_update", update), ("test_loss", loss), ("test_score", -loss)):
                    history[name].append(value)
            yield Step(update, loss, None)

    def result(self) -> Run:
        loss = self.loss(self.state.update)
        result = dict.fromkeys(RESULT_KEYS) | {
            "task": "formula", "seed": self.seed, "updates": self.state.update, "seconds": 0.001,
            "trivial": {}, "trivial_scores": {}, "test_loss": loss, "score": -loss,
        }  # fmt: skip
        history = {name: np.array(values) for name, values in self.state.history.items()}
        return Run(self.config, result, history, weights={"W_out": np.zeros((1, 1))})


class _State:
    def __init__(self, history: dict[str, list[Any]]) -> None:
        self.update, self.history = 0, history

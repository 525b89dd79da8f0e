"""A trainer from a task, a recipe and what a test wants otherwise."""

from __future__ import annotations

from typing import Any

from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

OF_TRAINER = ("seed", "engine", "dtype", "tests")


def trainer(task: Task, recipe: Recipe, /, **changes: Any) -> Trainer:
    """A trainer with seed 1 on the compiled engine; `changes` are of the recipe or of the trainer."""
    settings = {"seed": 1, "engine": "compiled"}
    settings |= {name: changes.pop(name) for name in OF_TRAINER if name in changes}
    return Trainer(changes.pop("task", task), recipe.replace(**changes), **settings)

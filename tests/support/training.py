"""A trainer from a task, a recipe and what a test wants otherwise."""

from __future__ import annotations

from typing import Any

from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

OF_TRAINER = ("seed", "engine", "dtype", "tests", "jax")


def trainer(task: Task, recipe: Recipe, /, **changes: Any) -> Trainer:
    """A trainer with seed 1, compiled and tested at the end alone; `changes` are of it or its recipe."""
    settings = {"seed": 1, "engine": "compiled", "tests": 0}
    settings |= {name: changes.pop(name) for name in OF_TRAINER if name in changes}
    return Trainer(changes.pop("task", task), recipe.replace(**changes), **settings)

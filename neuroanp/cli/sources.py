"""Settings that a command line starts from: those of a task's preset, of a run, or of a file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from neuroanp import storage
from neuroanp.config import document, registry
from neuroanp.config.part import options
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.task import Task
from neuroanp.training.train import recipe_of

SETTINGS = ("seed", "tests", "engine", "dtype", "jax")
"""Options that a config has beside its task and recipe."""


def sources(
    name: str | None, preset: str | None, config: Path | None, run: Run | None = None
) -> tuple[dict[str, Any], Task, Recipe]:
    """Other settings, task and recipe before any option: a file's, a run's or a preset's.

    Raises
    ------
    UnknownName, InvalidValue, DataError
        For a task or preset that doesn't exist, and a file of something else.
    """
    if run is not None:
        task = run.task if name in (None, run.task.name) else registry.find("task", str(name))()
        return {}, task, recipe_of(task, preset, run)
    if config is None:
        task = registry.find("task", str(name))()
        if preset is not None and preset not in task.presets:
            raise UnknownName("--preset", preset, list(task.presets))
        return {}, task, Recipe.of(task, preset)
    stored = document.restore(storage.read_json(config))
    task, recipe = stored.pop("task", None), stored.pop("recipe", None)
    if not isinstance(task, Task) or not isinstance(recipe, Recipe) or name not in (None, task.name):
        expected = f"a task and a recipe, of {name}" if name else "a task and a recipe"
        raise InvalidValue("--config", expected, getattr(task, "name", "none"))
    for other in stored:
        if other not in SETTINGS:
            raise UnknownName("--config: setting", other, ["task", "recipe", *SETTINGS])
    return stored, task, recipe


def in_full(words: list[str], task: Task, others: Collection[str]) -> list[str]:
    """Words with the options as they are named: ``--task.ahead`` for ``--ahead``, ``--a_b`` for ``--a-b``.

    An option of the task may leave out its prefix where none of the recipe and of `others` has its name.
    """
    taken = {*others, *options(Recipe)}
    full = {f"--{name}": f"--task.{name}" for name in options(type(task)) if name not in taken}
    full |= {f"--{name.replace('_', '-')}": f"--{name}" for name in others}
    parts = (word.partition("=") for word in words)
    return [f"{full.get(name, name)}{equals}{value}" for name, equals, value in parts]

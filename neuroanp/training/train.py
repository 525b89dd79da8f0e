"""`train`: a model, a task, and changes of its recipe."""

from __future__ import annotations

from typing import Any

from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.task import Task


def train(
    model: Model | None = None,
    task: Task | None = None,
    *,
    preset: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    dtype: str = "float64",
    tests: int = 20,
    progress: bool = True,
    **changes: Any,
) -> Run:
    """Train a model on a task by perturbation.

    Parameters
    ----------
    model : Model, optional
        The recipe's when left out.
    task : Task
    preset : str, optional
        Name of a recipe of the task; its first when left out.
    seed, engine, dtype, tests
        As in `Trainer`.
    progress : bool
        Show a bar, in a terminal or a notebook.
    **changes
        Changes of the recipe: ``rule``, ``modulator``, ``clip``, ``optimizer``, ``bounds``,
        ``decorrelation``, ``lanes``, ``updates``, as in `Recipe`.

    Raises
    ------
    InvalidValue
        For settings that can't work, before anything is simulated.
    UnknownName
        For a preset that the task doesn't have, and for a setting that a recipe doesn't have.
    Diverged, Interrupted
        As `Trainer.run`.

    Examples
    --------
    >>> run = train(TanhRNN(hidden=50), CopyingMemory(length=3, delay=3), seed=1)     # doctest: +SKIP
    >>> print(run)                                                                    # doctest: +SKIP
    """
    if not isinstance(task, Task):
        raise InvalidValue("train.task", "a task, such as CopyingMemory()", task)
    if model is not None:
        changes["model"] = model
    recipe = Recipe.of(task, preset).replace(**changes)
    return Trainer(task, recipe, seed=seed, engine=engine, dtype=dtype, tests=tests).run(progress)

"""`train`: a model, a task, and changes of its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.training.engines import own_options
from neuroanp.training.jax_options import Jax
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.run_folder import Checkpoints, RunFolder
from neuroanp.training.task import Task
from neuroanp.types import Array


def train(
    model: Model | None = None,
    task: Task | None = None,
    *,
    preset: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    dtype: str = "float64",
    tests: int = 20,
    threads: int | None = None,
    start: Run | Mapping[str, Array] | None = None,
    jax: Jax | None = None,
    out: Path | str | None = None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008
    progress: bool = True,
    **changes: Any,
) -> Run:
    """Train a model on a task by perturbation.

    Parameters
    ----------
    model : Model, optional
        The recipe's when left out.
    task : Task, optional
        That of `start` when left out.
    preset : str, optional
        Name of a recipe of the task; when left out its first, or for the task of `start` that of `start`.
    seed, engine, dtype, tests, threads
        As in `Trainer`.
    start : Run or mapping, optional
        Run whose weights this one goes on from; its model is the default. Or the weights, by the names that
        `Run.weights` has.
    jax : Jax, optional
        Options of engine ``jax``.
    out : Path or str, optional
        Run folder, with `checkpoints` on the way, from which `resume` goes on; nothing is written without.
    checkpoints : Checkpoints
    progress : bool
        Show a bar, in a terminal or a notebook, and a line a minute elsewhere.
    **changes
        Changes of the recipe: ``rule``, ``modulator``, ``clip``, ``optimizer``, ``bounds``,
        ``decorrelation``, ``substrate``, ``lanes``, ``updates``, as in `Recipe`.

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
    run = start if isinstance(start, Run) else None
    if task is None and run is not None:
        task = run.task
    if not isinstance(task, Task):
        raise InvalidValue("train.task", "a task, such as CopyingMemory()", task)
    if model is not None:
        changes["model"] = model
    recipe = recipe_of(task, preset, run).replace(**changes)
    settings = {"engine": engine, "threads": threads} | own_options(engine, jax)
    trainer = Trainer(task, recipe, seed=seed, dtype=dtype, tests=tests, start=start, **settings)
    return trainer.run(progress) if out is None else RunFolder(out, trainer, checkpoints).run(progress)


def recipe_of(task: Task, preset: str | None, start: Run | None) -> Recipe:
    """Recipe of a task, with the model of a run to go on from, or that run's recipe for its own task."""
    if start is None:
        return Recipe.of(task, preset)
    if preset is None and type(task) is type(start.task):
        return start.recipe
    return Recipe.of(task, preset).replace(model=start.recipe.model)

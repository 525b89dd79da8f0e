"""``neuroanp train``: a training and its run folder."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Literal

from neuroanp import storage
from neuroanp.cli.options import add_options, apply, given_choices
from neuroanp.cli.quick import task_name
from neuroanp.cli.saving import run_and_save
from neuroanp.cli.sources import SETTINGS, in_full, sources
from neuroanp.cli.words import Parser, UsageError, given
from neuroanp.config.option import SEEDS, option
from neuroanp.config.part import Part
from neuroanp.config.part import options as options_of
from neuroanp.config.text import first_line
from neuroanp.training.checkpoint import FILE
from neuroanp.training.engines import ENGINES, own_options
from neuroanp.training.jax_options import Jax
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.run_folder import Checkpoints, RunFolder
from neuroanp.training.task import Task


class Training(Part):
    """Options of a run beside its task and recipe."""

    preset: str | None = option(None, "settings to start from, of those that the task has")
    config: Path | None = option(None, "settings to start from: a run's config.json")
    start: Path | None = option(
        None, "run whose settings and weights to start from, for another TASK its model"
    )
    seed: int = option(0, "seed of weights, trials and noise", least=0, most=SEEDS)
    tests: int = option(20, "evaluations on the way; 0 for that at the end alone", least=0)
    engine: ENGINES = option("auto", "what runs the network; jax: updates stay on a GPU, where there is one")
    jax: Jax = option(Jax(), "options of engine jax")
    dtype: Literal["float64", "float32"] = option("float64", "precision of the simulation")
    threads: int | None = option(None, "threads of a training; one for each core when left out", least=1)
    data: Path | None = option(None, "short for --task.data")
    out: Path | None = option(None, "run folder; runs/TASK-SEED-TIME when left out")
    checkpoint: float = option(60.0, "seconds between two checkpoints in the run folder", least=0)
    checkpoint_updates: int | None = option(None, "updates between two checkpoints", least=1)
    json: bool = option(False, "print result.json on one line, last, to stdout")
    quiet: bool = option(False, "no progress and no words, only errors")


def train_command(words: list[str]) -> int:
    """Training that the words after ``neuroanp train`` ask for; returns the exit code."""
    name, words = task_name(words)
    start = _start_options(words)
    run = None if start.start is None else Run.load(start.start)
    stored, task, recipe = sources(name, start.preset, start.config, run)
    start = start.replace(**stored)
    words = in_full(words, task, options_of(Training))
    recipe = apply("", recipe, given_choices(words, "", recipe))
    texts = _parser(start, task, recipe).read(words)
    options = apply("", start, texts)
    if options.data is not None:
        texts["task.data"] = str(options.data.absolute())
    task, recipe = apply("task", task, texts), apply("", recipe, texts)
    out = options.out or _default_folder(task, options.seed)
    if (out / FILE).exists():
        raise UsageError(f"{out} has a training that isn't finished; to go on: neuroanp resume {out}")
    storage.check_folder(out)
    keywords = {name: getattr(options, name) for name in SETTINGS if name != "jax"}
    keywords |= own_options(options.engine, options.jax) | {"threads": options.threads}
    trainer = Trainer(task, recipe, start=run, **keywords)
    checkpoints = Checkpoints(seconds=options.checkpoint, updates=options.checkpoint_updates)
    return run_and_save(RunFolder(out, trainer, checkpoints), options.quiet, options.json)


def _start_options(words: list[str]) -> Training:
    sources = ["preset", "config", "start"]
    options = apply("", Training(), given(words, sources))
    if options.config is not None and options.replace(config=None) != Training():
        raise UsageError("--config gives all settings to start from: use it without --preset and --start")
    return options


def _parser(options: Training, task: Task, recipe: Recipe) -> Parser:
    text = f"{first_line(type(task))}\n\nPresets, the first when none is named: {', '.join(task.presets)}"
    parser = Parser(f"neuroanp train {task.name}", description=text)
    add_options(parser, "", options, without=() if "data" in options_of(type(task)) else ("data",))
    add_options(parser, "", recipe)
    add_options(parser, "task", task)
    return parser


def _default_folder(task: Task, seed: int) -> Path:
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return Path("runs") / f"{task.name}-{seed}-{now}"

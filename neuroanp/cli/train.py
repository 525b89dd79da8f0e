"""``neuroanp train``: a training and its run folder."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Literal

from neuroanp import storage
from neuroanp.cli.options import Parser, UsageError, add_options, apply, given, given_choices, help_asked
from neuroanp.config import document, registry
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.config.part import options as options_of
from neuroanp.config.text import first_line
from neuroanp.errors import Diverged, Interrupted, InvalidValue, UnknownName
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.task import Task

DIVERGED, STOPPED = 1, 130
ADVICE = "in the shell: --optimizer.lr, --optimizer.readout_lr, --decorrelation.rate, --clip.norm"
USAGE = """\
usage: neuroanp train TASK [options]
       neuroanp train --config FILE [options]

Tasks:
{tasks}

`neuroanp train TASK --help` explains the options, which depend on the task."""


class Training(Part):
    """Options of a run beside its task and recipe."""

    preset: str | None = option(None, "settings to start from, of those that the task has")
    config: Path | None = option(None, "settings to start from: a run's config.json")
    seed: int = option(0, "seed of weights, trials and noise", least=0)
    tests: int = option(20, "evaluations on the way; 0 for that at the end alone", least=0)
    engine: Literal["auto", "compiled", "runtime"] = option("auto", "what runs the network")
    dtype: Literal["float64", "float32"] = option("float64", "precision of the simulation")
    data: Path | None = option(None, "short for --task.data")
    out: Path | None = option(None, "run folder; runs/TASK-SEED-TIME when left out")
    json: bool = option(False, "print result.json on one line, last, to stdout")
    quiet: bool = option(False, "no progress and no words, only errors")


def train_command(words: list[str]) -> int:
    """Training that the words after ``neuroanp train`` ask for; returns the exit code."""
    name, words = _task_name(words)
    start = _start_options(words)
    if name is None and start.config is None:
        if not help_asked(words):
            raise UsageError(f"train needs a task: one of {', '.join(registry.classes('task'))}")
        lines = [f"  {name:<22}  {first_line(task)}" for name, task in registry.classes("task").items()]
        print(USAGE.format(tasks="\n".join(lines)))
        return 0
    start, task, recipe = _settings(name, start)
    recipe = apply("", recipe, given_choices(words, "", recipe))
    texts = _parser(start, task, recipe).read(words)
    options = apply("", start, texts)
    if options.data is not None:
        texts["task.data"] = str(options.data.absolute())
    task, recipe = apply("task", task, texts), apply("", recipe, texts)
    out = options.out or _default_folder(task, options.seed)
    storage.check_folder(out)
    keywords = {name: getattr(options, name) for name in ("seed", "tests", "engine", "dtype")}
    return _train(Trainer(task, recipe, **keywords), out, options)


def _task_name(words: list[str]) -> tuple[str | None, list[str]]:
    """Task and the other words; the task comes first, or is the first word that names one."""
    if words and not words[0].startswith("-"):
        return words[0], words[1:]
    names = registry.classes("task")
    place = next((place for place, word in enumerate(words) if word in names), None)
    if place is None:
        return None, words
    return words[place], words[:place] + words[place + 1 :]


def _start_options(words: list[str]) -> Training:
    options = apply("", Training(), given(words, ["preset", "config"]))
    if options.preset is not None and options.config is not None:
        raise UsageError("--preset and --config both give settings to start from: use one of them")
    return options


def _settings(name: str | None, start: Training) -> tuple[Training, Task, Recipe]:
    """Options, task and recipe before any other option: a preset's or a file's."""
    if start.config is None:
        task = registry.find("task", str(name))()
        if start.preset is not None and start.preset not in task.presets:
            raise UnknownName("--preset", start.preset, list(task.presets))
        return start, task, Recipe.of(task, start.preset)
    stored = document.restore(storage.read_json(start.config))
    task, recipe = stored.pop("task", None), stored.pop("recipe", None)
    if not isinstance(task, Task) or not isinstance(recipe, Recipe) or name not in (None, task.name):
        expected = f"a task and a recipe, of {name}" if name else "a task and a recipe"
        raise InvalidValue("--config", expected, getattr(task, "name", "none"))
    return start.replace(**stored), task, recipe


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


def _train(trainer: Trainer, out: Path, options: Training) -> int:
    run: Run | None
    code, content = 0, ""
    try:
        run = trainer.run(progress=not options.quiet)
    except Diverged as error:
        print(f"neuroanp: {error} ({ADVICE})", file=sys.stderr)
        run, code, content = error.run, DIVERGED, "the last good weights are"
    except Interrupted as error:
        print(f"neuroanp: stopped by hand; {error.run}", file=sys.stderr)
        run, code, content = error.run, STOPPED, "what was learned is"
    if run is None:
        print("neuroanp: nothing was saved", file=sys.stderr)
        return code
    run.save(out)
    if code:
        print(f"neuroanp: {content} in {out / 'weights.npz'}", file=sys.stderr)
    elif not options.quiet:
        stream = sys.stderr if options.json else sys.stdout
        print(run, f"figure: {out / 'figure.png'}", sep="\n", file=stream)
    if options.json:
        print(storage.json_line(run.result))
    return code

"""``neuroanp sweep``: many trainings with other settings and seeds, and where they are."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Literal

from neuroanp import storage
from neuroanp.cli.options import add_options, apply, given_choices
from neuroanp.cli.quick import task_name
from neuroanp.cli.sources import in_full, sources
from neuroanp.cli.words import Parser, UsageError, given
from neuroanp.config.option import SEEDS, option
from neuroanp.config.part import Part
from neuroanp.config.part import options as options_of
from neuroanp.config.text import first_line
from neuroanp.errors import Interrupted, InvalidValue
from neuroanp.sweeps.results import Sweep
from neuroanp.sweeps.status import status
from neuroanp.sweeps.sweep import sweep
from neuroanp.training.recipe import Recipe
from neuroanp.training.run_folder import Checkpoints
from neuroanp.training.task import Task

BY_SIGNAL = 128

SAME = (
    "points", "sampler", "pruner", "objective", "direction", "workers", "seed", "ahead", "tests", "engine",
    "dtype",
)  # fmt: skip
"""Options that `neuroanp.sweep` has too."""


class Sweeping(Part):
    """Options of a sweep beside its task and recipe."""

    points: int | None = option(None, "points to try; a grid of listed values has its own", least=1)
    sampler: str | None = option(None, "grid (that of listed values), random, tpe, gp, cma-es or qmc")
    pruner: str | None = option(None, "median, successive-halving or hyperband: end bad points early")
    seeds: str = option("3", "seeds of each point: 5 for 0 to 4, 3,7 for those two")
    report_seeds: str = option(
        "", "seeds for the best point alone, on which nothing is chosen; written as --seeds"
    )
    objective: str | None = option(None, "test_loss, score, train_loss, rate or seconds; that of the task")
    direction: Literal["minimize", "maximize"] | None = option(None, "direction of the objective")
    workers: int | None = option(None, "processes here, one for each core when left out", least=1)
    dask: str | None = option(None, "address of a Dask scheduler, in place of processes here")
    out: Path | None = option(
        None, "file of the sweep, which goes on if it is there; under runs when left out"
    )
    seed: int = option(0, "seed of the points that are proposed", least=0, most=SEEDS)
    ahead: int = option(8, "points begun before the result of an earlier one counts", least=1)
    preset: str | None = option(None, "settings to start from, of those that the task has")
    config: Path | None = option(None, "settings to start from: a run's config.json")
    tests: int | None = option(
        None, "evaluations on the way, for pruners and curves; with a pruner 20", least=0
    )
    engine: Literal["auto", "compiled", "runtime"] = option("auto", "what runs the network")
    dtype: Literal["float64", "float32"] = option("float64", "precision of the simulation")
    data: Path | None = option(None, "short for --task.data")
    checkpoint: float = option(60.0, "seconds between two checkpoints of a training", least=0)
    checkpoint_updates: int | None = option(None, "updates between two checkpoints", least=1)
    json: bool = option(False, "print all results on one line, last, to stdout; draw no figure")
    quiet: bool = option(False, "no progress and no words, only errors")


def sweep_command(words: list[str]) -> int:
    """Sweep that the words after ``neuroanp sweep`` ask for; returns the exit code."""
    if words[:1] == ["status"]:
        return _status(words[1:])
    name, words = task_name(words)
    start = apply("", Sweeping(), given(words, ["preset", "config"]))
    stored, task, recipe = sources(name, start.preset, start.config)
    stored.pop("seed", None)
    start = start.replace(**stored)
    vary, words = _vary(in_full(words, task, (*options_of(Sweeping), "vary")), task)
    recipe = apply("", recipe, given_choices(words, "", recipe))
    texts = _parser(start, task, recipe).read(words)
    options = apply("", start, texts)
    if not vary:
        raise UsageError("expected --vary FIELD=VALUES, such as --vary rule.sigma=0.003,0.01")
    if options.data is not None:
        texts["task.data"] = str(options.data.absolute())
    task, recipe = apply("task", task, texts), apply("", recipe, texts)
    try:
        result = sweep(
            recipe, vary, task=task,
            seeds=_seeds("--seeds", options.seeds),
            report_seeds=_seeds("--report_seeds", options.report_seeds),
            executor=options.dask, out=options.out, progress=not options.quiet,
            checkpoints=Checkpoints(seconds=options.checkpoint, updates=options.checkpoint_updates),
            **{name: getattr(options, name) for name in SAME},
        )  # fmt: skip
    except Interrupted as error:
        by = "by hand" if error.signal == signal.SIGINT else f"by {signal.Signals(error.signal).name}"
        _say(f"neuroanp: stopped {by}; {error.run}")
        _say(f"neuroanp: to go on: the same command with --out {error.run.path}")
        return BY_SIGNAL + error.signal
    return _tell(result, options)


def _tell(result: Sweep, options: Sweeping) -> int:
    if not options.quiet:
        print(result, f"file: {result.path}", sep="\n", file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(storage.json_line(result.summary()))
    elif result.best is not None:
        figure = result.path.with_name(f"{result.path.name}.png")
        result.plot().savefig(figure, dpi=130)
        if not options.quiet:
            print(f"figure: {figure}")
    return 0


def _status(words: list[str]) -> int:
    if len(words) != 1 or words[0].startswith("-"):
        raise UsageError(f"expected the file of a sweep, got {' '.join(words) or 'none'}")
    print(status(Sweep(words[0])))
    return 0


def _vary(words: list[str], task: Task) -> tuple[dict[str, str], list[str]]:
    """Values by field, and the other words; a field of the task may leave out ``task.``."""
    parser = Parser("neuroanp sweep", add_help=False)
    parser.add_argument("--vary", action="append", default=[])
    found, rest = parser.parse_known_args(words)
    vary: dict[str, str] = {}
    for text in found.vary:
        name, equals, values = text.partition("=")
        if not equals or not values:
            raise UsageError(f"--vary: expected FIELD=VALUES, such as rule.sigma=0.003,0.01, got {text!r}")
        name = in_full([f"--{name}"], task, ())[0].removeprefix("--")
        if name in vary:
            raise UsageError(f"--vary: expected each field once, got {name} twice")
        vary[name] = values
    return vary, rest


def _seeds(name: str, text: str) -> tuple[int, ...]:
    """Seeds of a text: 5 for 0 to 4, several with commas for those."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        numbers = tuple(map(int, parts))
    except ValueError:
        raise InvalidValue(name, "a number of seeds, or seeds with commas between", text) from None
    if "," not in text and numbers:
        if not 0 < numbers[0] < 10_000:
            raise InvalidValue(name, "a number of seeds from 1, or seeds with commas (103,)", text)
        return tuple(range(numbers[0]))
    return numbers


def _parser(options: Sweeping, task: Task, recipe: Recipe) -> Parser:
    text = (
        f"{first_line(type(task))}\n\n"
        "--vary FIELD=VALUES, as often as there are fields: any option of task, recipe and parts.\n"
        "Values with commas between make a grid; ranges (0.1:1, log:1e-3:0.3) want --points.\n"
        "The same command with the same --out goes on. neuroanp sweep status FILE, from another shell.\n\n"
        f"Presets, the first when none is named: {', '.join(task.presets)}"
    )
    parser = Parser(f"neuroanp sweep {task.name}", description=text)
    add_options(parser, "", options, without=() if "data" in options_of(type(task)) else ("data",))
    add_options(parser, "", recipe)
    add_options(parser, "task", task)
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr)

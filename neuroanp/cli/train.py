"""``neuroanp train``: from words to a run folder."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroanp import optim
from neuroanp import storage as checkpoint
from neuroanp.cli.options import Parser, UsageError, add_options, apply, like
from neuroanp.config import document as config
from neuroanp.config import registry
from neuroanp.config.text import first_line
from neuroanp.errors import Diverged, Interrupted, InvalidValue, UnknownName
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.training import loop as training
from neuroanp.training import recipe as recipes
from neuroanp.training.run import Run

DIVERGED, STOPPED = 1, 130
NUMBERS = {
    "updates": "weight updates to make",
    "seed": "seed of weights, trials and noise",
    "lanes": "trials simulated side by side for an update",
}
NAMES = {
    "engine": ("what runs the network", ("auto", "compiled", "runtime")),
    "dtype": ("precision of the simulation", ("float64", "float32")),
}
USAGE = """\
usage: neuroanp train TASK [options]
       neuroanp train --config FILE [options]

Tasks:
{tasks}

`neuroanp train TASK --help` explains the options, which depend on the task."""

Settings = dict[str, Any]


def train_command(words: list[str]) -> int:
    """Train what the words after ``neuroanp train`` ask for; returns the exit code."""
    name, words = _task_name(words)
    wants_help = not {"-h", "--help"}.isdisjoint(words)
    choices = vars(_choices().parse_known_args(words)[0])
    if name is None and choices["config"] is None:
        if not wants_help:
            raise UsageError(f"train needs a task: one of {', '.join(registry.tasks())}")
        lines = [f"  {name:<22}  {first_line(task)}" for name, task in registry.tasks().items()]
        print(USAGE.format(tasks="\n".join(lines)))
        return 0
    settings = _start(name, choices)
    parser = _parser(settings)
    if wants_help:
        parser.print_help()
        return 0
    given = parser.read(words)
    settings = _given(settings, given)
    out = Path(given["out"]) if given["out"] is not None else _default_folder(settings)
    checkpoint.check_folder(out)
    return _train(settings, out, as_json=given["json"], quiet=given["quiet"])


def _task_name(words: list[str]) -> tuple[str | None, list[str]]:
    """The task and the other words; the task comes first, or is the first word that names one."""
    if words and not words[0].startswith("-"):
        return words[0], words[1:]
    place = next((place for place, word in enumerate(words) if word in registry.tasks()), None)
    if place is None:
        return None, words
    return words[place], words[:place] + words[place + 1 :]


def _choices(presets: Sequence[str] = ("best",)) -> Parser:
    """What decides on the options there are."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("what is trained")
    group.add_argument(
        "--preset", metavar="|".join(presets), help=f"settings to start from (default: {presets[0]})"
    )
    group.add_argument("--config", metavar="FILE", help="settings to start from: a run's config.json")
    others = {"model": registry.models(), "rule": registry.rules(), "optimizer": _optimizers()}
    for kind, found in others.items():
        group.add_argument(f"--{kind}", metavar="NAME", help=f"another {kind}: {', '.join(found)}")
    return parser


def _optimizers() -> dict[str, type]:
    found = {name.lower(): value for name, value in vars(optim).items() if dataclasses.is_dataclass(value)}
    return {
        name: cls
        for name, cls in found.items()
        if isinstance(cls, type) and "lr" in {field.name for field in dataclasses.fields(cls)}
    }


def _start(name: str | None, choices: Mapping[str, str | None]) -> Settings:
    """The settings before any option: a preset's or a file's, with the parts chosen by name."""
    if choices["config"] is not None:
        if choices["preset"] is not None:
            raise UsageError("--preset and --config both give settings to start from: use one of them")
        settings = config.restore(checkpoint.read_json(choices["config"]))
        found = getattr(settings.get("task"), "name", None)
        if found is None or (name is not None and name != found):
            raise InvalidValue("--config", f"settings of {name or 'a task'}", f"those of {found or 'none'}")
    else:
        task = registry.find("task", str(name))
        offered = recipes.presets(str(name))
        preset = choices["preset"] or offered[0]
        if preset not in offered:
            raise UnknownName("--preset", preset, list(offered))
        settings = {"task": task(), "preset": preset} | recipes.recipe(str(name), preset)
    for kind, find in (("model", _registered), ("rule", _registered), ("optimizer", _optimizer)):
        chosen = choices[kind]
        if chosen is not None:
            settings[kind] = like(find(kind, chosen), settings.get(kind))
    defaults = {key: value.default for key, value in inspect.signature(training.train).parameters.items()}
    return {key: defaults[key] for key in (*NUMBERS, *NAMES)} | settings


def _registered(kind: str, name: str) -> type:
    return registry.find(kind, name)


def _optimizer(kind: str, name: str) -> type:
    if name not in _optimizers():
        raise UnknownName(f"--{kind}", name, list(_optimizers()))
    return _optimizers()[name]


def _parts(settings: Settings) -> dict[str, Any]:
    """What has options of its own, by the prefix of these."""
    parts = {
        name: value
        for name, value in settings.items()
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
    }
    return parts | {"decorrelation": settings.get("decorrelation") or Decorrelation()}


def _parser(settings: Settings) -> Parser:
    task = settings["task"]
    parser = Parser(
        prog=f"neuroanp train {task.name}",
        usage=f"neuroanp train {task.name} [options]",
        description=first_line(type(task)),
        parents=[_choices(recipes.presets(task.name))],
    )
    run = parser.add_argument_group("the run")
    for name, text in NUMBERS.items():
        run.add_argument(f"--{name}", metavar="N", help=f"{text} (default: {settings[name]})")
    for name, (text, values) in NAMES.items():
        run.add_argument(f"--{name}", metavar="|".join(values), help=f"{text} (default: {settings[name]})")
    if "data" in {field.name for field in dataclasses.fields(task)}:
        run.add_argument("--data", metavar="PATH", help="short for --task.data")
    run.add_argument("--no-decorrelation", action="store_true", help="train without decorrelation")
    left = parser.add_argument_group("what is left behind")
    left.add_argument("--out", metavar="FOLDER", help="run folder (default: runs/TASK-SEED-TIME)")
    left.add_argument("--json", action="store_true", help="print result.json on one line, last, to stdout")
    left.add_argument("--quiet", action="store_true", help="no progress and no words, only errors")
    for prefix, value in _parts(settings).items():
        add_options(parser, prefix, value)
    if settings.get("decorrelation") is None:
        parser.epilog = "Decorrelation is off, unless one of its options is given."
    return parser


def _given(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings with all that the shell gave."""
    given = {name: value for name, value in given.items() if value is not None}
    if "data" in given:
        given["task.data"] = str(Path(given["data"]).absolute())
    changed = dict(settings)
    for prefix, value in _parts(settings).items():
        if prefix != "decorrelation" or value is settings.get(prefix) or _mentions(given, prefix):
            changed[prefix] = apply(prefix, value, given)
    if given["no_decorrelation"]:
        if _mentions(given, "decorrelation"):
            raise UsageError("--no-decorrelation and --decorrelation options contradict each other")
        changed["decorrelation"] = None
    for name in NUMBERS:
        if name in given:
            changed[name] = _whole(f"--{name}", given[name])
    for name, (_, values) in NAMES.items():
        if name in given:
            if given[name] not in values:
                raise UnknownName(f"--{name}", given[name], list(values))
            changed[name] = given[name]
    return changed


def _mentions(given: Mapping[str, Any], prefix: str) -> bool:
    return any(name.startswith(f"{prefix}.") for name in given)


def _whole(where: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue(where, "a whole number", text) from None


def _default_folder(settings: Settings) -> Path:
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return Path("runs") / f"{settings['task'].name}-{settings['seed']}-{now}"


def _train(settings: Settings, out: Path, as_json: bool, quiet: bool) -> int:
    try:
        run = training.train(**settings, progress=not quiet)
    except Diverged as error:
        print(f"neuroanp: {error}", file=sys.stderr)
        return _stopped(error.run, out, "the last good weights are", as_json, DIVERGED)
    except Interrupted as error:
        print(f"neuroanp: stopped by hand; {error.run}", file=sys.stderr)
        return _stopped(error.run, out, "what was learned is", as_json, STOPPED)
    run.save(out)
    if not quiet:
        stream = sys.stderr if as_json else sys.stdout
        print(run, file=stream)
        print(f"figure: {out / 'figure.png'}", file=stream)
    if as_json:
        print(checkpoint.json_line(run.result))
    return 0


def _stopped(run: Run | None, out: Path, what: str, as_json: bool, code: int) -> int:
    """Keep what there is of a run that didn't come to its end, and say where."""
    if run is None:
        print("neuroanp: nothing was saved", file=sys.stderr)
        return code
    run.save(out)
    print(f"neuroanp: {what} in {out / 'weights.npz'}", file=sys.stderr)
    if as_json:
        print(checkpoint.json_line(run.result))
    return code

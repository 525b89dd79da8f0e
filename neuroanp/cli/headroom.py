"""``neuroanp headroom``: a task's recipe beside the readout alone, controls and BPTT."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from neuroanp import storage
from neuroanp.cli.options import add_options, apply, given_choices
from neuroanp.cli.quick import HEADROOM, task_name
from neuroanp.cli.seeds import seeds_of
from neuroanp.cli.sources import in_full, sources
from neuroanp.cli.words import Parser, UsageError, given
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.config.part import options as options_of
from neuroanp.verify import headroom


class Measurement(Part):
    """Options of the measurement beside its task and recipe."""

    preset: str | None = option(None, "settings to start from, of those that the task has")
    seeds: str = option("3", "how many, from 100 on, or 100-104, or 100,101")
    engine: Literal["auto", "compiled", "runtime"] = option("auto", "what runs the network")
    dtype: Literal["float64", "float32"] = option("float32", "precision of the simulation")
    out: Path | None = option(None, "JSON file to write all figures to")
    quiet: bool = option(False, "no progress")


def headroom_command(words: list[str]) -> int:
    """Measurement, and its table, printed; returns the exit code."""
    name, words = task_name(words)
    start = apply("", Measurement(), given(words, ["preset"]))
    _, task, recipe = sources(name, start.preset, None)
    words = in_full(words, task, options_of(Measurement))
    recipe = apply("", recipe, given_choices(words, "", recipe))
    parser = Parser(f"neuroanp headroom {task.name}", description=HEADROOM.partition("\n\n")[2])
    add_options(parser, "", start)
    add_options(parser, "", recipe)
    add_options(parser, "task", task)
    texts = parser.read(words)
    options = apply("", start, texts)
    task, recipe = apply("task", task, texts), apply("", recipe, texts)
    if options.out is not None and (options.out.exists() or not options.out.absolute().parent.is_dir()):
        raise UsageError(f"--out: expected a new file in a folder that exists, got {options.out}")
    settings = {"engine": options.engine, "dtype": options.dtype}
    report = headroom(task, recipe, seeds=seeds_of(options.seeds), progress=not options.quiet, **settings)
    print(report)
    if options.out is not None:
        storage.write_json(options.out, report.as_json())
    return 0

"""``neuroanp reproduce``: the paper's experiments, and one HTML report."""

from __future__ import annotations

from pathlib import Path

from neuroanp.cli.options import Parser, UsageError, add_options, apply
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import UnknownName
from neuroanp.gradients import BPTT
from neuroanp.reproduce import Plan, run_all, write_report
from neuroanp.reproduce.experiments import EXPERIMENTS


class Reproduce(Part):
    """Options of the report."""

    quick: bool = option(False, "small sizes and one seed, in about 6 minutes")
    seeds: int | None = option(None, "seeds of every run (default: 5, quick: 1)", least=1)
    weather: Path | None = option(None, "the weather file; left out without it")
    only: tuple[str, ...] = option((), f"of {', '.join(EXPERIMENTS)}")
    processes: int = option(1, "runs at a time", least=1)
    out: Path | None = option(None, "folder of the report; runs/reproduce when left out")


def reproduce_command(words: list[str]) -> int:
    """Make the runs that are missing, then the report; returns the exit code."""
    description = (
        "The experiments of arXiv 2405.08967, as published and our way, in one HTML report. "
        "What is in the folder already is not run again, so that an interrupted report goes on."
    )
    parser = Parser("neuroanp reproduce", description=description)
    add_options(parser, "", Reproduce())
    if not {"-h", "--help"}.isdisjoint(words):
        parser.print_help()
        return 0
    options = apply("", Reproduce(), parser.read(words))
    for name in options.only:
        if name not in EXPERIMENTS:
            raise UnknownName("--only", name, list(EXPERIMENTS))
    if options.weather is not None and not options.weather.is_file():
        raise UsageError(f"--weather: there is no file {options.weather}")
    weather = options.weather and str(options.weather.absolute())
    seeds = options.seeds or (1 if options.quick else 5)
    plan = Plan(quick=options.quick, seeds=seeds, weather=weather, only=options.only)
    BPTT().require_extras()
    out = options.out or Path("runs/reproduce-quick" if options.quick else "runs/reproduce")
    run_all(plan, out, options.processes)
    page = write_report(plan, out, " ".join(["neuroanp reproduce", *words]))
    print(f"report: {page}")
    return 0

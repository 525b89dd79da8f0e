"""``neuroanp reproduce``: the paper's experiments, and one HTML report."""

from __future__ import annotations

from pathlib import Path

from neuroanp.cli.options import read_options
from neuroanp.cli.seeds import seeds_of
from neuroanp.cli.words import UsageError, require_known
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.gradients import BPTT
from neuroanp.reproduce import Plan, run_all, write_report
from neuroanp.reproduce.experiments import EXPERIMENTS
from neuroanp.reproduce.methods import METHODS

DESCRIPTION = (
    "The experiments of arXiv 2405.08967, as published and our way, in one HTML report. "
    "A whole one takes about two hours on two cores. "
    "Runs that are in the folder already are kept, so that an interrupted report goes on."
)


class Reproduce(Part):
    """Options of the report."""

    quick: bool = option(False, "small sizes and one seed, in about 6 minutes")
    seeds: str | None = option(None, "how many, from 100 on, or 100-104, or 100,101 (5; quick: 1)")
    weather: Path | None = option(None, "the weather file; left out without it")
    only: tuple[str, ...] = option((), f"of {', '.join(EXPERIMENTS)}")
    methods: tuple[str, ...] = option((), f"of {', '.join(METHODS)}")
    processes: int = option(1, "runs at a time", least=1)
    out: Path | None = option(None, "folder of the report; runs/reproduce when left out")


def reproduce_command(words: list[str]) -> int:
    """Runs that are missing, then the report; returns the exit code."""
    options = read_options("neuroanp reproduce", Reproduce(), words, DESCRIPTION)
    require_known("--only", options.only, EXPERIMENTS)
    require_known("--methods", options.methods, METHODS)
    if options.weather is not None and not options.weather.is_file():
        raise UsageError(f"--weather: there is no file {options.weather}")
    plan = Plan(
        quick=options.quick,
        seeds=seeds_of(options.seeds or ("1" if options.quick else "5")),
        weather=None if options.weather is None else str(options.weather.absolute()),
        only=options.only,
        methods=options.methods,
    )
    BPTT().require_extras()
    out = options.out or Path("runs/reproduce-quick" if options.quick else "runs/reproduce")
    run_all(plan, out, options.processes)
    page = write_report(plan, out, " ".join(["neuroanp reproduce", *words]))
    print(f"report: {page}")
    return 0

"""``neuroanp reproduce``: the paper's experiments, and one HTML report."""

from __future__ import annotations

import os
from pathlib import Path

from neuroanp.cli.options import Parser, UsageError
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.gradients import BPTT
from neuroanp.reproduce import Plan, run_all, write_report
from neuroanp.reproduce.experiments import EXPERIMENTS

USAGE = "neuroanp reproduce [--quick] [--weather FILE] [--out FOLDER]"


def reproduce_command(words: list[str]) -> int:
    """Make the runs that are missing, then the report; returns the exit code."""
    parser = Parser(
        prog="neuroanp reproduce",
        usage=USAGE,
        description="The experiments of arXiv 2405.08967, as published and our way, in one HTML report. "
        "What is in the folder already is not run again, so that an interrupted report goes on.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and one seed, in about 6 minutes")
    parser.add_argument("--seeds", metavar="N", help="seeds of every run (default: 5, quick: 1)")
    parser.add_argument("--weather", metavar="FILE", help="the weather file; left out without it")
    parser.add_argument("--only", metavar="NAME,...", default="", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--processes", metavar="N", default="1", help="runs at a time (default: 1)")
    parser.add_argument("--out", metavar="FOLDER", help="where it goes (default: runs/reproduce)")
    if not {"-h", "--help"}.isdisjoint(words):
        parser.print_help()
        return 0
    given = parser.read(words)
    only = tuple(name for name in given["only"].split(",") if name)
    for name in only:
        if name not in EXPERIMENTS:
            raise UnknownName("--only", name, list(EXPERIMENTS))
    weather = given["weather"] and str(Path(given["weather"]).absolute())
    if weather and not os.path.isfile(weather):
        raise UsageError(f"--weather: there is no file {given['weather']}")
    seeds = _whole("--seeds", given["seeds"] or ("1" if given["quick"] else "5"))
    plan = Plan(quick=given["quick"], seeds=seeds, weather=weather, only=only)
    _ = BPTT().passes
    out = Path(given["out"] or ("runs/reproduce-quick" if given["quick"] else "runs/reproduce"))
    run_all(plan, out, _whole("--processes", given["processes"]))
    page = write_report(plan, out, " ".join(["neuroanp reproduce", *words]))
    print(f"report: {page}")
    return 0


def _whole(name: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise InvalidValue(name, "a whole number of 1 or more", text)
    return value

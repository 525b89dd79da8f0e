"""``neuroanp reproduce``: the paper's experiments, and one HTML report."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from neuroanp.cli.options import Parser, UsageError
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.gradients import BPTT
from neuroanp.reproduce import Plan, run_all, write_report
from neuroanp.reproduce.experiments import EXPERIMENTS
from neuroanp.reproduce.methods import METHODS

USAGE = "neuroanp reproduce [--quick] [--only NAME,...] [--methods NAME,...] [--weather FILE] [--out FOLDER]"


def reproduce_command(words: list[str]) -> int:
    """Make the runs that are missing, then the report; returns the exit code."""
    parser = Parser(
        prog="neuroanp reproduce",
        usage=USAGE,
        description="The experiments of arXiv 2405.08967, as published and our way, in one HTML report. "
        "What is in the folder already is not run again, so that an interrupted report goes on.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and one seed, in about 6 minutes")
    parser.add_argument(
        "--seeds", metavar="SEEDS", help="how many, 100-104 or 100,101 (default: 5, seeds 0 to 4; quick: 1)"
    )
    parser.add_argument("--weather", metavar="FILE", help="the weather file; left out without it")
    parser.add_argument("--only", metavar="NAME,...", default="", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--methods", metavar="NAME,...", default="", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--processes", metavar="N", default="1", help="runs at a time (default: 1)")
    parser.add_argument("--out", metavar="FOLDER", help="where it goes (default: runs/reproduce)")
    if not {"-h", "--help"}.isdisjoint(words):
        parser.print_help()
        return 0
    given = parser.read(words)
    weather = given["weather"] and str(Path(given["weather"]).absolute())
    if weather and not os.path.isfile(weather):
        raise UsageError(f"--weather: there is no file {given['weather']}")
    plan = Plan(
        quick=given["quick"],
        seeds=_seeds(given["seeds"] or ("1" if given["quick"] else "5")),
        weather=weather,
        only=_names("--only", given["only"], EXPERIMENTS),
        methods=_names("--methods", given["methods"], METHODS),
    )
    _ = BPTT().passes
    out = Path(given["out"] or ("runs/reproduce-quick" if given["quick"] else "runs/reproduce"))
    run_all(plan, out, _whole("--processes", given["processes"]))
    page = write_report(plan, out, " ".join(["neuroanp reproduce", *words]))
    print(f"report: {page}")
    return 0


def _names(option: str, text: str, known: Iterable[str]) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        if name not in known:
            raise UnknownName(option, name, list(known))
    return names


def _seeds(text: str) -> tuple[int, ...]:
    """Seeds of "5" (0 to 4), "100-104" or "100,101"."""
    stretch = re.fullmatch(r"(\d+)-(\d+)", text)
    if stretch and int(stretch[1]) <= int(stretch[2]):
        return tuple(range(int(stretch[1]), int(stretch[2]) + 1))
    if re.fullmatch(r"\d+(,\d+)+", text):
        return tuple(map(int, text.split(",")))
    if re.fullmatch(r"[1-9]\d*", text):
        return tuple(range(int(text)))
    raise InvalidValue("--seeds", "a number of 1 or more, 100-104 or 100,101", text)


def _whole(name: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise InvalidValue(name, "a whole number of 1 or more", text)
    return value

"""``neuroanp bench``: speed and memory on this machine, beside what else could have been used."""

from __future__ import annotations

import sys

from neuroanp.bench.run import measure
from neuroanp.bench.worker import PARTS
from neuroanp.cli.options import Parser, add_options, apply
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import UnknownName

_PARTS = "\n".join(f"  {name:<11}{text}" for name, text in PARTS.items())
USAGE = f"""\
usage: neuroanp bench [--quick] [--json] [--part PART,...]

One table of ratios, ours over another's, with their range over rounds that take turns, on one core:

{_PARTS}

JAX comes with the extra `compare`; the spiking libraries are used where they are installed.

  --quick       fewer sizes and rounds, a few minutes instead of many
  --json        the figures on one line, for machines
  --part PART,...  these parts alone"""


class Bench(Part):
    """Options of the benchmark."""

    quick: bool = option(False, "fewer sizes and rounds")
    json: bool = option(False, "the figures on one line, for machines")
    part: tuple[str, ...] = option((), "these parts alone")


def bench_command(words: list[str]) -> int:
    """Measure and print; returns the exit code."""
    if not {"-h", "--help"}.isdisjoint(words):
        print(USAGE)
        return 0
    parser = Parser("neuroanp bench", add_help=False)
    add_options(parser, "", Bench())
    options = apply("", Bench(), parser.read(words))
    for part in options.part:
        if part not in PARTS:
            raise UnknownName("--part", part, list(PARTS))
    report = measure(options.quick, options.part, _say)
    print(report.json() if options.json else report)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

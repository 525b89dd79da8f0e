"""``neuroanp bench``: speed and memory on this machine, beside what else could have been used."""

from __future__ import annotations

import sys

from neuroanp.bench.run import measure
from neuroanp.bench.worker import PARTS
from neuroanp.cli.options import read_options
from neuroanp.cli.words import require_known
from neuroanp.config.option import option
from neuroanp.config.part import Part

_PARTS = "\n".join(f"  {name:<18}{text}" for name, text in PARTS.items())
DESCRIPTION = f"""\
One table of ratios, ours over another's, with their range over rounds that take turns, on one core
where nothing else is said:

{_PARTS}

JAX comes with the extra `compare`; the spiking libraries are used where they are installed."""


class Bench(Part):
    """Options of the benchmark."""

    quick: bool = option(False, "fewer sizes and rounds, a few minutes instead of many")
    json: bool = option(False, "the figures on one line, for machines")
    part: tuple[str, ...] = option((), "these parts alone")


def bench_command(words: list[str]) -> int:
    """Measurement and its table, printed; returns the exit code."""
    options = read_options("neuroanp bench", Bench(), words, DESCRIPTION)
    require_known("--part", options.part, PARTS)
    report = measure(options.quick, options.part, lambda line: print(line, file=sys.stderr, flush=True))
    print(report.json() if options.json else report)
    return 0

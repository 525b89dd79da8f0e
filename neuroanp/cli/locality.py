"""``neuroanp locality``: needs of a rule in synapses, neurons and a broadcast."""

from __future__ import annotations

from neuroanp.cli.options import UsageError, read_options
from neuroanp.config import registry
from neuroanp.config.part import Part
from neuroanp.hardware.locality import locality
from neuroanp.optim import Adam, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import Rule

USAGE = """\
usage: neuroanp locality [RULE [options]]

A line for every rule: local or not, and its costs. With RULE a table: variables of a synapse, variables of
its neurons that it reads, broadcast numbers, bits to store, operations.

`neuroanp locality RULE --help` explains the options, which depend on the rule."""


class Locality(Part):
    """Parts that decide what a synapse has to know."""

    rule: Rule
    modulator: Modulator = Modulator(baseline=RunningMean())
    optimizer: Stage = Adam()


def locality_command(words: list[str]) -> int:
    """Table of one rule, or a line for every rule, printed; returns the exit code."""
    if not words:
        for name, cls in registry.classes("rule").items():
            print(f"{name:<22}  {locality(cls()).line()}")
        return 0
    if words[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if words[0].startswith("-"):
        raise UsageError(f"expected a rule before the options, got {words[0]!r}")
    parts = Locality(rule=registry.find("rule", words[0])())
    parts = read_options(f"neuroanp locality {words[0]}", parts, words[1:])
    print(locality(parts.rule, modulator=parts.modulator, optimizer=parts.optimizer))
    return 0

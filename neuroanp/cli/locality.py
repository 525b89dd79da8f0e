"""``neuroanp locality``: needs of a rule in synapses, neurons and a broadcast."""

from __future__ import annotations

from neuroanp.cli.options import read_options
from neuroanp.config import registry
from neuroanp.config.part import Part
from neuroanp.hardware.locality import locality
from neuroanp.optim import Adam, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import Rule
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.substrate import FixedPoint


class Locality(Part):
    """Parts that decide what a synapse has to know."""

    rule: Rule
    modulator: Modulator = Modulator(baseline=RunningMean())
    optimizer: Stage = Adam()
    rates: RatePenalty | None = None
    bits: FixedPoint | None = None


def locality_command(words: list[str]) -> int:
    """Table of one rule, or a line for every rule, printed; returns the exit code."""
    if not words:
        for name, cls in registry.classes("rule").items():
            print(f"{name:<22}  {locality(cls()).line()}")
        return 0
    parts = Locality(rule=registry.find("rule", words[0])())
    parts = read_options(f"neuroanp locality {words[0]}", parts, words[1:])
    table = locality(
        parts.rule, modulator=parts.modulator, optimizer=parts.optimizer, rates=parts.rates,
        numbers=parts.bits,
    )  # fmt: skip
    print(table)
    return 0

"""``neuroanp locality``: what the rules ask of synapses, neurons and a broadcast."""

from __future__ import annotations

from typing import Any

from neuroanp.cli.options import Parser, UsageError, add_options, apply
from neuroanp.config import registry
from neuroanp.errors import UnknownName
from neuroanp.hardware.locality import locality
from neuroanp.optim import SGD, Adam
from neuroanp.reward.modulator import Modulator

OPTIMIZERS = {"adam": Adam, "sgd": SGD}
USAGE = """\
usage: neuroanp locality [RULE [options]]

A line for every rule: whether a synapse can learn by it alone, and what that takes. With RULE a table:
what a synapse holds, what it sees of its neurons, what is broadcast, bits to store, operations.

`neuroanp locality RULE --help` explains the options, which depend on the rule."""


def locality_command(words: list[str]) -> int:
    """Print one rule's table, or a line for every rule; returns the exit code."""
    if not words:
        for name, cls in registry.rules().items():
            print(f"{name:<22}  {locality(cls()).line()}")
        return 0
    if words[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if words[0].startswith("-"):
        raise UsageError(f"expected a rule before the options, got {words[0]!r}")
    return _one(words[0], words[1:])


def _one(name: str, words: list[str]) -> int:
    choice = _choice()
    chosen = choice.parse_known_args(words)[0].optimizer
    if chosen not in OPTIMIZERS:
        raise UnknownName("--optimizer", chosen, list(OPTIMIZERS))
    parts: dict[str, Any] = {
        "rule": registry.find("rule", name)(),
        "modulator": Modulator(baseline="running"),
        "optimizer": OPTIMIZERS[chosen](),
    }
    usage = f"neuroanp locality {name} [options]"
    parser = Parser(prog=f"neuroanp locality {name}", usage=usage, parents=[choice])
    for prefix, value in parts.items():
        add_options(parser, prefix, value)
    if not {"-h", "--help"}.isdisjoint(words):
        parser.print_help()
        return 0
    given = parser.read(words)
    changed = {prefix: apply(prefix, value, given) for prefix, value in parts.items()}
    print(locality(changed.pop("rule"), **changed))
    return 0


def _choice() -> Parser:
    parser = Parser(add_help=False)
    names = ", ".join(OPTIMIZERS)
    parser.add_argument("--optimizer", metavar="NAME", default="adam", help=f"{names} (default: adam)")
    return parser

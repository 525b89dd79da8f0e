"""Commands and ports of a learning core, and integer nodes as logic in Amaranth."""

from __future__ import annotations

from typing import Any, NamedTuple

from amaranth.hdl import Const, Module, Mux, Signal, signed

from neuroanp.substrate.formats import Format
from neuroanp.substrate.integer_blocks import IntegerBlocks
from neuroanp.substrate.nodes import Draw, Node

STEP, JUDGE, LEARN, REST, PERTURB = range(1, 6)
"""Codes of the commands."""


class ScalarPort(NamedTuple):
    """Port of a broadcast number."""

    port: str
    projection: str
    source: str
    format: Format
    commands: tuple[int, ...]


def scalar_ports(blocks: IntegerBlocks) -> list[ScalarPort]:
    """Ports of all broadcast numbers of a network."""
    found: dict[tuple[str, str], tuple[Format, list[int]]] = {}
    commands = {"eligibility": STEP, "credit": JUDGE, "trial": LEARN}
    for projection, steps in blocks.steps.items():
        uses = [(STEP, blocks.scalars[projection])]
        uses += [(commands[name], block.scalars) for name, block in steps.items()]
        for command, scalars in uses:
            for source, format_ in scalars.items():
                found.setdefault((projection, source), (format_, []))[1].append(command)
    return [
        ScalarPort(f"s{k}", projection, source, format_, tuple(codes))
        for k, ((projection, source), (format_, codes)) in enumerate(found.items())
    ]


class AmaranthArithmetic:
    """Arithmetic as combinational logic, a signal a node."""

    def __init__(self, module: Module, words: list[Any]) -> None:
        self.module, self.words = module, words

    def _signal(self, node: Node, value: Any) -> Any:
        signal = Signal(signed(node.bits))
        self.module.d.comb += signal.eq(value)
        return signal

    def number(self, node: Node, value: int) -> Any:
        return Const(value, signed(node.bits))

    def binary(self, node: Node, operator: str, a: Any, b: Any) -> Any:
        operations = {
            "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
            ">": lambda: a > b, ">=": lambda: a >= b, "<": lambda: a < b, "<=": lambda: a <= b,
        }  # fmt: skip
        return self._signal(node, operations[operator]())

    def left(self, node: Node, a: Any, places: int) -> Any:
        return self._signal(node, a << places)

    def right(self, node: Node, a: Any, places: int) -> Any:
        return self._signal(node, a >> places)

    def select(self, node: Node, condition: Any, a: Any, b: Any) -> Any:
        return self._signal(node, Mux(condition, a, b))

    def clip(self, node: Node, a: Any) -> Any:
        low, high = (Const(bound, signed(node.bits)) for bound in (node.low, node.high))
        return self._signal(node, Mux(a > high, high, Mux(a < low, low, a)))

    def bits(self, draw: Draw, places: int) -> Any:
        return self.words[draw.word][draw.first : draw.first + places]

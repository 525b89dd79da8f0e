"""Integer arithmetic as a tree, which NumPy, C++ and hardware evaluate to the same bits.

Every node knows the range that its value can't leave, so that a width is enough wherever it is evaluated.
Equal nodes are one object: make them with the functions of this module.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from weakref import WeakValueDictionary

Rounding = Literal["stochastic", "nearest", "floor"]

WIDEST = 62
"""Bits of the widest value, so that sums and rounding stay below 64."""


class Draw(NamedTuple):
    """Bits of a random word that round one value: the word's number and its first bit."""

    word: int
    first: int


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """Whole number between `low` and `high`."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """Width as a signed number."""
        return max(self.high.bit_length(), (-self.low - 1).bit_length() if self.low < 0 else 0) + 1


@dataclasses.dataclass(frozen=True, eq=False)
class Input(Node):
    """Value from outside, by name."""

    name: str


@dataclasses.dataclass(frozen=True, eq=False)
class Number(Node):
    """Constant."""


@dataclasses.dataclass(frozen=True, eq=False)
class Binary(Node):
    """``a + b``, ``a - b``, ``a * b``, or a comparison, which is 0 or 1."""

    operator: str
    a: Node
    b: Node


@dataclasses.dataclass(frozen=True, eq=False)
class Left(Node):
    """``a`` times 2 to the power of `places`."""

    a: Node
    places: int


@dataclasses.dataclass(frozen=True, eq=False)
class Round(Node):
    """``a`` divided by 2 to the power of `places`, rounded."""

    a: Node
    places: int
    rounding: Rounding
    draw: Draw | None


@dataclasses.dataclass(frozen=True, eq=False)
class Select(Node):
    """``a`` where `condition` isn't 0, else ``b``."""

    condition: Node
    a: Node
    b: Node


@dataclasses.dataclass(frozen=True, eq=False)
class Clip(Node):
    """``a``, saturated to the range of this node."""

    a: Node


_KNOWN: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_Kind = TypeVar("_Kind", bound=Node)


def _node(kind: type[_Kind], *fields: Any) -> _Kind:
    """Node with these fields, the one that exists already if there is one."""
    known = _KNOWN.get((kind, *fields))
    if known is None:
        _KNOWN[kind, *fields] = known = kind(*fields)
    return known  # type: ignore[return-value]


def variable(name: str, low: int, high: int) -> Node:
    """Value from outside."""
    return _node(Input, low, high, name)


def number(value: int) -> Node:
    """Constant."""
    return _node(Number, value, value)


def binary(operator: str, a: Node, b: Node) -> Node:
    """Node of ``+``, ``-``, ``*`` or a comparison."""
    if isinstance(a, Number) and isinstance(b, Number) and operator in "+-*":
        return number({"+": a.low + b.low, "-": a.low - b.low, "*": a.low * b.low}[operator])
    if operator == "*" and number(1) in (a, b):
        return b if a is number(1) else a
    if operator == "*" and number(-1) in (a, b):
        return binary("-", number(0), b if a is number(-1) else a)
    if operator == "+":
        return _node(Binary, a.low + b.low, a.high + b.high, operator, a, b)
    if operator == "-":
        return _node(Binary, a.low - b.high, a.high - b.low, operator, a, b)
    if operator == "*":
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return _node(Binary, min(ends), max(ends), operator, a, b)
    return _node(Binary, 0, 1, operator, a, b)


def left(a: Node, places: int) -> Node:
    """``a`` with more places behind the point."""
    if places == 0:
        return a
    if isinstance(a, Number):
        return number(a.low << places)
    return _node(Left, a.low << places, a.high << places, a, places)


def rounded(a: Node, places: int, rounding: Rounding, draw: Draw | None) -> Node:
    """``a`` with fewer places behind the point."""
    if places == 0:
        return a
    return _node(Round, a.low >> places, (a.high >> places) + 1, a, places, rounding, draw)


def select(condition: Node, a: Node, b: Node) -> Node:
    """``a`` or ``b``; a condition within itself is decided already."""
    if isinstance(a, Select) and a.condition is condition:
        a = a.a
    if isinstance(b, Select) and b.condition is condition:
        b = b.b
    if a is b:
        return a
    return _node(Select, min(a.low, b.low), max(a.high, b.high), condition, a, b)


def clip(a: Node, low: int, high: int) -> Node:
    """``a`` saturated to a range, itself where it can't leave it."""
    return a if a.low >= low and a.high <= high else _node(Clip, low, high, a)


@functools.lru_cache(maxsize=4096)
def walk(node: Node) -> tuple[Node, ...]:
    """Node and all below it, each once, those below first."""
    order: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node not in order:
            for child in vars(node).values():
                if isinstance(child, Node):
                    visit(child)
            order[node] = None

    visit(node)
    return tuple(order)


class Arithmetic(Protocol):
    """Operations of one place where nodes are evaluated; `node` tells the range of the result."""

    def number(self, node: Node, value: int) -> Any: ...
    def binary(self, node: Node, operator: str, a: Any, b: Any) -> Any: ...
    def left(self, node: Node, a: Any, places: int) -> Any: ...
    def right(self, node: Node, a: Any, places: int) -> Any: ...
    def select(self, node: Node, condition: Any, a: Any, b: Any) -> Any: ...
    def clip(self, node: Node, a: Any) -> Any: ...
    def bits(self, draw: Draw, places: int) -> Any: ...


class Evaluation:
    """Values of nodes in one `Arithmetic`, each computed once.

    Parameters
    ----------
    arithmetic : Arithmetic
    inputs : mapping
        Values of `Input` nodes by name.
    """

    def __init__(self, arithmetic: Arithmetic, inputs: Mapping[str, Any]) -> None:
        self.arithmetic, self.inputs = arithmetic, inputs
        self._values: dict[Node, Any] = {}

    def __call__(self, node: Node) -> Any:
        """Value of a node."""
        for below in walk(node):
            if below not in self._values:
                self._values[below] = self._value(below)
        return self._values[node]

    def _value(self, node: Node) -> Any:
        do, value = self.arithmetic, self._values
        match node:
            case Input():
                return self.inputs[node.name]
            case Number():
                return do.number(node, node.low)
            case Binary():
                return do.binary(node, node.operator, value[node.a], value[node.b])
            case Left():
                return do.left(node, value[node.a], node.places)
            case Select():
                return do.select(node, value[node.condition], value[node.a], value[node.b])
            case Clip():
                return do.clip(node, value[node.a])
            case Round():
                return do.right(node, self._dithered(node, value[node.a]), node.places)
        raise TypeError(type(node).__name__)

    def _dithered(self, node: Round, a: Any) -> Any:
        """Value before the places are cut off, which rounds toward minus infinity."""
        if node.rounding == "floor":
            return a
        total = binary("+", node.a, variable("", 0, (1 << node.places) - 1))
        if node.draw is None:
            half = number(1 << node.places - 1)
            return self.arithmetic.binary(total, "+", a, self.arithmetic.number(half, half.low))
        return self.arithmetic.binary(total, "+", a, self.arithmetic.bits(node.draw, node.places))

"""Numbers in fixed point: formats, values, and blocks of assignments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.substrate.nodes import Input, Node, Round, clip, walk


class Format(NamedTuple):
    """Signed fixed-point number of `bits` bits, `fraction` of them behind the point."""

    bits: int
    fraction: int

    @property
    def low(self) -> int:
        """Least integer."""
        return -(1 << self.bits - 1)

    @property
    def high(self) -> int:
        """Greatest integer."""
        return (1 << self.bits - 1) - 1

    @property
    def scale(self) -> float:
        """Integers in one unit."""
        return 2.0**self.fraction

    @classmethod
    def of(cls, largest: float, bits: int) -> Format:
        """Format of `bits` bits in which numbers up to `largest` have room."""
        whole = math.ceil(math.log2(largest)) if largest > 0 else 0
        return cls(bits, bits - 1 - whole)

    def quantized(self, values: Any) -> Any:
        """Nearest integers of this format, saturated."""
        return np.clip(np.rint(np.asarray(values) * self.scale), self.low, self.high).astype(np.int64)


BIT = Format(2, 0)
"""Format of spikes, flags and signs."""


class Fixed(NamedTuple):
    """Integer that stands for itself divided by 2 to the power of `fraction`."""

    node: Node
    fraction: int


class Assignment(NamedTuple):
    """Result for one variable: `exact` before it is saturated, and the roundings on the way to it."""

    target: str
    exact: Node
    format: Format
    roundings: tuple[Round, ...] = ()

    @property
    def value(self) -> Node:
        """Value in the range of the variable."""
        return clip(self.exact, self.format.low, self.format.high)


class Block(NamedTuple):
    """Statements that run together, as integer arithmetic.

    Parameters
    ----------
    assignments : tuple of Assignment
        In order; the last one of a variable counts.
    words : int
        Random words of 32 bits for each element.
    scalars : mapping
        Formats of broadcast inputs, by the expression that the host evaluates.
    """

    assignments: tuple[Assignment, ...] = ()
    words: int = 0
    scalars: Mapping[str, Format] = {}

    @property
    def inputs(self) -> dict[str, Input]:
        """Values from outside, by name."""
        nodes = (node for line in self.assignments for node in walk(line.value))
        return {node.name: node for node in nodes if isinstance(node, Input)}

    @property
    def results(self) -> dict[str, Node]:
        """Final values by variable."""
        return {line.target: line.value for line in self.assignments}

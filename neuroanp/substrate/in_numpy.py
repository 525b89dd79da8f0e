"""Blocks of integer statements on NumPy arrays."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.substrate.formats import Assignment, Block
from neuroanp.substrate.nodes import Draw, Evaluation, Node
from neuroanp.types import Array, Arrays

_OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


class NumPyArithmetic:
    """Arithmetic on int64 arrays.

    Parameters
    ----------
    words : (..., W) uint32 array
        Random words of each element.
    """

    def __init__(self, words: Array) -> None:
        self.words = words

    def number(self, node: Node, value: int) -> Any:
        return np.int64(value)

    def binary(self, node: Node, operator: str, a: Any, b: Any) -> Any:
        return np.asarray(_OPERATORS[operator](a, b), dtype=np.int64)

    def left(self, node: Node, a: Any, places: int) -> Any:
        return a << np.int64(places)

    def right(self, node: Node, a: Any, places: int) -> Any:
        return a >> np.int64(places)

    def select(self, node: Node, condition: Any, a: Any, b: Any) -> Any:
        return np.where(condition != 0, a, b)

    def clip(self, node: Node, a: Any) -> Any:
        return np.clip(a, node.low, node.high)

    def bits(self, draw: Draw, places: int) -> Any:
        return (self.words[..., draw.word].astype(np.int64) >> draw.first) & ((1 << places) - 1)


COUNTS = ("values", "saturated", "error", "largest")
"""Columns of the statistics of a block: numbers assigned, those cut, sum of the errors of rounding, in last
bits, and the largest size."""


def run(
    block: Block, inputs: Mapping[str, Any], words: Array, shape: tuple[int, ...]
) -> tuple[Arrays, Array]:
    """Results of a block by variable, of this shape, and its statistics, one row an assignment (`COUNTS`)."""
    evaluate = Evaluation(NumPyArithmetic(words), inputs)
    counts = np.zeros((len(block.assignments), len(COUNTS)))
    results: Arrays = {}
    for row, line in zip(counts, block.assignments, strict=True):
        results[line.target] = np.broadcast_to(evaluate(line.value), shape)
        row[:] = _statistics(evaluate, line, shape)
    return results, counts


def _statistics(evaluate: Evaluation, line: Assignment, shape: tuple[int, ...]) -> tuple[float, ...]:
    exact = np.broadcast_to(evaluate(line.exact), shape)
    saturated = int(((exact < line.format.low) | (exact > line.format.high)).sum())
    error = sum(
        int(np.broadcast_to((evaluate(node) << node.places) - evaluate(node.a), shape).sum())
        * 2.0**-node.places
        for node in line.roundings
    )
    largest = int(np.abs(np.broadcast_to(evaluate(line.value), shape)).max(initial=0))
    return exact.size, saturated, error, largest


def value(node: Node, inputs: Mapping[str, Any]) -> Array:
    """Value of one node."""
    return np.asarray(Evaluation(NumPyArithmetic(np.zeros((1, 0), np.uint32)), inputs)(node))

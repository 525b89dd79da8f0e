"""Quantities as text, and back."""

from __future__ import annotations

import ast
import re
from typing import Any


def quantity_text(value: Any, unit: str) -> str:
    """Text of a scalar quantity, which `read_quantity` reads as exactly the same number."""
    from brian2.units.fundamentalunits import get_unit

    base = repr(get_unit(value.dim)).replace(" ", "")
    choices = [unit, base] if unit != "1" else [base]
    for choice in choices:
        text = f"{repr(float(value / parse_unit(choice))).removesuffix('.0')} {choice}"
        if float(read_quantity(text, choice)) == float(value):
            return text
    return text


def read_quantity(text: str, unit: str) -> Any:
    """Quantity of a text such as "20 ms" or "0.5 nA/ms"; `ValueError` for other text or dimensions."""
    from brian2 import get_dimensions

    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    value = float(match["number"]) * parse_unit(match["unit"])
    if get_dimensions(value) is not get_dimensions(parse_unit(unit)):
        raise ValueError(text)
    return value


_NUMBER_AND_UNIT = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*\*?\s*(?P<unit>[a-z].*)", re.IGNORECASE
)


_EXPRESSION = re.compile(r"[\w\s*/^().+-]{1,100}")
"""Text that is worth parsing as a unit."""
HIGHEST = 9
"""Largest exponent in a unit."""


def parse_unit(text: str) -> Any:
    """Brian2 unit that an expression of unit names with ``* / **`` writes; `ValueError` for other text."""
    from brian2.core.namespace import DEFAULT_UNITS

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in DEFAULT_UNITS:
            return DEFAULT_UNITS[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value:
            return float(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return value(node.left) * value(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return value(node.left) / value(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Name):
            return value(node.left) ** exponent(node.right)
        raise ValueError(text)

    def exponent(node: ast.expr) -> float:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -exponent(node.operand)
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and node.value <= HIGHEST:
            return node.value
        raise ValueError(text)

    text = text.strip().replace("^", "**")
    if _EXPRESSION.fullmatch(text) is None:
        raise ValueError(text)
    try:
        return value(ast.parse(text, mode="eval").body)
    except (SyntaxError, OverflowError):
        raise ValueError(text) from None

"""Quantities as text, and back."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
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


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def parse_unit(text: str) -> Any:
    """Brian2 unit that an expression of unit names with ``* / **`` writes."""
    from brian2.core.namespace import DEFAULT_UNITS

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in DEFAULT_UNITS:
            return DEFAULT_UNITS[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise ValueError(text)

    try:
        return value(ast.parse(text.strip().replace("^", "**"), mode="eval").body)
    except SyntaxError:
        raise ValueError(text) from None

"""How a value of a configuration field is written as text, and read from it."""

from __future__ import annotations

import ast
import dataclasses
import operator
import re
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroanp.errors import InvalidValue


@dataclasses.dataclass(frozen=True)
class Form:
    """The written form of a field.

    Attributes
    ----------
    metavar : str
        Placeholder for help.
    expected : str
        What a wrong text is told to be.
    read : callable
        From text to value; `ValueError` for text that isn't of the form.
    unit : str or None
        Unit of a quantity, None for everything else.
    """

    metavar: str
    expected: str
    read: Callable[[str], Any]
    unit: str | None = None

    def parse(self, where: str, text: str) -> Any:
        """The value of `text`; `InvalidValue` names `where` when it isn't of this form."""
        try:
            return self.read(text)
        except ValueError:
            raise InvalidValue(where, self.expected, text) from None


def form(field: dataclasses.Field[Any], hint: Any) -> Form | None:
    """The written form of a dataclass field with this type; None where text can't give its value."""
    unit = field.metadata.get("unit", "1")
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    if unit != "1" and (_is_quantity(default) or _is_unit(unit, hint)):
        expected = f"a quantity in {unit}, such as '20 {unit}'"
        return Form("QUANTITY", expected, lambda text: _read_quantity(text, unit), unit)
    if hint is Any and isinstance(default, (bool, int, float, str)):
        hint = type(default)
    return _form_of(hint)


def _form_of(hint: Any) -> Form | None:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return Form("|".join(map(str, inner)), f"one of {', '.join(map(str, inner))}", _chooser(inner))
    if origin in (typing.Union, types.UnionType):
        return _union(inner)
    if origin is tuple and len(set(inner) - {Ellipsis}) == 1:
        item = _form_of(inner[0])
        if item is None:
            return None
        read = item.read
        return Form(
            f"{item.metavar},...",
            f"{item.expected}, or several with commas between",
            lambda text: tuple(read(part.strip()) for part in text.split(",") if part.strip()),
        )
    simple = {
        int: Form("N", "a whole number", int),
        float: Form("X", "a number", float),
        bool: Form("true|false", "true or false", _chooser((True, False))),
        str: Form("TEXT", "a text", str),
        Path: Form("PATH", "a path", Path),
    }
    return simple.get(hint)


def _union(inner: tuple[Any, ...]) -> Form | None:
    forms = [found for found in map(_form_of, (part for part in inner if part is not type(None))) if found]
    if not forms:
        return None
    optional = type(None) in inner

    def read(text: str) -> Any:
        if optional and text.lower() == "none":
            return None
        for found in forms:
            try:
                return found.read(text)
            except ValueError:
                continue
        raise ValueError(text)

    none = ["none"] if optional else []
    metavar = "|".join(dict.fromkeys([found.metavar for found in forms] + none))
    return Form(metavar, " or ".join([found.expected for found in forms] + none), read)


def _chooser(values: tuple[Any, ...]) -> Callable[[str], Any]:
    by_text = {str(value).lower(): value for value in values}

    def read(text: str) -> Any:
        if text.lower() not in by_text:
            raise ValueError(text)
        return by_text[text.lower()]

    return read


def _is_quantity(value: Any) -> bool:
    from brian2 import Quantity

    return isinstance(value, Quantity)


def _is_unit(unit: str, hint: Any) -> bool:
    from brian2 import Quantity

    if hint is not Quantity and Quantity not in typing.get_args(hint):
        return False
    try:
        _unit(unit)
    except ValueError:
        return False
    return True


def parse_quantity(where: str, text: str, unit: str) -> Any:
    """The Brian2 quantity that `text` writes, such as ``"20 ms"`` or ``"0.5 nA/ms"``.

    Raises
    ------
    InvalidValue
        For other text, and for other dimensions than those of `unit`.
    """
    try:
        return _read_quantity(text, unit)
    except ValueError:
        raise InvalidValue(where, f"a quantity in {unit}, such as '20 {unit}'", text) from None


def quantity_text(value: Any, unit: str) -> str:
    """A scalar quantity as text that `parse_quantity` reads as exactly the same number."""
    from brian2.units.fundamentalunits import get_unit

    base = repr(get_unit(value.dim)).replace(" ", "")
    choices = [unit, base] if unit != "1" else [base]
    for choice in choices:
        text = f"{repr(float(value / _unit(choice))).removesuffix('.0')} {choice}"
        if float(_read_quantity(text, choice)) == float(value):
            return text
    return text


def _read_quantity(text: str, unit: str) -> Any:
    from brian2 import get_dimensions

    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    value = float(match["number"]) * _unit(match["unit"])
    if get_dimensions(value) is not get_dimensions(_unit(unit)):
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


def _unit(text: str) -> Any:
    """The Brian2 unit that an expression of unit names with ``* / **`` writes."""
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

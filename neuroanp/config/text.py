"""How a value of a configuration field is written as text, and read from it."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroanp.config.units import parse_unit, read_quantity
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
    unit, default = field.metadata.get("unit", "1"), field.default
    if unit != "1" and field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if unit != "1" and (_is_quantity(default) or _is_unit(unit, hint)):
        expected = f"a quantity in {unit}, such as '20 {unit}'"
        return Form("QUANTITY", expected, lambda text: read_quantity(text, unit), unit)
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
        parse_unit(unit)
    except ValueError:
        return False
    return True


def first_line(owner: Any) -> str:
    """The first line of an object's docstring, empty when it has none of its own."""
    text = vars(owner).get("__doc__") if isinstance(owner, type) else getattr(owner, "__doc__", None)
    if text is None or (isinstance(owner, type) and text.startswith(f"{owner.__name__}(")):
        return ""
    return inspect.cleandoc(text).partition("\n")[0]

"""Text of an option: its form in the shell and in ``config.json``."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from neuroanp.config.units import read_quantity
from neuroanp.errors import InvalidValue


class Form(NamedTuple):
    """Written form of an option.

    Attributes
    ----------
    metavar : str
        Placeholder for help.
    expected : str
        Description, for the error of another text.
    readers : tuple of callables
        From text to value; the first one that raises neither KeyError nor ValueError counts.
    unit : str or None
        Unit of a quantity, None for everything else.
    """

    metavar: str
    expected: str
    readers: tuple[Callable[[str], Any], ...]
    unit: str | None = None

    def read(self, text: str) -> Any:
        """Value of a text; `ValueError` for text that isn't of the form."""
        for reader in self.readers:
            with contextlib.suppress(KeyError, ValueError):
                return reader(text)
        raise ValueError(text)

    def parse(self, where: str, text: str) -> Any:
        """Value of a text; `InvalidValue` names `where` when the text isn't of the form."""
        try:
            return self.read(text)
        except ValueError:
            raise InvalidValue(where, self.expected, text) from None


def form(field: dataclasses.Field[Any], hint: Any) -> Form | None:
    """Written form of an option with this type; None where text can't give its value."""
    unit = field.metadata.get("unit", "1")
    if unit != "1":
        expected = f"a quantity in {unit}, such as '20 {unit}'"
        return Form("QUANTITY", expected, (lambda text: read_quantity(text, unit),), unit)
    if hint is Any and isinstance(field.default, (bool, int, float, str)):
        hint = type(field.default)
    return _form_of(hint)


def _form_of(hint: Any) -> Form | None:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _choice("|".join(map(str, inner)), f"one of {', '.join(map(str, inner))}", *inner)
    if origin in (typing.Union, types.UnionType):
        return _union([form for form in map(_form_of, inner) if form])
    if origin is tuple and len(set(inner) - {Ellipsis}) == 1:
        return _several(_form_of(inner[0]))
    return SIMPLE.get(hint)


def _choice(metavar: str, expected: str, *values: Any) -> Form:
    by_text = {str(value).lower(): value for value in values}
    return Form(metavar, expected, (lambda text: by_text[text.lower()],))


def _several(item: Form | None) -> Form | None:
    if item is None:
        return None
    read = item.read
    return Form(
        f"{item.metavar},...",
        f"{item.expected}, or several with commas between",
        (lambda text: tuple(read(part.strip()) for part in text.split(",") if part.strip()),),
    )


def _union(forms: list[Form]) -> Form | None:
    """Form of one of several; "none", which is also a text, is read first and shown last."""
    none, others = [form for form in forms if form is NONE], [form for form in forms if form is not NONE]
    if not others:
        return None
    metavar = "|".join(dict.fromkeys(form.metavar for form in others + none))
    expected = " or ".join(form.expected for form in others + none)
    return Form(metavar, expected, tuple(reader for form in none + others for reader in form.readers))


NONE = _choice("none", "none", None)

SIMPLE = {
    int: Form("N", "a whole number", (int,)),
    float: Form("X", "a number", (float,)),
    bool: _choice("true|false", "true or false", True, False),
    str: Form("TEXT", "a text", (str,)),
    Path: Form("PATH", "a path", (Path,)),
    types.NoneType: NONE,
}
"""Forms by type."""


def first_line(owner: Any) -> str:
    """First line of an object's docstring; empty without one, or with one that is inherited."""
    text = vars(owner).get("__doc__") if isinstance(owner, type) else getattr(owner, "__doc__", None)
    if text is None or (isinstance(owner, type) and text.startswith(f"{owner.__name__}(")):
        return ""
    return inspect.cleandoc(text).partition("\n")[0]

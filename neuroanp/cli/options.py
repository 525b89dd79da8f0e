"""Shell options from configuration dataclasses, and back."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from neuroanp.config.text import Form, first_line, form
from neuroanp.config.units import quantity_text
from neuroanp.errors import NeuroANPError, UnknownName


class UsageError(NeuroANPError):
    """A command line that can't be read."""


class Parser(argparse.ArgumentParser):
    """`argparse` that raises instead of leaving, and never guesses at shortened options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_HelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` where `argparse` would print its usage and leave."""
        raise UsageError(message)

    def read(self, words: list[str]) -> dict[str, Any]:
        """The options given in `words`; `UnknownName` for an option that doesn't exist."""
        found, rest = self.parse_known_args(words)
        for word in rest:
            if word.startswith("-"):
                known = [name for action in self._actions for name in action.option_strings if len(name) > 2]
                raise UnknownOption(word.partition("=")[0], known)
        if rest:
            raise UsageError(f"expected options after the task, got {rest[0]!r}")
        return vars(found)


class UnknownOption(UnknownName):
    """An option that doesn't exist, with the nearest that does; there are too many to list."""

    def __init__(self, name: str, known: list[str]) -> None:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "see --help"
        NeuroANPError.__init__(self, f"unknown option {name}; {hint}")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=110)


def add_options(parser: argparse.ArgumentParser, prefix: str, value: Any) -> None:
    """Add an option for each field of a dataclass instance, its present values as the defaults.

    Parameters
    ----------
    parser : ArgumentParser
    prefix : str
        ``"rule"`` gives ``--rule.sigma``.
    value : dataclass instance
    """
    group = parser.add_argument_group(f"{prefix}: {type(value).__name__}", first_line(type(value)))
    for field, written, present in _fields(value):
        name = f"{prefix}.{field.name}"
        if written is None:
            if dataclasses.is_dataclass(present) and not isinstance(present, type):
                add_options(parser, name, present)
            continue
        unit = field.metadata.get("unit", "1")
        text = field.metadata.get("doc", "") + ("" if unit == "1" else f" [{unit}]")
        text = f"{text} (default: {_text(present, written)})".strip().replace("%", "%%")
        settings: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": name, "help": text}
        if isinstance(present, bool):
            group.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, **settings)
        else:
            group.add_argument(f"--{name}", metavar=written.metavar, **settings)


def apply(prefix: str, value: Any, given: Mapping[str, Any]) -> Any:
    """`value` with the fields replaced that the shell gave.

    Parameters
    ----------
    prefix : str
    value : dataclass instance
    given : mapping
        What the shell gave, by name (``"rule.sigma"``) as text.

    Raises
    ------
    InvalidValue
        For text that isn't of the field's form, and for a value that the dataclass refuses.
    """
    changes = {}
    for field, written, present in _fields(value):
        name = f"{prefix}.{field.name}"
        if written is None:
            if any(key.startswith(f"{name}.") for key in given):
                changes[field.name] = apply(name, present, given)
        elif name in given:
            text = given[name]
            where = f"{type(value).__name__}.{field.name}"
            changes[field.name] = written.parse(where, text) if isinstance(text, str) else text
    return dataclasses.replace(value, **changes) if changes else value


def like(cls: Any, old: Any) -> Any:
    """An instance of `cls` that takes over the fields of the same name and type that `old` has."""
    if old is None or type(old) is cls:
        return cls() if old is None else old
    wanted, there = typing.get_type_hints(cls), typing.get_type_hints(type(old))
    names = {f.name for f in dataclasses.fields(cls) if f.init} & {f.name for f in dataclasses.fields(old)}
    return cls(**{name: getattr(old, name) for name in names if wanted[name] == there[name]})


def _fields(value: Any) -> Iterator[tuple[dataclasses.Field[Any], Form | None, Any]]:
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        if field.init:
            yield field, form(field, hints[field.name]), getattr(value, field.name)


def _text(value: Any, written: Form) -> str:
    if value is None:
        return "none"
    if written.unit is not None:
        return quantity_text(value, written.unit)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Shell options from parts, and back."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Any, TypeVar

from neuroanp.cli.words import Parser, given
from neuroanp.config import dotted, registry
from neuroanp.config.dotted import Option, apply
from neuroanp.config.part import Part
from neuroanp.config.text import Form, first_line
from neuroanp.config.units import quantity_text

PartT = TypeVar("PartT", bound=Part)


def read_options(command: str, part: PartT, words: list[str], description: str = "") -> PartT:
    """Part with the options that a command line gives.

    Parameters
    ----------
    command : str
        The command, for its help.
    part : Part
    words : list of str
    description : str
        Text at the head of the help.

    Raises
    ------
    HelpShown
        After the help of the command, where the words ask for it.
    """
    part = apply("", part, given_choices(words, "", part))
    parser = Parser(command, description=description)
    add_options(parser, "", part)
    return apply("", part, parser.read(words))


def add_options(
    parser: argparse.ArgumentParser, prefix: str, part: Part, without: Collection[str] = ()
) -> None:
    """Options of a part, added to a parser, with its values as the defaults.

    Parameters
    ----------
    parser : ArgumentParser
    prefix : str
        ``"rule"`` gives ``--rule.sigma``, an empty one ``--sigma``.
    part : Part
    without : collection of str
        Options to leave out.
    """
    title = f"{prefix}: {type(part).__name__}" if prefix else type(part).__name__
    group = parser.add_argument_group(title, first_line(type(part)))
    nested = []
    for option in dotted.options(prefix, part):
        if option.name in without:
            continue
        if option.part is not None:
            _add_choice(group, option)
            nested.append((option.name, option.part() if option.value is None else option.value))
        elif option.form is not None:
            _add_value(group, option, option.form)
    for name, value in nested:
        add_options(parser, name, value)


def _add_choice(group: Any, option: Option) -> None:
    settings: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": option.name}
    if option.kind is not None:
        text = f"another {option.name.rpartition('.')[2]}: {', '.join(registry.names(option.kind))}"
        group.add_argument(f"--{option.name}", metavar="NAME", help=text, **settings)
    if option.optional:
        off = " (off unless one of its options is given)" if option.value is None else ""
        text = f"train without {option.name}{off}"
        settings |= {"dest": f"no-{option.name}", "action": "store_true"}
        group.add_argument(f"--no-{option.name}", help=text, **settings)


def _add_value(group: Any, option: Option, written: Form) -> None:
    unit = "" if written.unit is None else f" [{written.unit}]"
    text = f"{option.doc}{unit} (default: {_text(option.value, written)})".replace("%", "%%")
    settings: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": option.name, "help": text}
    if isinstance(option.value, bool):
        group.add_argument(f"--{option.name}", action=argparse.BooleanOptionalAction, **settings)
    else:
        group.add_argument(f"--{option.name}", metavar=written.metavar, **settings)


def given_choices(words: list[str], prefix: str, part: Part) -> dict[str, str]:
    """Names in `words` by which parts of a part are chosen; they decide on the other options."""
    return given(words, _choices(prefix, part))


def _choices(prefix: str, part: Part) -> list[str]:
    names = []
    for option in dotted.options(prefix, part):
        names += [option.name] if option.kind else []
        names += _choices(option.name, option.value) if isinstance(option.value, Part) else []
    return names


def _text(value: Any, written: Form) -> str:
    if value is None:
        return "none"
    if written.unit is not None:
        return quantity_text(value, written.unit)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Shell options from parts, and back."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Collection
from typing import Any, NoReturn, TypeVar

from neuroanp.config import dotted, registry
from neuroanp.config.dotted import Option, apply
from neuroanp.config.part import Part
from neuroanp.config.text import Form, first_line
from neuroanp.config.units import quantity_text
from neuroanp.errors import NeuroANPError, UnknownName

PartT = TypeVar("PartT", bound=Part)


class UsageError(NeuroANPError):
    """Error in a command line, which can't be read."""


class HelpShown(Exception):
    """End of a command that was asked for its help."""


class UnknownOption(UnknownName):
    """Name of no option, with the nearest one that exists; there are too many to list."""

    def __init__(self, name: str, known: list[str]) -> None:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "see --help"
        NeuroANPError.__init__(self, f"unknown option {name}; {hint}")


class Parser(argparse.ArgumentParser):
    """Parser of `argparse` that raises instead of leaving, and never guesses at shortened options."""

    def __init__(self, prog: str, **settings: Any) -> None:
        settings = {"usage": f"{prog} [options]", **settings}
        super().__init__(prog=prog, allow_abbrev=False, formatter_class=_HelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        """`UsageError`, where `argparse` would print its usage and leave."""
        raise UsageError(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """`HelpShown`, where `argparse` would leave after help."""
        raise HelpShown

    def read(self, words: list[str]) -> dict[str, Any]:
        """Options in `words`, as text, None for ``--no-NAME``; `UnknownOption` for one that doesn't exist."""
        options, rest = self.parse_known_args(words)
        for word in rest:
            if word.startswith("-"):
                known = [name for action in self._actions for name in action.option_strings if len(name) > 2]
                raise UnknownOption(word.partition("=")[0], known)
        if rest:
            raise UsageError(f"expected options after the task, got {rest[0]!r}")
        texts = vars(options)
        for off in [name for name in texts if name.startswith("no-")]:
            name = off.removeprefix("no-")
            if any(other == name or other.startswith(f"{name}.") for other in texts):
                raise UsageError(f"--{off} and --{name} options contradict each other")
            del texts[off]
            texts[name] = None
        return texts


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=110)


def import_modules(words: list[str]) -> list[str]:
    """Words without ``--import MODULE``, whose modules are imported; those beside the user's files too.

    Raises
    ------
    UsageError
        For a module that can't be imported.
    """
    parser = Parser("neuroanp", add_help=False)
    parser.add_argument("--import", dest="modules", action="append", default=[])
    options, rest = parser.parse_known_args(words)
    if options.modules:
        sys.path.insert(0, os.getcwd())
    for module in options.modules:
        try:
            importlib.import_module(module)
        except registry.FAILURES as error:
            raise UsageError(f"--import {module}: {type(error).__name__}: {error}") from None
    return rest


def help_asked(words: list[str]) -> bool:
    """True if the words ask for help."""
    return not {"-h", "--help"}.isdisjoint(words)


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


def require_known(option: str, names: Collection[str], known: Collection[str]) -> None:
    """Check of names; `UnknownName` for one that isn't known, with the nearest that is."""
    for name in names:
        if name not in known:
            raise UnknownName(option, name, list(known))


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
    if option.choices:
        text = f"another {option.name.rpartition('.')[2]}: {', '.join(option.choices)}"
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


def given(words: list[str], names: Collection[str]) -> dict[str, str]:
    """Texts that `words` give to some options; others are left for later."""
    parser = Parser("neuroanp", add_help=False)
    for name in names:
        parser.add_argument(f"--{name}", dest=name, default=argparse.SUPPRESS)
    return vars(parser.parse_known_args(words)[0])


def _choices(prefix: str, part: Part) -> list[str]:
    names = []
    for option in dotted.options(prefix, part):
        names += [option.name] if option.choices else []
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

"""Words of a command line: the parser, its errors, and modules of the user's."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Collection
from typing import Any, NoReturn

from neuroanp.config import registry
from neuroanp.errors import NeuroANPError, UnknownName


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


def given(words: list[str], names: Collection[str]) -> dict[str, str]:
    """Texts that `words` give to some options; others are left for later."""
    parser = Parser("neuroanp", add_help=False)
    for name in names:
        parser.add_argument(f"--{name}", dest=name, default=argparse.SUPPRESS)
    return vars(parser.parse_known_args(words)[0])


def help_asked(words: list[str]) -> bool:
    """True if the words ask for help."""
    return not {"-h", "--help"}.isdisjoint(words)


def require_known(option: str, names: Collection[str], known: Collection[str]) -> None:
    """Check of names; `UnknownName` for one that isn't known, with the nearest that is."""
    for name in names:
        if name not in known:
            raise UnknownName(option, name, list(known))

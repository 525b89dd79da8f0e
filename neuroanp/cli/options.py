"""Shell options from parts, and back."""

from __future__ import annotations

import argparse
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from neuroanp.cli.words import Parser, UsageError, given, require_known
from neuroanp.config import part as parts
from neuroanp.config import registry
from neuroanp.config.part import Part
from neuroanp.config.text import Form, first_line, form
from neuroanp.config.units import quantity_text

PartT = TypeVar("PartT", bound=Part)


class _Option(NamedTuple):
    """Option of a part, as the shell has it."""

    name: str
    """With its prefix: ``"rule.sigma"``."""
    doc: str
    value: Any
    form: Form | None
    """None for an option that is a part itself."""
    part: type[Part] | None
    kind: str | None
    """Kind of the parts that can be chosen, None where none can."""
    optional: bool


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
    for option in _options(prefix, part):
        if option.name in without:
            continue
        if option.part is not None:
            _add_choice(group, option)
            nested.append((option.name, option.part() if option.value is None else option.value))
        elif option.form is not None:
            _add_value(group, option, option.form)
    for name, value in nested:
        add_options(parser, name, value)


def _add_choice(group: Any, option: _Option) -> None:
    settings: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": option.name}
    if option.kind is not None:
        text = f"another {option.name.rpartition('.')[2]}: {', '.join(registry.names(option.kind))}"
        group.add_argument(f"--{option.name}", metavar="NAME", help=text, **settings)
    if option.optional:
        off = " (off unless one of its options is given)" if option.value is None else ""
        text = f"train without {option.name}{off}"
        settings |= {"dest": f"no-{option.name}", "action": "store_true"}
        group.add_argument(f"--no-{option.name}", help=text, **settings)


def _add_value(group: Any, option: _Option, written: Form) -> None:
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
    for option in _options(prefix, part):
        names += [option.name] if option.kind else []
        names += _choices(option.name, option.value) if isinstance(option.value, Part) else []
    return names


def apply(prefix: str, part: PartT, texts: Mapping[str, Any]) -> PartT:
    """Part with the options replaced that the shell gave.

    Parameters
    ----------
    prefix : str
    part : Part
    texts : mapping
        Texts of options by name, such as ``"rule.sigma"``.

    Raises
    ------
    InvalidValue
        For text that isn't of the option's form, and for a value that the part refuses.
    UnknownName
        For a part that doesn't exist.
    """
    changes = {}
    for option in _options(prefix, part):
        name = option.name.rpartition(".")[2]
        if option.part is not None:
            value = _applied(option, texts)
            if value is not option.value:
                changes[name] = value
        elif option.name in texts and option.form is not None:
            text = texts[option.name]
            where = f"{type(part).__name__}.{name}" if prefix else f"--{name}"
            changes[name] = option.form.parse(where, text) if isinstance(text, str) else text
    return part.replace(**changes) if changes else part


def _applied(option: _Option, texts: Mapping[str, Any]) -> Part | None:
    mentioned = option.name in texts or any(name.startswith(f"{option.name}.") for name in texts)
    if texts.get(f"no-{option.name}"):
        if mentioned:
            raise UsageError(f"--no-{option.name} and --{option.name} options contradict each other")
        return None
    value: Part | None = option.value
    if option.name in texts and option.kind is not None:
        require_known(f"--{option.name}", [texts[option.name]], registry.names(option.kind))
        value = like(registry.find(option.kind, texts[option.name]), value)
    if value is None and mentioned and option.part is not None:
        value = option.part()
    return value if value is None else apply(option.name, value, texts)


def like(cls: Any, old: Part | None) -> Any:
    """Instance of `cls` that takes over the options of the same name and type that `old` has."""
    if old is None or type(old) is cls:
        return cls() if old is None else old
    new, there = parts.options(cls), parts.options(type(old))
    names = [name for name in new if name in there and new[name][1] == there[name][1]]
    return cls(**{name: getattr(old, name) for name in names})


def _options(prefix: str, part: Part) -> Iterator[_Option]:
    for name, (field, hint) in parts.options(type(part)).items():
        union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        inner = typing.get_args(hint) if union else (hint,)
        kind = next((cls for cls in inner if isinstance(cls, type) and issubclass(cls, Part)), None)
        yield _Option(
            name=f"{prefix}.{name}" if prefix else name,
            doc=field.metadata.get("doc", ""),
            value=getattr(part, name),
            form=None if kind else form(field, hint),
            part=kind,
            kind=registry.kind_of(kind) if kind else None,
            optional=kind is not None and types.NoneType in inner,
        )


def _text(value: Any, written: Form) -> str:
    if value is None:
        return "none"
    if written.unit is not None:
        return quantity_text(value, written.unit)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Options of a part by dotted name, such as ``rule.sigma``, and the part with other values of them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from neuroanp.config import part as parts
from neuroanp.config import registry
from neuroanp.config.part import Part
from neuroanp.config.text import Form, form
from neuroanp.errors import InvalidValue, UnknownName

PartT = TypeVar("PartT", bound=Part)


class Option(NamedTuple):
    """Option of a part, or of a part in it."""

    name: str
    """With its prefix: ``"rule.sigma"``."""
    doc: str
    value: Any
    form: Form | None
    """None for an option that is a part itself, and where text can't give its value."""
    part: type[Part] | None
    kind: str | None
    """Kind of the parts that can be chosen, None where none can."""
    optional: bool


def options(prefix: str, part: Part) -> Iterator[Option]:
    """Options of a part; `prefix` ``"rule"`` gives ``rule.sigma``, an empty one ``sigma``."""
    for name, (field, hint) in parts.options(type(part)).items():
        union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        inner = typing.get_args(hint) if union else (hint,)
        kind = next((cls for cls in inner if isinstance(cls, type) and issubclass(cls, Part)), None)
        yield Option(
            name=f"{prefix}.{name}" if prefix else name,
            doc=field.metadata.get("doc", ""),
            value=getattr(part, name),
            form=None if kind else form(field, hint),
            part=kind,
            kind=registry.kind_of(kind) if kind else None,
            optional=kind is not None and types.NoneType in inner,
        )


def every(prefix: str, part: Part) -> Iterator[Option]:
    """Options of a part and of all parts in it, where one is off those that it would have."""
    for option in options(prefix, part):
        yield option
        if option.part is not None:
            inner = option.value
            yield from every(option.name, option.part() if inner is None else inner)


def apply(prefix: str, part: PartT, values: Mapping[str, Any]) -> PartT:
    """Part with other values of its options, and of those of the parts in it.

    Parameters
    ----------
    prefix : str
    part : Part
    values : mapping
        Texts or values by name, such as ``"rule.sigma"``; of a part its name (``"on"`` where it has none), or
        another part, None for off.

    Raises
    ------
    InvalidValue
        For text that isn't of the option's form, and for a value that the part refuses.
    UnknownName
        For a part that doesn't exist.
    """
    changes = {}
    for option in options(prefix, part):
        name = option.name.rpartition(".")[2]
        where = f"{type(part).__name__}.{name}" if prefix else f"--{name}"
        if option.part is not None:
            value = _applied(where, option, values)
            if value is not option.value:
                changes[name] = value
        elif option.name in values:
            text = values[option.name]
            is_text = isinstance(text, str) and option.form is not None
            changes[name] = option.form.parse(where, text) if is_text and option.form else text
    return part.replace(**changes) if changes else part


def _applied(where: str, option: Option, values: Mapping[str, Any]) -> Part | None:
    value: Any = values.get(option.name, option.value)
    inside = any(name.startswith(f"{option.name}.") for name in values)
    if isinstance(value, str) and option.optional and value == "none":
        value = None
    elif isinstance(value, str):
        if option.kind is None and value == "on" and option.part is not None:
            value = option.part() if option.value is None else option.value
        elif option.kind is None:
            raise InvalidValue(where, "on, or none where it may be off, as it has no other by name", value)
        elif value not in (known := registry.names(option.kind)):
            raise UnknownName(f"--{option.name}", value, list(known))
        else:
            value = like(registry.find(option.kind, value), option.value)
    if value is None and option.name in values:
        if not option.optional or inside:
            expected = "a part" if not inside else "a part, as options of it are given"
            raise InvalidValue(where, expected, None)
        return None
    if value is None and inside and option.part is not None:
        value = option.part()
    return apply(option.name, value, values) if isinstance(value, Part) else value


def like(cls: Any, old: Part | None) -> Any:
    """Instance of `cls` that takes over the options of the same name and type that `old` has."""
    if old is None or type(old) is cls:
        return cls() if old is None else old
    new, there = parts.options(cls), parts.options(type(old))
    names = [name for name in new if name in there and new[name][1] == there[name][1]]
    return cls(**{name: getattr(old, name) for name in names})

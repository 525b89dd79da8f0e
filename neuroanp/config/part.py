"""`Part`: base of models, rules, tasks, plants, optimizers, modulators and recipes."""

from __future__ import annotations

import abc
import dataclasses
import functools
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, dataclass_transform

from neuroanp.config import checks
from neuroanp.errors import UnknownName


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Part(abc.ABC):  # noqa: B024
    """Part of an experiment: a class whose annotated attributes are its options.

    A subclass is a frozen dataclass with keyword arguments, without a decorator. Each option is checked when
    the part is made, by its type and by what `option` declares of it; a subclass with more to check extends
    ``__post_init__``. An attribute without annotation is no option. Printed, it is the call that makes it,
    with the options that differ from their defaults; a notebook shows a table of all.

    Raises
    ------
    InvalidValue
        For a value of another type, unit or range than declared.

    Examples
    --------
    >>> class Leak(Part):
    ...     memory: float = option(0.9, "part that stays for a step", least=0, most=1)      # doctest: +SKIP
    """

    sources: ClassVar[tuple[str, ...]] = ()
    """BibTeX entries of what the class is from, for `neuroanp.cite`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(cls)

    def __post_init__(self) -> None:
        for name, (field, hint) in options(type(self)).items():
            checks.declared(self, name, field, hint)

    def __repr__(self) -> str:
        from neuroanp.config.display import part_text

        return part_text(self)

    def _repr_html_(self) -> str:
        from neuroanp.config.display import part_html

        return part_html(self)

    def replace(self, **changes: Any) -> Self:
        """Part with other values of some options.

        Raises
        ------
        UnknownName
            For an option that it doesn't have, with the nearest that it has.
        """
        names = list(options(type(self)))
        for name in changes:
            if name not in names:
                raise UnknownName(f"option of {type(self).__name__}", name, names)
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def choices(cls, option: str) -> tuple[Any, ...]:
        """Values that an option can have, where its type is a `Literal`."""
        return typing.get_args(options(cls)[option][1])


def inner_parts(part: Part) -> Iterator[tuple[str, Part]]:
    """Parts that a part is made with, each with the name of its option."""
    for name, value in vars(part).items():
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Part):
                yield name, inner


@functools.cache
def options(cls: type[Any]) -> Mapping[str, tuple[dataclasses.Field[Any], Any]]:
    """Fields and types of the options of a part, by name; `Any` for a type that only its function knows."""
    types: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, annotation in vars(base).get("__annotations__", {}).items():
            holder = type(name, (), {"__annotations__": {name: annotation}})
            try:
                types |= typing.get_type_hints(holder, vars(sys.modules[base.__module__]))
            except NameError:
                types[name] = Any
    return {field.name: (field, types[field.name]) for field in dataclasses.fields(cls) if field.init}

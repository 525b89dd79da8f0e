"""Common checks: tasks, models and rules are documented configurations that can be stored."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from typing import Any

from neuroanp.config.document import describe, restore
from neuroanp.config.text import form
from neuroanp.errors import InvalidValue


def require(holds: object, where: str, expected: str, got: object) -> None:
    """Raise `InvalidValue` unless `holds`."""
    if not holds:
        raise InvalidValue(where, expected, got)


def check_part(part: Any, base: type) -> None:
    """A task, model or rule can be named, explained, asked for in the shell, and stored.

    Raises
    ------
    InvalidValue
        With what is wrong.
    DataError
        For a part that can't be read back from ``config.json``.
    """
    kind = base.__name__.lower()
    instance = isinstance(part, base) and not isinstance(part, type)
    require(instance, f"check_{kind}.{kind}", f"an instance of a subclass of {base.__name__}", part)
    cls = type(part)
    left = [name for name, value in vars(cls).items() if isinstance(value, dataclasses.Field)]
    require(not left, cls.__name__, "the decorator @dataclass(frozen=True, kw_only=True)", "none")
    frozen = cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    require(frozen, cls.__name__, "a frozen dataclass", "one whose fields can change")
    name = getattr(cls, "name", "")
    shell = isinstance(name, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) is not None
    require(shell, f"{cls.__name__}.name", "small letters and digits with hyphens between", name)
    text = vars(cls).get("__doc__") or ""
    documented = text.strip() and not text.startswith(f"{cls.__name__}(")
    require(documented, cls.__name__, "a docstring", "none")
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        _check_field(f"{cls.__name__}.{field.name}", field, hints[field.name], getattr(part, field.name))
    stored = describe(part=part)
    again = restore(json.loads(json.dumps(stored)))
    require(describe(**again) == stored, cls.__name__, "the same fields after a config.json", again["part"])


def _check_field(where: str, field: dataclasses.Field[Any], hint: Any, value: Any) -> None:
    require(field.kw_only, where, "a field that is given by name", "one that is given by place")
    require(field.metadata.get("doc"), where, "option(default, doc)", "no doc")
    written = dataclasses.is_dataclass(value) or form(field, hint) is not None
    require(written, where, "a type that text can give the value of", f"{hint}")

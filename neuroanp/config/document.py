"""Settings of a run as JSON and back, for ``config.json``."""

from __future__ import annotations

import dataclasses
import inspect
import math
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.config import environment, registry
from neuroanp.config.part import Part, options
from neuroanp.config.text import form
from neuroanp.config.units import quantity_text
from neuroanp.errors import DataError, InvalidValue, NeuroANPError, UnknownName

WRITTEN_BY = "written_by"
NOT_SETTINGS = (WRITTEN_BY, "higher_is_better")
INFINITE = (str(math.inf), str(-math.inf))


def describe(**settings: Any) -> dict[str, Any]:
    """Arguments of `neuroanp.Trainer` as a dictionary that JSON can hold.

    A part becomes ``{"class": "module:Name", field: value, ...}``, a quantity its text with its unit.
    What JSON can't hold becomes ``{"not stored": type}``: the run is recorded, but can't be repeated from it.

    Parameters
    ----------
    **settings
        ``task``, ``recipe``, ``seed``, ...
    """
    written_by = f"neuroanp {environment.version('neuroanp') or 'not installed'}"
    return {WRITTEN_BY: written_by} | {name: _plain(value) for name, value in settings.items()}


def restore(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that `describe` was given; nothing in them is executed.

    Raises
    ------
    DataError
        For a class that is neither offered nor imported, or a value that could not be stored.
    UnknownName
        For a field that the class doesn't have.
    InvalidValue
        For a value that the class refuses.
    """
    return {name: _revive(name, value, Any) for name, value in config.items() if name not in NOT_SETTINGS}


def _plain(value: Any, unit: str = "1") -> Any:
    from brian2 import Quantity

    if isinstance(value, np.generic) and not isinstance(value, Quantity):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Quantity) and value.ndim == 0:
        return quantity_text(value, unit)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item, unit) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if _is_configuration(value):
        cls: Any = type(value)
        stored = {
            name: _plain(getattr(value, name), field.metadata.get("unit", "1"))
            for name, (field, _) in options(cls).items()
        }
        return {"class": registry.address(cls)} | stored
    return {"not stored": type(value).__name__}


def _is_configuration(value: Any) -> bool:
    """True for a part that its options define completely."""
    cls: Any = type(value)
    return isinstance(value, Part) and set(options(cls)) == set(inspect.signature(cls).parameters)


def _revive(where: str, value: Any, hint: Any) -> Any:
    if isinstance(value, Mapping):
        if "not stored" in value:
            raise DataError(f"config.json: {where} was a {value['not stored']}, which can't be stored in it")
        if "class" in value:
            return _construct(where, value)
        return {name: _revive(f"{where}.{name}", item, Any) for name, item in value.items()}
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if isinstance(value, list):
        items = [_revive(where, item, inner[0] if inner else Any) for item in value]
        return items if origin is list else tuple(items)
    if isinstance(value, str) and origin is float and value in INFINITE:
        return float(value)
    return Path(value) if isinstance(value, str) and origin is Path else value


def _construct(where: str, value: Mapping[str, Any]) -> Any:
    cls = _known(where, value["class"])
    known = options(cls)
    arguments = {}
    for name, item in value.items():
        if name == "class":
            continue
        if name not in known:
            raise UnknownName(f"config.json: field of {cls.__name__}", name, list(known))
        field, hint = known[name]
        written = form(field, hint)
        if isinstance(item, str) and written is not None and written.unit is not None:
            arguments[name] = written.parse(f"{cls.__name__}.{name}", item)
        else:
            arguments[name] = _revive(f"{where}.{name}", item, hint)
    try:
        return cls(**arguments)
    except NeuroANPError:
        raise
    except TypeError as error:
        raise InvalidValue(f"config.json: {where}", f"the fields of {cls.__name__}", str(error)) from None


def _known(where: str, address: Any) -> type[Part]:
    """Class of ours, of an installed entry point, or of a module that is imported already.

    A file names classes, but never has a module imported, which would run its code.
    """
    cls = registry.imported(str(address)) or registry.offered_class(str(address))
    if cls is None:
        raise DataError(
            f"config.json: class {address!r} of {where} is neither offered by an installed package nor "
            "imported already: import its module first"
        )
    if not (isinstance(cls, type) and issubclass(cls, Part) and dataclasses.is_dataclass(cls)):
        raise DataError(f"config.json: {address!r} of {where} is not a configuration class")
    return cls

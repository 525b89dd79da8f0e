"""Settings of a run as JSON and back: what ``config.json`` holds."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import inspect
import math
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.config.text import form
from neuroanp.config.units import parse_quantity, quantity_text
from neuroanp.errors import DataError, InvalidValue, NeuroANPError, UnknownName

WRITTEN_BY = "written_by"
NOT_SETTINGS = (WRITTEN_BY, "higher_is_better")


def describe(**settings: Any) -> dict[str, Any]:
    """The keyword arguments of `neuroanp.train` as a dictionary that JSON can hold.

    A dataclass becomes ``{"class": "module:Name", field: value, ...}``, a quantity its text with its unit.
    What JSON can't hold becomes ``{"not stored": type}``: the run is recorded, but can't be repeated from it.

    Parameters
    ----------
    **settings
        ``task``, ``model``, ``rule``, ``decorrelation``, ``optimizer``, ``lanes``, ``updates``, ...
    """
    try:
        version = importlib.metadata.version("neuroanp")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {WRITTEN_BY: f"neuroanp {version}"} | {name: _plain(value) for name, value in settings.items()}


def restore(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `neuroanp.train` that `describe` was given.

    Raises
    ------
    DataError
        For a class that can't be imported, or a value that could not be stored.
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
        fields = [field for field in dataclasses.fields(value) if field.init]
        stored = {f.name: _plain(getattr(value, f.name), f.metadata.get("unit", "1")) for f in fields}
        return {"class": _address(type(value))} | stored
    return {"not stored": type(value).__name__}


def _is_configuration(value: Any) -> bool:
    """Whether the dataclass fields of a value are all that it is made from."""
    if isinstance(value, type) or not dataclasses.is_dataclass(value):
        return False
    fields = {field.name for field in dataclasses.fields(value) if field.init}
    return fields == set(inspect.signature(type(value)).parameters)


def _address(cls: type) -> str:
    """``module:Name`` of a class, by the outermost package that offers it."""
    parts = cls.__module__.split(".")
    for length in range(1, len(parts)):
        module = ".".join(parts[:length])
        if getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return f"{module}:{cls.__name__}"
    return f"{cls.__module__}:{cls.__qualname__}"


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
    if isinstance(value, str) and origin in (float, Path):
        return origin(value)
    return value


def _construct(where: str, value: Mapping[str, Any]) -> Any:
    cls = _import(where, value["class"])
    known = {field.name: field for field in dataclasses.fields(cls) if field.init}
    hints = typing.get_type_hints(cls)
    arguments = {}
    for name, item in value.items():
        if name == "class":
            continue
        if name not in known:
            raise UnknownName(f"config.json: field of {cls.__name__}", name, list(known))
        shape = form(known[name], hints[name])
        if isinstance(item, str) and shape is not None and shape.unit is not None:
            arguments[name] = parse_quantity(f"{cls.__name__}.{name}", item, shape.unit)
        else:
            arguments[name] = _revive(f"{where}.{name}", item, hints[name])
    try:
        return cls(**arguments)
    except NeuroANPError:
        raise
    except TypeError as error:
        raise InvalidValue(f"config.json: {where}", f"the fields of {cls.__name__}", str(error)) from None


def _import(where: str, address: Any) -> Any:
    module, _, name = str(address).partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(f"config.json: class {address!r} of {where} can't be imported: {error}") from None
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise DataError(f"config.json: {address!r} of {where} is not a configuration class")
    return found

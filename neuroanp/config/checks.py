"""Checks of type, shape, unit and range; all raise `InvalidValue` with class and field."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from typing import Any

import numpy as np

from neuroanp.config import registry
from neuroanp.config.units import parse_unit
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

LARGEST = 2**31 - 1
"""Largest whole number for an option that says nothing else."""

NO_BOUNDS: dict[str, float | None] = {"least": None, "most": None, "above": None, "below": None}


def declared(owner: object, name: str, field: dataclasses.Field[Any], hint: Any) -> None:
    """Check of an option: its declared type, unit and bounds."""
    value, metadata = getattr(owner, name), field.metadata
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = [kind for kind in (typing.get_args(hint) if union else (hint,)) if kind is not types.NoneType]
    where = f"{type(owner).__name__}.{name}"
    if union and value is None:
        return
    if len(members) != 1:
        _any_of(where, value, members)
        return
    (kind,) = members
    bounds = metadata.get("bounds", NO_BOUNDS)
    if typing.get_origin(kind) is typing.Literal:
        one_of(owner, name, typing.get_args(kind))
    elif metadata.get("unit", "1") != "1":
        has_unit(owner, name, parse_unit(metadata["unit"]))
        number(where, value, bounds)
    elif kind is bool:
        if not isinstance(value, bool):
            raise InvalidValue(where, "True or False", value)
    elif kind is int:
        number(where, value, bounds, whole=True)
        if bounds["most"] is None and abs(value) > LARGEST:
            raise InvalidValue(where, f"a whole number of at most {LARGEST}", value)
    elif kind is float:
        number(where, value, bounds, finite=metadata.get("finite", True))
    elif typing.get_origin(kind) is tuple and typing.get_args(kind)[1:] == (Ellipsis,):
        _several(where, value, typing.get_args(kind)[0])
    elif isinstance(kind, type) and kind not in (object, Any):
        instance(where, value, kind)


def _any_of(where: str, value: Any, kinds: list[Any]) -> None:
    known = all(isinstance(kind, type) and kind is not Any for kind in kinds)
    if known and not isinstance(value, tuple(kinds)):
        raise InvalidValue(where, " or ".join(kind.__name__ for kind in kinds), value)


def _several(where: str, value: Any, kind: Any) -> None:
    if not isinstance(value, tuple):
        raise InvalidValue(where, "a tuple", value)
    for item in value:
        if kind in (int, float):
            number(where, item, whole=kind is int)
        elif isinstance(kind, type):
            instance(where, item, kind)


def instance(where: str, value: Any, kind: type[Any]) -> None:
    """Check of a class; a class or a number in place of an instance is told how to write it.

    Parameters
    ----------
    where : str
        Class and field.
    value : object
    kind : type
    """
    if isinstance(value, kind):
        return
    expected = "text" if kind is str else f"an instance of {kind.__name__}"
    if isinstance(value, type) and issubclass(value, kind):
        raise InvalidValue(where, f"{expected}, as {value.__name__}()", f"the class {value.__name__}")
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    if fields and isinstance(value, (int, float)) and not isinstance(value, bool):
        expected += f", as {kind.__name__}({fields[0].name}={value})"
    offered = registry.kind_of(kind)
    if offered is not None and isinstance(value, str) and value in registry.names(offered):
        expected += f", as {registry.find(offered, value).__name__}()"
    raise InvalidValue(where, expected, value)


def number(
    where: str,
    value: Any,
    bounds: typing.Mapping[str, float | None] = NO_BOUNDS,
    *,
    whole: bool = False,
    finite: bool = True,
) -> None:
    """Check of a number, or a scalar quantity in base units, and its bounds.

    Parameters
    ----------
    where : str
        Class and field.
    value : object
    bounds : mapping
        ``least``, ``most``, ``above`` and ``below``, None for none.
    whole, finite : bool
        True for a number that has to be whole, or finite.
    """
    least, most, above, below = (bounds[name] for name in NO_BOUNDS)
    numeric = (int, np.integer) if whole else (int, float, np.number, np.ndarray)
    valid = isinstance(value, numeric) and not isinstance(value, bool) and np.ndim(value) == 0
    valid = valid and np.asarray(value).dtype.kind in "iuf"
    if valid:
        x = float(value)
        valid = not math.isnan(x) and (math.isfinite(x) or not finite)
        valid = valid and (least is None or x >= least) and (most is None or x <= most)
        valid = valid and (above is None or x > above) and (below is None or x < below)
    if not valid:
        raise InvalidValue(where, _range("a whole number" if whole else "a number", bounds), value)


def _range(noun: str, bounds: typing.Mapping[str, float | None]) -> str:
    least, most, above, below = (bounds[name] for name in NO_BOUNDS)
    if above is not None:
        upper = "" if most is None else f" and at most {most:g}"
        return f"{noun} above {above:g}{upper}"
    if least is None and below is not None:
        return f"{noun} below {below:g}"
    if least is None:
        return noun if most is None else f"{noun} of at most {most:g}"
    if most is None and below is None:
        return f"{noun} of {least:g} or more"
    return f"{noun} from {least:g} to {f'less than {below:g}' if most is None else f'{most:g}'}"


def whole(owner: object, least: int, *fields: str) -> None:
    """Check of fields: whole numbers of at least `least`."""
    for field in fields:
        where = f"{type(owner).__name__}.{field}"
        number(where, getattr(owner, field), {**NO_BOUNDS, "least": least}, whole=True)


def one_of(owner: object, field: str, names: tuple[Any, ...]) -> None:
    """Check of a field that is one of some names; its error suggests the nearest."""
    value = getattr(owner, field)
    if value not in names:
        near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        where = f"{type(owner).__name__}.{field}"
        raise InvalidValue(where, f"one of {', '.join(map(str, names))}", f"{value!r}{hint}")


def has_unit(owner: object, field: str, unit: Any) -> None:
    """Check of a field that is a quantity with the dimensions of `unit`."""
    from brian2 import get_dimensions

    value = getattr(owner, field)
    try:
        fits = get_dimensions(value) is get_dimensions(unit)
    except (TypeError, ValueError):  # lists that are no array
        fits = False
    if not fits:
        raise InvalidValue(f"{type(owner).__name__}.{field}", f"a quantity in {unit}", value)


def array(where: str, value: Any, shape: tuple[int | None, ...], dtype: Any = np.float64) -> Array:
    """Finite array of the given shape from a value; ``None`` admits any length on an axis."""
    try:
        result = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError):
        raise InvalidValue(where, f"an array of numbers of shape {shape}", type(value).__name__) from None
    fits = result.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(result.shape, shape, strict=True)
    )
    if not fits:
        expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise InvalidValue(where, f"shape {expected}", f"shape {result.shape}")
    if not np.isfinite(result).all():
        first = tuple(int(k) for k in np.argwhere(~np.isfinite(result))[0])
        raise InvalidValue(where, "finite numbers", f"{result[first]} at index {first}")
    return result

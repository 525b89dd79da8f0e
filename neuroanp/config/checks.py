"""Every check of shape, unit and range; all raise `InvalidValue` with class and field."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue


def _where(owner: object, field: str) -> str:
    return f"{type(owner).__name__}.{field}"


def _number(owner: object, field: str, expected: str) -> float:
    value = getattr(owner, field)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidValue(_where(owner, field), expected, value) from None
    if isinstance(value, bool) or not np.isfinite(number):
        raise InvalidValue(_where(owner, field), expected, value)
    return number


def positive(owner: object, *fields: str) -> None:
    """Each field is a finite number above 0 (a quantity is judged in its base unit)."""
    for field in fields:
        if _number(owner, field, "a number above 0") <= 0:
            raise InvalidValue(_where(owner, field), "a number above 0", getattr(owner, field))


def not_negative(owner: object, *fields: str) -> None:
    """Each field is a finite number of 0 or more."""
    for field in fields:
        if _number(owner, field, "a number of 0 or more") < 0:
            raise InvalidValue(_where(owner, field), "a number of 0 or more", getattr(owner, field))


def between(owner: object, low: float, high: float, *fields: str) -> None:
    """Each field is a finite number with ``low <= value <= high``."""
    for field in fields:
        expected = f"a number from {low:g} to {high:g}"
        if not low <= _number(owner, field, expected) <= high:
            raise InvalidValue(_where(owner, field), expected, getattr(owner, field))


def whole(owner: object, low: int, *fields: str) -> None:
    """Each field is a whole number of at least `low`."""
    for field in fields:
        value = getattr(owner, field)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise InvalidValue(_where(owner, field), f"a whole number of {low} or more", value)


def one_of(owner: object, field: str, allowed: tuple[str, ...]) -> None:
    """The field is one of the allowed names; the nearest is suggested otherwise."""
    value = getattr(owner, field)
    if value not in allowed:
        import difflib

        near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InvalidValue(_where(owner, field), f"one of {', '.join(allowed)}", f"{value!r}{hint}")


def has_unit(owner: object, field: str, unit: Any) -> None:
    """The field is a quantity with the dimensions of `unit`."""
    from brian2 import get_dimensions

    value = getattr(owner, field)
    if get_dimensions(value) is not get_dimensions(unit):
        raise InvalidValue(_where(owner, field), f"a quantity in {unit}", value)


def array(where: str, value: Any, shape: tuple[int | None, ...], dtype: Any = np.float64) -> np.ndarray:
    """`value` as a finite array of the given shape; ``None`` admits any length on an axis."""
    try:
        result = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError):
        raise InvalidValue(where, f"an array of numbers of shape {shape}", type(value).__name__) from None
    fits = result.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(result.shape, shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise InvalidValue(where, f"shape {wanted}", f"shape {result.shape}")
    if not np.isfinite(result).all():
        first = tuple(int(k) for k in np.argwhere(~np.isfinite(result))[0])
        raise InvalidValue(where, "finite numbers", f"{result[first]} at index {first}")
    return result

"""What the passes of a lane say together: the course without noise, and the effect of the noise."""

from __future__ import annotations

from neuroanp.errors import InvalidValue
from neuroanp.types import Array


def shares(passes: tuple[str, ...]) -> tuple[float, ...]:
    """What each pass adds to the course without noise, see `clean`."""
    if "clean" in passes:
        return tuple(float(name == "clean") for name in passes)
    return tuple(1.0 / len(passes) for name in passes)


def clean(values: Array, passes: tuple[str, ...]) -> Array:
    """Values without the noise, to first order in it.

    The clean pass where there is one, else the mean of plus and minus, else the plus pass itself.

    Parameters
    ----------
    values : (T, P, ...) array
    passes : tuple of str
        What axis P holds.

    Returns
    -------
    (T, ...) array; a view of `values` where one pass gives it.
    """
    if "minus" in passes and "clean" not in passes:
        mean: Array = values[:, passes.index("plus")] + values[:, passes.index("minus")]
        mean *= 0.5
        return mean
    course: Array = values[:, passes.index("clean" if "clean" in passes else "plus")]
    return course


def noisy(values: Array, passes: tuple[str, ...]) -> Array:
    """Values (T, ...) of the pass that the modulator judges: the plus pass, or the only one there is.

    Parameters
    ----------
    values : (T, P, ...) array
    passes : tuple of str
        What axis P holds.
    """
    return values[:, passes.index("plus") if "plus" in passes else 0]


def effect(values: Array, passes: tuple[str, ...]) -> Array:
    """What the noise of the plus pass changed, to first order in it.

    ``(plus - minus) / 2`` for mirrored passes, ``plus - clean`` otherwise.

    Parameters
    ----------
    values : (T, P, ...) array
    passes : tuple of str
        What axis P holds.

    Returns
    -------
    (T, ...) array, a new one.

    Raises
    ------
    InvalidValue
        When the plus pass has no other to be compared with.
    """
    mirrored = "minus" in passes
    if "plus" not in passes or not (mirrored or "clean" in passes):
        raise InvalidValue("Record.passes", "plus with clean or minus to compare it with", ", ".join(passes))
    other = passes.index("minus" if mirrored else "clean")
    change: Array = values[:, passes.index("plus")] - values[:, other]
    if mirrored:
        change *= 0.5
    return change

"""Operations that rules and stages need alike on NumPy's arrays and on JAX's, which nothing can change.

On traced values, of which only shape and dtype are known, these functions record what is to be done; on
NumPy's they do it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

HOST = (np.ndarray, np.generic, int, float)
"""Types of values that are known here and now."""


def namespace(values: Any) -> Any:
    """Array module of an array: `numpy`, or the one that the array itself names."""
    return np if isinstance(values, HOST) else values.__array_namespace__()


def number(value: Any) -> Any:
    """Number of an array of one element; one that isn't known yet as it is."""
    return float(value) if isinstance(value, HOST) else value


def contiguous(values: Any, dtype: Any = None) -> Any:
    """Array in the order of its axes, as compiled operations need it; NumPy's itself where it is."""
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, dtype)
    return values if dtype is None else values.astype(dtype)


def sqrt(x: Any) -> Any:
    """Square root of a number."""
    return math.sqrt(x) if isinstance(x, HOST) else namespace(x).sqrt(x)


def cos(x: Any) -> Any:
    """Cosine of a number."""
    return math.cos(x) if isinstance(x, HOST) else namespace(x).cos(x)


def chosen(holds: Any, formed: Callable[[], Any], otherwise: Any) -> Any:
    """`formed()` where a condition holds, else `otherwise`; formed only then, if it is known.

    Parameters
    ----------
    holds : bool, or array of one
    formed : callable
        Array, or dict of arrays.
    otherwise : array or dict of arrays
        Of the same shapes.
    """
    if isinstance(holds, (bool, np.bool_)):
        return formed() if holds else otherwise
    where, new = namespace(holds).where, formed()
    if isinstance(new, dict):
        return {name: where(holds, value, otherwise[name]) for name, value in new.items()}
    return where(holds, new, otherwise)


def waited(holds: Any, formed: Callable[[], Any]) -> Any:
    """Arrays by name once a condition holds, none before; zeros, where it isn't known yet."""
    if isinstance(holds, (bool, np.bool_)):
        return formed() if holds else {}
    return {name: values * holds for name, values in formed().items()}


def added(total: Any, place: Any, values: Any) -> Any:
    """Array with values added at a place (index or slice); NumPy's is changed."""
    if isinstance(total, np.ndarray):
        total[place] += values
        return total
    return total.at[place].add(values)


def samples(values: Any) -> Any:
    """Samples (T L, n) of values (T, L, n), for `products`; JAX's stay, whose lanes may be far apart."""
    return values.reshape(-1, values.shape[-1]) if isinstance(values, np.ndarray) else values


def products(a: Any, b: Any) -> Any:
    """Sum (n, m) of the outer products of all samples."""
    return a.T @ b if a.ndim == 2 else namespace(a).einsum("tli,tlj->ij", a, b)


def accumulated(values: Any, memory: Any, backwards: bool = False) -> Any:
    r"""Fading sums :math:`s_t = \mu s_{t-1} + x_t` of values (T, ...), from the first step or the last.

    Parameters
    ----------
    values : (T, ...) array
    memory : float or array
        :math:`\mu`, which broadcasts against a step.
    backwards : bool
    """
    return scanned(lambda s, x: (memory * s + x,) * 2, values[0] * 0, values, backwards)[1]


def scanned(step: Callable[[Any, Any], Any], start: Any, values: Any, backwards: bool = False) -> Any:
    """Last carry and results (T, ...) of ``carry, result = step(carry, values[t])``, step after step.

    Parameters
    ----------
    step : callable
    start : array
        Carry before the first step.
    values : (T, ...) array
    backwards : bool
        From the last step to the first; results stay in the order of the values.
    """
    if not isinstance(values, np.ndarray):
        import jax

        return jax.lax.scan(step, start, values, reverse=backwards)
    results, carry = np.empty_like(values), start
    steps = range(len(values))
    for t in reversed(steps) if backwards else steps:
        carry, results[t] = step(carry, values[t])
    return carry, results

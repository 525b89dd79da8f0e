"""Sums of terms: coefficients, of constants and broadcast numbers, times values in fixed point."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from neuroanp.substrate.formats import Fixed, Format

GATES = ("going", "resting", "course")
"""Broadcast numbers that are 0 or 1."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "sqrt": np.sqrt,
    "log": np.log,
    "abs": np.abs,
    "clip": np.clip,
    "sign": np.sign,
    "int": lambda value: np.asarray(value) * 1,
    "timestep": lambda time, dt: np.floor(time / dt + 1e-3),
}
"""Functions of constants and broadcast numbers."""


class Scalar(NamedTuple):
    """Expression of constants and broadcast numbers, which all synapses share."""

    source: str


Coefficient = float | Scalar
Factors = tuple[tuple[str, ...], tuple[Fixed, ...]]
"""Gates and values of a term."""

Sum = dict[Factors, Coefficient]
ONE: Factors = ((), ())


def constant(number: float) -> Sum:
    """Sum that is a constant."""
    return {ONE: number} if number else {}


def broadcast(name: str) -> Sum:
    """Sum that is a broadcast number."""
    return {((name,), ()): 1.0} if name in GATES else {ONE: Scalar(name)}


def value(fixed: Fixed, coefficient: float = 1.0) -> Sum:
    """Sum that is one value, times a constant."""
    return {((), (fixed,)): coefficient}


def plus(a: Sum, b: Sum) -> Sum:
    """Sum of both."""
    total = dict(a)
    for factors, coefficient in b.items():
        total[factors] = combined("{} + {}", total[factors], coefficient) if factors in total else coefficient
    return {factors: coefficient for factors, coefficient in total.items() if coefficient}


def times(a: Sum, b: Sum) -> Sum:
    """Product, term by term."""
    total: Sum = {}
    for (gates, values), c in a.items():
        for (others, more), d in b.items():
            factors = tuple(sorted({*gates, *others})), (*values, *more)
            total = plus(total, {factors: combined("{} * {}", c, d)})
    return total


def combined(template: str, *parts: Coefficient) -> Coefficient:
    """Coefficient made of others: a number where all are."""
    if all(isinstance(part, float) for part in parts):
        return float(scalar(template.format(*map(repr, parts)), {}))
    if template == "{} * {}" and 1.0 in parts:
        return parts[1] if parts[0] == 1.0 else parts[0]
    return Scalar(
        "(" + template.format(*(p.source if isinstance(p, Scalar) else repr(p) for p in parts)) + ")"
    )


def scalar(source: str, values: Mapping[str, Any]) -> Any:
    """Value of an expression of constants and broadcast numbers."""
    return eval(_compiled(source), _NAMES, dict(values))


def broadcast_integers(formats: Mapping[str, Format], values: Mapping[str, Any]) -> dict[str, Any]:
    """Broadcast expressions as integers, by the expression."""
    return {source: format_.quantized(scalar(source, values)) for source, format_ in formats.items()}


@functools.lru_cache(maxsize=1024)
def _compiled(source: str) -> CodeType:
    return compile(source, "<broadcast>", "eval")


_NAMES: dict[str, Any] = FUNCTIONS | {"__builtins__": {}}

"""Stretches of a long trial that an update is summed in, and draws of noise that is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.engine.threads import summed
from neuroanp.network.layout import PROJECTIONS
from neuroanp.network.record import Record
from neuroanp.rules._factors import decorrelated, times
from neuroanp.types import Array, Arrays

PART, CACHED, PARTS = 512, 1 << 18, 16
"""Samples (steps x lanes) of a long trial that are summed at a time, to stay in the cache: more of few units,
as long as there are parts enough for threads."""

STEPPED = ("loss", "mask", "inputs", "traces", "activity", "noise", "outputs", "targets", "noise_out")
"""Arrays of a record with one entry a step."""


def part(record: Record, first: int, last: int) -> Record:
    """Steps `first` to before `last` of a trial, as a trial of views, without its decorrelation."""
    cut, fields = slice(first, last), dict(vars(record))
    fields |= {name: fields[name][cut] for name in STEPPED}
    fields |= {
        "trace": record.trace[first : last + 1],
        "hidden": {name: values[cut] for name, values in record.hidden.items()},
        "past": _past(record, first),
        "inputs_before": _inputs_before(record, first),
        "decorrelation": {},
    }
    piece = object.__new__(type(record))
    vars(piece).update(fields)  # `dataclasses.replace` takes as long as a product of the part
    return piece


class Stretch(NamedTuple):
    """Some steps of a trial."""

    steps: slice
    record: Record
    """These steps, as `part` has them."""


def stretches(record: Record, hold: int = 1) -> list[Stretch]:
    """Stretches that a long trial is summed in; all of a short one, with its decorrelation.

    They are of whole draws of noise that is held for `hold` steps.
    """
    steps, lanes = record.mask.shape
    most = max(PART, min(CACHED // record.trace.shape[2], steps * lanes // PARTS))
    size = -(-max(1, most // lanes) // hold) * hold
    if steps <= 2 * size or not isinstance(record.trace, np.ndarray):
        return [Stretch(slice(0, steps), record)]
    cuts = [(first, min(first + size, steps)) for first in range(0, steps, size)]
    return [Stretch(slice(first, last), part(record, first, last)) for first, last in cuts]


def over(record: Record, products: Callable[[Any], Arrays], items: Sequence[Any]) -> Arrays:
    """Sum of products by weight name over the `stretches` of a trial, and their decorrelation.

    Parameters
    ----------
    record : Record
    products : callable
        Gives those of an item.
    items : sequence
        One a stretch.
    """
    total = summed(products, items)
    if len(items) == 1:
        return total
    source = {name: record.decorrelation.get(PROJECTIONS[name].decorrelated_by) for name in total}
    return {name: t if (D := source[name]) is None else decorrelated(t, D) for name, t in total.items()}


def _past(record: Record, first: int) -> Array | None:
    if record.past is None:
        return None
    late = record.trace[1 + max(0, first - len(record.past)) : first + 1]
    return np.concatenate([record.past[first:], late])


def _inputs_before(record: Record, first: int) -> Array | None:
    before = record.inputs_before
    if before is None or len(before) == 0:
        return before
    return np.concatenate([before[first:], record.inputs[max(0, first - len(before)) : first]])


def over_draws(modulator: Array, x: Array, hold: int) -> Array:
    """Sum (B, L, n) of modulator times trace over the steps of each of B draws; the last may be shorter."""
    weighted, xp = times(modulator, x), namespace(x)
    rest = -len(x) % hold
    if rest:
        weighted = xp.concatenate([weighted, xp.zeros((rest, *x.shape[1:]), x.dtype)])
    return weighted.reshape(-1, hold, *x.shape[1:]).sum(axis=1)


def draws(noise: Array, hold: int) -> Array | None:
    """Noise (B, L, n) of each draw; None where it doesn't stay for `hold` steps, as where an episode ends."""
    if not isinstance(noise, np.ndarray):
        return noise[::hold]  # there are no episodes where arrays are traced
    first, last = noise[::hold], noise[hold - 1 :: hold]
    last = last if len(last) == len(first) else np.concatenate([last, noise[-1:]])
    return first if np.array_equal(first, last) else None

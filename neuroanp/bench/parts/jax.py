"""Part "jax": engine ``jax`` beside a bare scan of the same network, and its memory beside BPTT's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from neuroanp.bench import ours
from neuroanp.bench.peak import DTYPE, peak
from neuroanp.bench.peers.jax_scan import BareScan
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved, spread
from neuroanp.errors import MissingExtra
from neuroanp.gradients._jax import precision

NOISES: tuple[Literal["gaussian", "sign"], ...] = ("gaussian", "sign")
SIZES = ((100, 1), (100, 32), (500, 32))
LIMIT, MEMORY_LIMIT = 1.5, 1.5
UNITS, LANES = 1000, 32


def rows(quick: bool) -> Iterator[Row]:
    """Time of an update size by size, then peaks of memory."""
    try:
        for hidden, lanes in SIZES[:2] if quick else SIZES:
            yield from one_size(hidden, lanes, 1.0 if quick else 10.0)
        hidden, steps = (100, (100, 1000)) if quick else (UNITS, (1000, 10_000))
        yield from memory(hidden, LANES, steps)
    except MissingExtra as error:
        yield Row(part="jax", what="engine jax", size="", note=str(error))


def one_size(hidden: int, lanes: int, seconds: float, steps: int = ours.STEPS) -> list[Row]:
    """Rows of one size: both kinds of noise, beside the bare scan and our compiled engine.

    Parameters
    ----------
    hidden, lanes : int
    seconds : float
        For all rounds.
    steps : int
    """
    trial = ours.copying(steps, lanes)
    functions: dict[str, Callable[[], Any]] = {}
    with precision(DTYPE):
        for noise in NOISES:
            session = ours.training(hidden, trial, DTYPE, engine="jax", distribution=noise)
            functions[f"ours, {noise}"] = ours.stepping(session)
            given = *ours.arrays(trial, DTYPE), ours.LR, ours.SIGMA
            functions[f"bare, {noise}"] = BareScan(session.state.weights, *given, noise)
        compiled = ours.training(hidden, trial, DTYPE)
        functions["compiled"] = ours.stepping(compiled)
        samples = interleaved(functions, seconds)
    labels: dict[str, Any] = {"part": "jax", "size": ours.size(hidden, lanes, DTYPE, steps)}
    made = [
        compared(
            samples,
            f"ours, {noise}",
            f"bare, {noise}",
            what=f"bare scan, {noise} noise",
            limit=LIMIT,
            **labels,
        )
        for noise in NOISES
    ]
    return [
        *made,
        compared(samples, "ours, gaussian", "compiled", what="compiled engine", limit=None, **labels),
    ]


def memory(hidden: int, lanes: int, steps: tuple[int, int]) -> Iterator[Row]:
    """Peaks of processes of their own, of short and of long trials."""
    size = f"{hidden} units, {lanes} lanes, {DTYPE}"
    for way, limit in (("replay", MEMORY_LIMIT), ("bptt", None)):
        few, many = (peak(way, count, hidden, lanes) for count in steps)
        what = f"peak memory, {way}, {steps[1]:,} steps over {steps[0]:,}"
        ratio = spread(np.array([many / few]))
        yield Row(
            part="jax", what=what, size=size, ours=many, other=few, unit="MiB", ratio=ratio, limit=limit
        )

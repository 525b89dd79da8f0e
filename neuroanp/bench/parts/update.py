"""Part "update": one training update beside JAX and beside its bare products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.peers.blas import Floor
from neuroanp.bench.peers.jax import JaxUpdate
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.errors import MissingExtra
from neuroanp.gradients._jax import precision

OURS: dict[str, Literal["gaussian", "sign"]] = {"ours": "gaussian", "ours with sign noise": "sign"}
FLOOR = "bare BLAS products"
GATHERED = "JAX BPTT + Adam, gradient gathered by hand"
"""The stronger peer, which counts."""

PEERS = {"JAX BPTT + Adam": False, GATHERED: True}
AGAINST_JAX = {(500, 1): 0.6, (500, 32): 0.6, (1000, 1): 0.6, (1000, 32): 0.6, (100, 32): 0.8}
"""Largest acceptable ratio of ours to it in float32, by units and lanes, on the same cores."""

HIDDEN, LANES, DTYPES = (100, 500, 1000), (1, 32), ("float32", "float64")


def rows(quick: bool) -> Iterator[Row]:
    """The rows, size by size."""
    for dtype in DTYPES:
        for hidden in HIDDEN[:2] if quick else HIDDEN:
            for lanes in LANES:
                yield from one_size(hidden, lanes, dtype, seconds=1.0 if quick else 10.0)


def one_size(hidden: int, lanes: int, dtype: str, seconds: float, steps: int = ours.STEPS) -> list[Row]:
    """The rows of one size.

    Parameters
    ----------
    hidden, lanes : int
    dtype : {"float32", "float64"}
    seconds : float
        For all rounds.
    steps : int
    """
    labels: dict[str, Any] = {"part": "update", "size": ours.size(hidden, lanes, dtype, steps)}
    trial = ours.copying(steps, lanes)
    sessions = {name: ours.training(hidden, trial, dtype, distribution=noise) for name, noise in OURS.items()}
    inputs, targets = ours.arrays(trial, dtype)
    floor = Floor(hidden, inputs.shape[2], targets.shape[2], lanes, trial.steps, dtype)
    functions: dict[str, Callable[[], Any]] = {name: ours.stepping(sessions[name]) for name in OURS}
    functions[FLOOR] = floor
    missing = ""
    try:
        with threadpool_limits(1), precision(dtype):
            for name, gathered in PEERS.items():
                functions[name] = JaxUpdate(
                    sessions["ours"].state.weights, inputs, targets, ours.LR, gathered
                )
            samples = interleaved(functions, seconds)
    except MissingExtra as error:
        missing = str(error)
        with threadpool_limits(1):
            samples = interleaved(functions, seconds)
    rows = [Row(what=name, note=missing, **labels) for name in PEERS if missing]
    for name in [FLOOR, *([] if missing else PEERS)]:
        most = limit(name, hidden, lanes, dtype)
        for variant in OURS:
            what = name if variant == "ours" else f"{name}, {variant}"
            rows.append(compared(samples, variant, name, what=what, limit=most, **labels))
    return rows


def limit(name: str, hidden: int, lanes: int, dtype: str) -> float | None:
    """Largest ratio of ours to the other that is acceptable, if any."""
    if name == FLOOR:
        return 1.5 if hidden >= 500 else None
    if not PEERS[name] or dtype != "float32":
        return None
    return AGAINST_JAX.get((hidden, lanes))

"""Part "cores": one training update on all cores, beside JAX's on all of them, and JAX's on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.parts.update import AGAINST_JAX, GATHERED
from neuroanp.bench.peers.jax import JaxUpdate, devices
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.engine.program.crew import TRIES
from neuroanp.engine.threads import physical_cores
from neuroanp.errors import MissingExtra
from neuroanp.gradients._jax import precision

SIZES = ((100, 1), (100, 32), (500, 1), (500, 32), (1000, 1), (1000, 32), (500, 256))
QUICK = ((100, 1), (500, 32))
"""Units and lanes."""

DTYPE = "float32"
ALONE = "ours on one core"
PEERS = {"cpu": f"{GATHERED}, all cores", "gpu": f"{GATHERED}, GPU"}
AGAINST_ONE = {(500, 32): 0.54, (1000, 32): 0.54, (100, 1): 1.05}
"""Largest acceptable ratio of two cores to one, both free, by units and lanes."""


def rows(quick: bool) -> Iterator[Row]:
    """The rows, size by size."""
    for hidden, lanes in QUICK if quick else SIZES:
        yield from one_size(hidden, lanes, seconds=2.0 if quick else 20.0)


def one_size(hidden: int, lanes: int, seconds: float, steps: int = ours.STEPS) -> Iterator[Row]:
    """The rows of one size: beside one core, and beside each kind of device that JAX finds.

    Parameters
    ----------
    hidden, lanes : int
    seconds : float
        For all rounds.
    steps : int
    """
    cores = physical_cores()
    size = f"{ours.size(hidden, lanes, DTYPE, steps)}, {cores} {'core' if cores == 1 else 'cores'}"
    labels: dict[str, Any] = {"part": "cores", "size": size}
    trial = ours.copying(steps, lanes)
    session = ours.training(hidden, trial, DTYPE, threads=None)
    alone = ours.training(hidden, trial, DTYPE)
    update = ours.stepping(session)
    with threadpool_limits(1):
        for _ in range(3 * TRIES + 1):
            update()  # which tries its ways before it takes the quickest
        samples = interleaved({"ours": update, ALONE: ours.stepping(alone)}, seconds / 2)
    limit = AGAINST_ONE.get((hidden, lanes)) if cores == 2 else None
    yield compared(samples, "ours", ALONE, what=ALONE, limit=limit, **labels)
    # apart from JAX, whose threads look for work for a while after a call
    functions: dict[str, Callable[[], Any]] = {"ours": update}
    try:
        for kind, device in devices(tuple(PEERS)).items():
            with precision(DTYPE):
                peer = JaxUpdate(
                    session.state.weights, *ours.arrays(trial, DTYPE), ours.LR, gathered=True, device=device
                )
            functions[PEERS[kind]] = peer
    except MissingExtra as error:
        yield Row(what=PEERS["cpu"], note=str(error), **labels)
    if len(functions) > 1:
        with threadpool_limits(1):
            samples = interleaved(functions, seconds)
    for name in [name for name in functions if name != "ours"]:
        limit = AGAINST_JAX.get((hidden, lanes)) if name == PEERS["cpu"] else None
        yield compared(samples, "ours", name, what=name, limit=limit, **labels)

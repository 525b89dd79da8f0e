"""Part "large": 10,000 LIF cells with 1 % of their synapses learn pattern generation: time and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from brian2 import ms
from threadpoolctl import threadpool_limits

from neuroanp.bench.table import Row
from neuroanp.bench.timing import spread
from neuroanp.models import LIF
from neuroanp.optim import Adam
from neuroanp.tasks import PatternGeneration
from neuroanp.training.loop import Trainer

LANES, DTYPE = 4, "float64"


def rows(quick: bool) -> Iterator[Row]:
    """Seconds of building, simulating and learning; peak memory; and what was learned."""
    updates = 3 if quick else 10
    task = PatternGeneration()
    recipe = task.recipe("node").replace(
        model=LIF(hidden=10_000, density=0.01, delay=20 * ms, input_gain=2.0),
        optimizer=Adam(lr=2e-4, input_lr=2e-3, readout_lr=1e-4),
        lanes=LANES,
        updates=updates,
    )
    start = time.perf_counter()
    training = Trainer(task, recipe, engine="compiled", dtype=DTYPE, tests=0)
    build = time.perf_counter() - start
    with threadpool_limits(1):
        losses, seconds = zip(
            *(timed(training.learn, training.trial(k), k) for k in range(updates)), strict=True
        )
        trial = training.trial(0)
        rate = 1000 * float(training.network.run(trial).traces.mean())
        _, simulation = timed(training.network.run, trial)
    labels: dict[str, Any] = {"part": "large", "size": f"10,000 LIF cells at 1 %, {LANES} lanes, {DTYPE}"}
    note = f"{training.state.weights['W_rec'].size:,} recurrent synapses, {rate:.2g} Hz, {trial.steps} steps"
    yield Row(what="one update", ours=float(np.median(seconds)), unit="s", note=note, **labels)
    yield Row(what="its simulation", ours=simulation, unit="s", **labels)
    yield Row(what="building the network", ours=build, unit="s", **labels)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    yield Row(what="peak memory", ours=peak, unit="GiB", limit=4.0, **labels)
    ratio = spread([losses[-1] / losses[0]])
    what = f"loss of update {updates} over that of the first"
    yield Row(what=what, ours=losses[-1], other=losses[0], unit="", ratio=ratio, **labels)


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Value of a call, and its wall seconds."""
    start = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start

"""Part "breakdown": where the time of an update goes, by decorrelated activity-based perturbation.

Beside it are the products that the update can't do without: two passes of every step, the update's outer
products, and those of decorrelation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.models import TanhRNN
from neuroanp.rules import ActivityPerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training import recipe as recipes
from neuroanp.training.loop import Training

HIDDEN, LANES, DTYPE = 500, 1, "float64"
Functions = dict[str, Callable[[], Any]]


def rows(quick: bool) -> Iterator[Row]:
    """A row for each part of an update, and one for all of it."""
    training = decorrelated(HIDDEN, LANES, DTYPE)
    steps, bare = parts(training), products(training)
    bare["all"] = lambda: [product() for name, product in bare.items() if name != "all"]
    steps["all"] = lambda: training.step(0)
    functions = steps | {f"bare {name}": product for name, product in bare.items()}
    with threadpool_limits(1):
        samples = interleaved(functions, 3.0 if quick else 15.0)
    labels: dict[str, Any] = {
        "part": "breakdown", "size": ours.size(HIDDEN, LANES, DTYPE, training.trial(0).steps)
    }  # fmt: skip
    for name in steps:
        if name in bare:
            yield compared(samples, name, f"bare {name}", what=f"bare products, {name}", **labels)
        else:
            yield Row(what=name, ours=float(np.median(samples[name])), **labels)


def decorrelated(hidden: int, lanes: int, dtype: str) -> Training:
    """Training whose update is measured: copying 100 symbols."""
    settings = recipes.recipe("copying-memory", "best") | {
        "model": TanhRNN(hidden=hidden), "rule": ActivityPerturbation(sigma=0.01), "lanes": lanes,
    }  # fmt: skip
    task = CopyingMemory(alphabet=10, length=100, delay=10, evaluation_trials=lanes)
    return Training(task=task, seed=0, engine="compiled", dtype=dtype, preset="best", **settings)


def parts(training: Training) -> Functions:
    """The parts of an update, each on its own, by name."""
    network, modulator, decorrelation = training.network, training.modulator, training.decorrelation
    network.load(training.weights, training.matrices)
    trial = training.trial(0)
    record = network.run(trial)
    modulation = modulator(record, training.modulator_state)
    gradient = training.rule.update(record, modulation)

    def optimize() -> None:
        copies = {name: values.copy() for name, values in gradient.items()}
        training.stages(copies, training.weights, training.stages_state, 0.0)

    return {
        "trial": lambda: training.trial(0),
        "simulation": lambda: network.run(trial),
        "modulator": lambda: modulator(record, training.modulator_state),
        "update": lambda: training.rule.update(record, modulation),
        "optimizer": optimize,
        "decorrelation": lambda: decorrelation and decorrelation(training.matrices, record, 0.0),
        "loading": lambda: network.load(training.weights, training.matrices),
    }


def products(training: Training) -> Functions:
    """The bare matrix products in some of the parts."""
    dtype, steps, n = training.network.dtype, training.trial(0).steps, training.model.hidden
    n_in, n_out, rows, samples = training.network.n_in, training.network.n_out, 2 * LANES, steps * LANES
    rng = np.random.default_rng(0)
    shapes = (n, n), (n_in, n), (n, n_out), (rows, n), (rows, n_in), (samples, n), (samples, n)
    w, w_in, w_out, x, u, post, pre = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    hidden, readout = np.empty_like(x), np.empty((rows, n_out), dtype)

    def forward() -> None:
        for _ in range(steps):
            np.matmul(x, w, out=hidden)
            np.matmul(u, w_in, out=hidden)
            np.matmul(x, w_out, out=readout)

    many = samples >= n
    return {
        "simulation": forward,
        "update": lambda: (post.T @ pre) @ w if many else post.T @ (pre @ w),
        "decorrelation": lambda: (w @ (pre.T @ pre) @ w.T) @ w if many else (pre @ w).T @ ((pre @ w) @ w),
        "loading": lambda: w @ w,
    }

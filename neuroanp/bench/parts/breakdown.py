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
from neuroanp.training.loop import Trainer

HIDDEN, LANES, DTYPE = 500, 1, "float64"
Functions = dict[str, Callable[[], Any]]


def rows(quick: bool) -> Iterator[Row]:
    """A row for each part of an update, and one for all of it."""
    training = decorrelated(HIDDEN, LANES, DTYPE)
    steps, bare = parts(training), products(training)
    bare["all"] = lambda: [product() for name, product in bare.items() if name != "all"]
    steps["all"] = lambda: training.learn(training.trial(0), 0)
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


def decorrelated(hidden: int, lanes: int, dtype: str) -> Trainer:
    """Trainer whose update is measured: copying 100 symbols."""
    task = CopyingMemory(alphabet=10, length=100, delay=10, evaluation_trials=lanes)
    recipe = task.recipe("best").replace(
        model=TanhRNN(hidden=hidden), rule=ActivityPerturbation(sigma=0.01), lanes=lanes
    )
    return Trainer(task, recipe, engine="compiled", dtype=dtype)


def parts(training: Trainer) -> Functions:
    """The parts of an update, each on its own, by name."""
    network, recipe, state = training.network, training.recipe, training.state
    trial = training.trial(0)
    record = network.run(trial)
    modulation = recipe.modulator(record, state.modulator)
    gradient = recipe.rule(record, modulation, state.rule)

    def optimize() -> None:
        copies = {name: values.copy() for name, values in gradient.items()}
        training.stages(copies, state.weights, state.optimizer, 0.0)

    return {
        "trial": lambda: training.trial(0),
        "simulation": lambda: network.run(trial),
        "modulator": lambda: recipe.modulator(record, state.modulator),
        "update": lambda: recipe.rule(record, modulation, state.rule),
        "optimizer": optimize,
        "decorrelation": lambda: (
            recipe.decorrelation and recipe.decorrelation(record, state.decorrelation, 0.0)
        ),
        "loading": lambda: network.write(state.weights, state.decorrelation),
    }


def products(training: Trainer) -> Functions:
    """The bare matrix products in some of the parts."""
    dtype, steps, n = training.network.dtype, training.trial(0).steps, training.recipe.model.hidden
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

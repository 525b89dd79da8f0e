"""Part "breakdown": where the time of an update goes, by decorrelated activity or response perturbation.

Beside it are the products that the update can't do without: two passes of every step, the update's outer
products, those of responses, and those of decorrelation.
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
from neuroanp.rules import ActivityPerturbation, ResponsePerturbation, Rule
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer

SETTINGS: tuple[tuple[Rule, int, int, str], ...] = (
    (ActivityPerturbation(sigma=0.01), 500, 1, "float64"),
    (ActivityPerturbation(sigma=0.01), 500, 32, "float32"),
    (ResponsePerturbation(sigma=0.01), 100, 64, "float32"),
)
"""Rule, units, lanes and precision of the updates."""

Functions = dict[str, Callable[[], Any]]


def rows(quick: bool) -> Iterator[Row]:
    """A row for each part of an update, and one for all of it."""
    for setting in SETTINGS:
        yield from one_setting(*setting, seconds=3.0 if quick else 15.0)


def one_setting(rule: Rule, hidden: int, lanes: int, dtype: str, seconds: float) -> Iterator[Row]:
    """The rows of one rule and size."""
    training = decorrelated(rule, hidden, lanes, dtype)
    steps, bare = parts(training), products(training)
    bare["all"] = lambda: [product() for name, product in bare.items() if name != "all"]
    steps["all"] = lambda: training.learn(training.trial(0), 0)
    functions = steps | {f"bare {name}": product for name, product in bare.items()}
    with threadpool_limits(1):
        samples = interleaved(functions, seconds)
    size = f"{rule.name}, {ours.size(hidden, lanes, dtype, training.trial(0).steps)}"
    labels: dict[str, Any] = {"part": "breakdown", "size": size}
    for name in steps:
        if name in bare:
            yield compared(samples, name, f"bare {name}", what=f"bare products, {name}", **labels)
        else:
            yield Row(what=name, ours=float(np.median(samples[name])), **labels)


def decorrelated(rule: Rule, hidden: int, lanes: int, dtype: str) -> Trainer:
    """Trainer whose update is measured: copying 100 symbols."""
    task = CopyingMemory(alphabet=10, length=100, delay=10, evaluation_trials=lanes)
    recipe = task.recipe("best").replace(model=TanhRNN(hidden=hidden), rule=rule, lanes=lanes)
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
    n_in, n_out, lanes = training.network.n_in, training.network.n_out, training.recipe.lanes
    rows, samples, rule = 2 * lanes, steps * lanes, training.recipe.rule
    responses = rule.lags * n_out if isinstance(rule, ResponsePerturbation) else 0
    rng = np.random.default_rng(0)
    shapes = (
        (n, n), (n_in, n), (n, n_out), (rows, n), (rows, n_in), (samples, n), (samples, n),
        (samples, responses), (responses, n),
    )  # fmt: skip
    w, w_in, w_out, x, u, post, pre, later, k = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    hidden, readout = np.empty_like(x), np.empty((rows, n_out), dtype)

    def forward() -> None:
        for _ in range(steps):
            np.matmul(x, w, out=hidden)
            np.matmul(u, w_in, out=hidden)
            np.matmul(x, w_out, out=readout)

    many = samples >= n

    def update() -> None:
        post.T @ pre @ w if many else post.T @ (pre @ w)
        if responses:
            post @ k.T, later @ k, later.T @ post

    return {
        "simulation": forward,
        "update": update,
        "decorrelation": lambda: (w @ (pre.T @ pre) @ w.T) @ w if many else (pre @ w).T @ ((pre @ w) @ w),
        "loading": lambda: w @ w,
    }

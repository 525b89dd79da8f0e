"""One update of decorrelated activity-based perturbation: where its time goes, beside its bare products.

Run it as a script: ``python tests/benchmarks/update_speed.py [--hidden 500] [--dtype float64]``. Copying
memory of length 100 and delay 10, one lane. The bare products are those that the update cannot do without,
on one thread: two passes of every step, the update's outer products, and those of decorrelation.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from neuroanp.models import TanhRNN
from neuroanp.rules import ActivityPerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training import recipe as recipes
from neuroanp.training.loop import Training


def median(function: Callable[[], Any], times: int) -> float:
    """Median milliseconds of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        taken.append(1e3 * (time.perf_counter() - began))
    return float(np.median(taken))


def training(hidden: int, lanes: int, dtype: str, engine: str = "auto") -> Training:
    """The setting of the benchmark."""
    settings = recipes.recipe("copying-memory", "best") | {
        "model": TanhRNN(hidden=hidden),
        "rule": ActivityPerturbation(sigma=0.01),
        "lanes": lanes,
    }
    task = CopyingMemory(alphabet=10, length=100, delay=10, evaluation_trials=lanes)
    return Training(task=task, seed=0, engine=engine, dtype=dtype, preset="best", **settings)


def split(made: Training, times: int) -> dict[str, float]:
    """Milliseconds of each part of an update, and of all of it."""
    made.network.load(made.weights, made.matrices)
    trial = made.trial(0)
    record = made.network.run(trial)
    modulator = made.modulator(record, made.modulator_state)
    gradient = made.rule.update(record, modulator)

    def stages() -> None:
        made.stages({k: g.copy() for k, g in gradient.items()}, made.weights, made.stages_state, 0.0)

    parts = {
        "trial": lambda: made.trial(0),
        "simulation": lambda: made.network.run(trial),
        "modulator": lambda: made.modulator(record, made.modulator_state),
        "update": lambda: made.rule.update(record, modulator),
        "optimizer": stages,
        "decorrelation": lambda: made.decorrelation(made.matrices, record, 0.0),
        "loading": lambda: made.network.load(made.weights, made.matrices),
    }
    found = {name: median(part, times) for name, part in parts.items()}
    found["all"] = median(lambda: made.step(0), times)
    return found


def bare(made: Training, times: int) -> dict[str, float]:
    """Milliseconds of the bare matrix products in an update."""
    dtype, steps = made.network.dtype, made.trial(0).steps
    n, n_in, n_out = made.model.hidden, made.network.n_in, made.network.n_out
    rows, samples = 2 * made.lanes, steps * made.lanes
    rng = np.random.default_rng(0)
    w, w_in, w_out, x, u, y, post, pre = (
        rng.standard_normal(shape).astype(dtype)
        for shape in (
            (n, n),
            (n_in, n),
            (n, n_out),
            (rows, n),
            (rows, n_in),
            (rows, n_out),
            (samples, n),
            (samples, n),
        )
    )
    out, out_y = np.empty_like(x), np.empty_like(y)

    def forward() -> None:
        for _ in range(steps):
            np.matmul(x, w, out=out)
            np.matmul(u, w_in, out=out)
            np.matmul(x, w_out, out=out_y)

    products = {
        "simulation": forward,
        "update": lambda: (post.T @ pre) @ w if samples >= n else post.T @ (pre @ w),
        "decorrelation": lambda: (
            (pre @ w).T @ ((pre @ w) @ w) if samples < n else (w @ (pre.T @ pre) @ w.T) @ w
        ),
        "loading": lambda: w @ w,
    }
    found = {name: median(product, times) for name, product in products.items()}
    found["all"] = sum(found.values())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = training(asked.hidden, asked.lanes, asked.dtype)
    with threadpool_limits(1):
        ours, floor = split(made, asked.times), bare(made, asked.times)
    if asked.json:
        print(json.dumps({"update_ms": ours, "bare_ms": floor, "ratio": ours["all"] / floor["all"]}))
        return
    print(f"one update, {asked.hidden} hidden, {asked.lanes} lanes, {asked.dtype}, engine {made.engine}")
    for name, value in ours.items():
        note = (
            f"   bare products {floor[name]:8.2f} ms, ratio {value / floor[name]:.2f}"
            if name in floor
            else ""
        )
        print(f"{name:14s} {value:8.2f} ms{note}")


if __name__ == "__main__":
    main()

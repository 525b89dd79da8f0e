"""The engine's speed: a run against Brian2's runtime, the fixed cost of a run, cold and warm start.

Run it as a script: ``python tests/benchmarks/engine_speed.py [--cells 100] [--steps 200]``. The network is
100 recurrent integrate-and-fire cells, all to all, with a Poisson input and noise; 200 steps of 1 ms. It
prints a table as Markdown, then the figures as JSON on one line. Starts are given in wall seconds and, for
a machine that does other things too, in seconds of its processors.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import Hz, ms

#: What the engine promises, in the unit of the figure.
LIMITS = {
    "ratio": (">=", 100.0),
    "zero_run_us_min": ("<=", 20.0),
    "cold_build_s": ("<=", 6.0),
    "warm_start_s": ("<=", 0.5),
}


def network(cells: int) -> b2.Network:
    """The recurrent network, on the device in force."""
    b2.defaultclock.dt = 1 * ms
    rng = np.random.default_rng(0)
    group = b2.NeuronGroup(
        cells,
        """dv/dt = (-v + current + sigma*noise)/(20*ms) : 1 (unless refractory)
           dcurrent/dt = -current/(5*ms) : 1
           noise : 1
           sigma : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * ms, method="euler", name="cells",
    )  # fmt: skip
    group.run_regularly("noise = randn()", dt=1 * ms)
    source = b2.PoissonGroup(100, rates=50 * Hz, name="source")
    recurrent = b2.Synapses(group, group, "w : 1", on_pre="current_post += w", delay=1 * ms, name="recurrent")
    recurrent.connect()
    feed = b2.Synapses(source, group, "w : 1", on_pre="current_post += w", name="feed")
    feed.connect(p=0.3)
    feed.w = "0.5*rand()"
    recurrent.w = rng.standard_normal(cells * cells) / np.sqrt(cells) * 0.5
    group.sigma = 0.3
    return b2.Network(group, source, recurrent, feed, b2.SpikeMonitor(group, name="spikes"))


def seconds(function: Callable[[], Any], times: int) -> np.ndarray:
    """Wall seconds of each of many calls."""
    taken = np.empty(times)
    for k in range(times):
        began = time.perf_counter()
        function()
        taken[k] = time.perf_counter() - began
    return taken


def runs(cells: int, steps: int) -> dict[str, float]:
    """One run on each device, the two taking turns so that both meet the same machine."""
    import neuroanp.engine  # noqa: F401

    b2.prefs.codegen.target = "numpy"
    nets = {}
    for device in ("runtime", "neuroanp"):
        b2.set_device(device)
        nets[device] = network(cells)
        nets[device].run(0 * ms)
    taken: dict[str, list[float]] = {device: [] for device in nets}
    for _ in range(7):
        for device, times in (("runtime", 1), ("neuroanp", 20)):
            b2.set_device(device)
            duration = steps * ms
            taken[device] += list(seconds(lambda net=nets[device], d=duration: net.run(d), times))
    nothing = 0 * ms
    zero = seconds(lambda: nets["neuroanp"].run(nothing), 5000)
    theirs, ours = np.median(taken["runtime"]), np.median(taken["neuroanp"])
    return {
        "runtime_run_ms": 1e3 * theirs,
        "engine_run_ms": 1e3 * ours,
        "ratio": theirs / ours,
        "zero_run_us_min": 1e6 * zero.min(),
        "zero_run_us_median": 1e6 * np.median(zero),
    }


def start(cells: int) -> None:
    """Print the seconds from after ``import brian2`` to the end of the first run, in its parts."""
    began, worked = time.perf_counter(), sum(os.times()[:4])
    import neuroanp.engine  # noqa: F401

    imported = time.perf_counter()
    b2.set_device("neuroanp")
    net = network(cells)
    made = time.perf_counter()
    net.run(1 * ms)
    ended = time.perf_counter()
    parts = {"import": imported - began, "objects": made - imported, "first_run": ended - made}
    print(json.dumps(parts | {"total": ended - began, "cpu": sum(os.times()[:4]) - worked}))


def starts(cells: int) -> dict[str, float]:
    """Cold and warm start, each in a process of its own; the quickest of three."""
    parts: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            for kind in parts:
                done = subprocess.run(
                    [sys.executable, __file__, "--start", "--cells", str(cells)],
                    env={**os.environ, "NEUROANP_CACHE": os.path.join(cache, "builds")},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                parts[kind].append(json.loads(done.stdout))
    cold, warm = (min(parts[kind], key=lambda part: part["total"]) for kind in parts)
    return {
        "cold_build_s": cold["first_run"],
        "cold_cpu_s": cold["cpu"],
        "warm_start_s": warm["total"],
        "warm_cpu_s": warm["cpu"],
        **{f"warm_{part}_s": warm[part] for part in ("import", "objects", "first_run")},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--start", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        start(options.cells)
        return
    figures = runs(options.cells, options.steps) | starts(options.cells)
    print("| figure | value | promised |\n|---|---|---|")
    for name, value in figures.items():
        sign, limit = LIMITS.get(name, ("", 0.0))
        print(f"| {name} | {value:.3g} | {f'{sign} {limit:g}' if sign else ''} |")
    setting = {"cells": options.cells, "steps": options.steps, "load": os.getloadavg()[0]}
    print(json.dumps(setting | figures))


if __name__ == "__main__":
    main()

"""Sparse networks: a step beside the bare cost of touching weights, and a large network that learns.

Run it as a script: ``python tests/benchmarks/sparse_speed.py [--lanes 4] [--dtype float64]``.

Step: 1,000 LIF cells at 5 Hz with 10 % of the recurrent synapses and delays of up to 20 ms, one lane, steps
of 1 ms. The bare cost is that of a compiled loop that adds, for each spike that occurred, the weights of its
synapses to the potentials of their targets, from a list of these spikes: nothing else. Beside it are what the
recurrent synapses add to a step, found as the difference of two networks whose cells fire as listed, one
without them, and the whole step of the network: cells, input, readout, reward and records too. For the dense
path the step of 100 cells, all to all.

Large: 10,000 cells at 1 % learn pattern generation (its recipe, with fewer lanes and learning rates for so
many cells), in a process of its own, of which the peak memory is given.

It prints a table as Markdown, then the figures as JSON on one line.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import brian2 as b2
import numpy as np
from brian2 import ms
from threadpoolctl import threadpool_limits

import neuroanp.engine
from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.operations import Player, SparseProjection
from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.tasks import PatternGeneration
from neuroanp.training import recipe as recipes
from neuroanp.training.loop import Training

#: What is promised, in the unit of the figure.
LIMITS = {"projection_over_bare": 3.0, "dense_100_cells_us": 4.0, "large_peak_gib": 4.0}

STEPS = 2000

_BARE = """
#include <sparse.hpp>
extern "C" __attribute__((visibility("default")))
void touch(const double *w, const int32_t *targets, int64_t outgoing, const int32_t *spikes,
           const int32_t *counts, int64_t steps, double *v, int n) {
    for (int64_t t = 0; t < steps; spikes += counts[t++])
        neuroanp::add_existing(w, targets, outgoing, spikes, counts[t], v, n, n);
}
"""


def quickest(*functions: Callable[[], object], times: int = 25) -> list[float]:
    """Microseconds a step of the quickest call of each; they take turns so that all meet the same machine."""
    taken = [math.inf] * len(functions)
    for _ in range(times):
        for k, function in enumerate(functions):
            began = time.perf_counter()
            function()
            taken[k] = min(taken[k], time.perf_counter() - began)
    return [1e6 * each / STEPS for each in taken]


def spontaneous(model: LIF) -> tuple[Network, Trial]:
    """A network, and a trial in which it fires by its own currents."""
    network = Network(model, 1, 1, 1 * ms, lanes=1, engine="compiled")
    network.load(model.initial_weights(np.random.default_rng(0), network.n_in, 1))
    return network, Trial(np.zeros((STEPS, 1, 1)), np.zeros((STEPS, 1, 1)))


def bare(network: Network, spikes: np.ndarray) -> Callable[[], object]:
    """A call that touches the weights of the spikes (T, N) once, with the engine's own inner loop."""
    compiler = find_compiler()
    headers = Path(neuroanp.engine.__file__).parent / "native"
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "bare.cpp"), Path(folder, "bare.so")
        source.write_text(_BARE)
        command = [
            compiler.command,
            *compiler.compile_flags,
            f"-I{headers}",
            "-c",
            source,
            "-o",
            f"{source}.o",
        ]
        subprocess.run(command, check=True)
        subprocess.run([compiler.command, *compiler.link_flags, f"{source}.o", "-o", library], check=True)
        touch = ctypes.CDLL(str(library)).touch
    cells, outgoing = network.wiring.targets.shape
    w, targets, v = network.weights["W_rec"].copy(), network.wiring.targets, np.zeros(cells)
    fired, counts = np.nonzero(spikes)[1].astype(np.int32), spikes.sum(axis=1).astype(np.int32)

    def call() -> None:
        w_, targets_, fired_, counts_, v_ = (
            ctypes.c_void_p(array.ctypes.data) for array in (w, targets, fired, counts, v)
        )
        steps, each = ctypes.c_int64(len(spikes)), ctypes.c_int64(outgoing)
        touch(w_, targets_, each, fired_, counts_, steps, v_, ctypes.c_int(cells))

    return call


def listed(network: Network, spikes: np.ndarray, present: bool) -> Callable[[], object]:
    """A call that runs cells that fire as listed (T, N), with the network's recurrent synapses or without."""
    b2.set_device("neuroanp")
    clock = b2.Clock(1 * ms)
    group = b2.NeuronGroup(
        spikes.shape[1], "u : 1\nv : 1", threshold="u > 0.5", reset="", clock=clock, name="cells"
    )
    player = Player(group, "u", signs=(1,), when="start", order=0, name="player")
    objects = [group, player]
    if present:
        wiring = network.wiring
        objects.append(
            SparseProjection(
                group, group, "v", rows=1, targets=wiring.targets, delays=wiring.delays, when="synapses",
                order=0, name="projection",
            )
        )  # fmt: skip
        objects[-1].weights[:] = network.weights["W_rec"]
    net = b2.Network(*objects)
    net.run(0 * ms, namespace={})

    def call() -> None:
        player.play(spikes[:, None])
        net.run(STEPS * ms, namespace={})

    return call


def step() -> dict[str, float]:
    """Microseconds a step of all that is compared."""
    network, trial = spontaneous(
        LIF(hidden=1000, density=0.1, delay=20 * ms, bias_mean=0.75, bias_spread=0.2)
    )
    spikes = network.run(trial).state[:, 0, 0].copy()
    runs = listed(network, spikes, True), listed(network, spikes, False)
    touched, present, absent, whole = quickest(bare(network, spikes), *runs, lambda: network.run(trial))
    dense, shown = spontaneous(LIF(hidden=100))
    return {
        "rate_hz": 1000 * spikes.mean(),
        "bare_us": touched,
        "projection_us": present - absent,
        "whole_step_us": whole,
        "projection_over_bare": (present - absent) / touched,
        "whole_step_over_bare": whole / touched,
        "dense_100_cells_us": quickest(lambda: dense.run(shown))[0],
    }


def large(lanes: int, dtype: str, updates: int) -> None:
    """Print the figures of a large network's learning, as JSON."""
    settings = recipes.recipe("pattern-generation", "best") | {
        "model": LIF(hidden=10_000, density=0.01, delay=20 * ms, input_gain=2.0),
        "optimizer": Adam(lr=2e-4, input_lr=2e-3, readout_lr=1e-4),
        "lanes": lanes,
        "updates": updates,
    }
    began = time.perf_counter()
    made = Training(
        task=PatternGeneration(), seed=0, engine="compiled", dtype=dtype, preset="best", **settings
    )
    made.network.load(made.weights)
    built = time.perf_counter()
    losses, taken = [], []
    with threadpool_limits(1):
        for update in range(updates):
            since = time.perf_counter()
            losses.append(made.step(update))
            taken.append(time.perf_counter() - since)
        record = made.network.run(made.trial(0))
        since = time.perf_counter()
        made.network.run(made.trial(0))
        simulated = time.perf_counter() - since
    figures = {
        "large_synapses": made.weights["W_rec"].size,
        "large_rate_hz": 1000 * float(record.state.mean()),
        "large_build_s": built - began,
        "large_simulation_s": simulated,
        "large_update_s": float(np.median(taken)),
        "large_first_loss": losses[0],
        "large_last_loss": losses[-1],
        "large_peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    print(json.dumps(figures))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lanes", type=int, default=4, help="of the large network")
    parser.add_argument(
        "--dtype", default="float64", choices=("float64", "float32"), help="of the large network"
    )
    parser.add_argument("--updates", type=int, default=10, help="of the large network")
    parser.add_argument("--large", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large:
        large(options.lanes, options.dtype, options.updates)
        return
    asked = ["--lanes", str(options.lanes), "--dtype", options.dtype, "--updates", str(options.updates)]
    command = [sys.executable, __file__, "--large", *asked]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures = step() | json.loads(done.stdout)
    print("| figure | value | promised |\n|---|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value:.3g} | {f'<= {LIMITS[name]:g}' if name in LIMITS else ''} |")
    print(json.dumps(vars(options) | {"load": os.getloadavg()[0]} | figures))


if __name__ == "__main__":
    main()

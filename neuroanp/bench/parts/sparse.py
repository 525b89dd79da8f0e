"""Part "sparse": a step with sparse recurrent synapses, beside the bare cost of touching weights.

The bare cost is that of a compiled loop that adds, for each spike that occurred, the weights of its synapses
to the potentials of their targets, from a list of these spikes: nothing else. The synapses' own cost is the
difference of two networks whose cells fire as listed, one of them without synapses. Of all the quickest call
counts, as a difference of two times needs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import ms
from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.table import Row
from neuroanp.bench.timing import interleaved, spread
from neuroanp.engine.build.cache import build
from neuroanp.engine.build.compiler import Extra, find_compiler
from neuroanp.engine.errors import NoCompiler
from neuroanp.engine.operations import Player, SparseProjection
from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.types import Array

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


def rows(quick: bool) -> Iterator[Row]:
    """Synapses and whole step beside the bare loop, and the step of a dense network."""
    sparse, trial = spontaneous(LIF(hidden=1000, density=0.1, delay=20 * ms, bias_mean=0.75, bias_spread=0.2))
    dense, silent = spontaneous(LIF(hidden=100))
    spikes = sparse.run(trial).traces[:, 0, 0].copy()
    functions = {
        "bare": bare(sparse, spikes),
        "with": listed(sparse, spikes, synapses=True),
        "without": listed(sparse, spikes, synapses=False),
        "whole": lambda: sparse.run(trial),
        "dense": lambda: dense.run(silent),
    }
    with threadpool_limits(1):
        samples = interleaved(functions, 3.0 if quick else 15.0)
    step = {name: 1e3 * float(times.min()) / STEPS for name, times in samples.items()}
    added = step["with"] - step["without"]
    size = f"1000 LIF cells at 10 %, {1000 * spikes.mean():.2g} Hz, delays of up to 20 steps, one step"
    labels: dict[str, Any] = {"part": "sparse", "size": size, "other": step["bare"], "unit": "us"}
    for what, limit, time in (("synapses", 3.0, added), ("whole step", None, step["whole"])):
        ratio = spread([time / step["bare"]])
        yield Row(what=f"bare loop over weights, {what}", ours=time, ratio=ratio, limit=limit, **labels)
    size = "100 LIF cells, all to all, one step"
    yield Row(part="sparse", what="dense network", size=size, ours=step["dense"], unit="us", limit=4.0)


def spontaneous(model: LIF) -> tuple[Network, Trial]:
    """A network, and a trial in which it fires by its own currents."""
    network = Network(model, 1, 1, 1 * ms, lanes=1, engine="compiled")
    network.load(model.initial_weights(ours.generator(), network.n_in, 1))
    return network, Trial(np.zeros((STEPS, 1, 1)), np.zeros((STEPS, 1, 1)))


def bare(network: Network, spikes: Array) -> Callable[[], object]:
    """A call that touches the weights of the spikes (T, N) once, with the engine's own inner loop."""
    compiler, wiring = find_compiler(), network.wiring
    if compiler is None or wiring is None:
        raise NoCompiler
    touch = ctypes.CDLL(str(build(_BARE, compiler, Extra([], [], [], [], [], [], []), {}))).touch
    cells, outgoing = wiring.targets.shape
    arrays = (
        network.weights["W_rec"].copy(), wiring.targets, np.nonzero(spikes)[1].astype(np.int32),
        spikes.sum(axis=1).astype(np.int32), np.zeros(cells),
    )  # fmt: skip

    def call() -> None:
        w, targets, fired, counts, v = (ctypes.c_void_p(array.ctypes.data) for array in arrays)
        steps, width = ctypes.c_int64(len(spikes)), ctypes.c_int64(outgoing)
        touch(w, targets, width, fired, counts, steps, v, ctypes.c_int(cells))

    return call


def listed(network: Network, spikes: Array, synapses: bool) -> Callable[[], object]:
    """A call that runs cells that fire as listed (T, N), with the network's recurrent synapses or without."""
    b2.set_device("neuroanp")
    group = b2.NeuronGroup(
        spikes.shape[1], "u : 1\nv : 1", threshold="u > 0.5", reset="", clock=b2.Clock(1 * ms), name="cells"
    )
    player = Player(group, "u", signs=(1,), when="start", order=0, name="player")
    objects = [group, player]
    if synapses:
        wiring: Any = network.wiring
        projection = SparseProjection(
            group, group, "v", rows=1, targets=wiring.targets, delays=wiring.delays, when="synapses", order=0,
            name="projection",
        )  # fmt: skip
        projection.weights[:] = network.weights["W_rec"]
        objects.append(projection)
    net = b2.Network(*objects)
    net.run(0 * ms, namespace={})

    def call() -> None:
        player.play(spikes[:, None])
        net.run(STEPS * ms, namespace={})

    return call

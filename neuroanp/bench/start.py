"""First run of a network in a fresh process, timed: ``python -m neuroanp.bench.start``.

Prints seconds as JSON, from after ``import brian2`` to the end of the run: wall time and processors' time.
"""

from __future__ import annotations

import json
import os
import time

import brian2 as b2
import numpy as np
from brian2 import Hz, ms

CELLS = 100


def network() -> b2.Network:
    """Recurrent LIF cells, all to all, with Poisson input and noise, on the device in force."""
    b2.defaultclock.dt = 1 * ms
    rng = np.random.default_rng(0)
    cells = b2.NeuronGroup(
        CELLS,
        """dv/dt = (-v + current + sigma*noise)/(20*ms) : 1 (unless refractory)
           dcurrent/dt = -current/(5*ms) : 1
           noise : 1
           sigma : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * ms, method="euler", name="cells",
    )  # fmt: skip
    cells.run_regularly("noise = randn()", dt=1 * ms)
    source = b2.PoissonGroup(100, rates=50 * Hz, name="source")
    recurrent = b2.Synapses(cells, cells, "w : 1", on_pre="current_post += w", delay=1 * ms, name="recurrent")
    recurrent.connect()
    feed = b2.Synapses(source, cells, "w : 1", on_pre="current_post += w", name="feed")
    feed.connect(p=0.3)
    feed.w = "0.5*rand()"
    recurrent.w = rng.standard_normal(CELLS**2) / np.sqrt(CELLS) * 0.5
    cells.sigma = 0.3
    return b2.Network(cells, source, recurrent, feed, b2.SpikeMonitor(cells, name="spikes"))


def main() -> None:
    """Time the import of the engine, the network's objects, and its first run."""
    start, cpu_start = time.perf_counter(), sum(os.times()[:4])
    import neuroanp.engine  # noqa: F401

    imported = time.perf_counter()
    b2.set_device("neuroanp")
    net = network()
    ready = time.perf_counter()
    net.run(1 * ms)
    end = time.perf_counter()
    seconds = {"import": imported - start, "objects": ready - imported, "first run": end - ready}
    print(json.dumps(seconds | {"total": end - start, "cpu": sum(os.times()[:4]) - cpu_start}))


if __name__ == "__main__":
    main()

"""One part of the benchmark in a process of its own: ``python -m neuroanp.bench.worker PART``.

It runs on one core, but for the parts that measure what more of them are good for. Each row is printed as a
line of JSON as soon as it is there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

#: Set before anything is imported, for JAX takes no other number of threads later: one thread each for XLA,
#: OpenMP and BLAS.
ONE_CORE = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

#: Parts that have all cores.
ALL_CORES = ("cores", "side-by-side", "seconds-to-a-loss")

#: Parts that take hours, or tens of minutes, and are measured when named only.
LONG = ("learning", "seconds-to-a-loss")

#: Subjects of measurement, by the names of the modules in `parts`.
PARTS = {
    "update": "a training update beside backpropagation through time in JAX, and beside its bare products",
    "cores": "a training update on all cores beside JAX's on all of them, and on a GPU where there is one",
    "side-by-side": "a training update on two threads, beside two trainings at the same time",
    "breakdown": "the parts of decorrelated updates, beside their bare products",
    "loop": "forward passes beside Brian2 run anew for each trial",
    "engine": "ordinary Brian2 code beside Brian2's runtime; an empty run; cold and warm start",
    "spiking": "a trial of recurrent LIF cells beside snnTorch, Norse and SpikingJelly",
    "spiking-training": "an update of recurrent LIF cells beside the surrogate gradient in JAX",
    "rules": "updates of spiking cells by e-prop beside updates by node perturbation",
    "sparse": "sparse synapses beside the bare loop over the weights of the spikes that occur",
    "large": "10,000 sparse cells that learn: seconds an update, peak memory",
    "jax": "engine jax beside a bare scan of the same network, and its memory beside BPTT's",
    "scaling": "growth of the time of an update with units, lanes and steps, as slopes",
    "memory": "peak memory of learning a series window by window",
    "sweep": "a sweep beside its trainings alone, and two workers beside two sweeps of half",
    "shell": "the shell command from its start to its end, beside the import of Brian2",
    "seconds-to-a-loss": "wall clock of our rules and BPTT until a loss, fresh seeds: only when named",
    "learning": "scores of the spiking tasks, five seeds each: hours, and only when named",
}


def environment(part: str) -> dict[str, str]:
    """Environment variables of the process that measures a part."""
    changes = {} if part == "cores" else {"JAX_PLATFORMS": "cpu"}
    return os.environ | {"PYTHONWARNINGS": "ignore"} | changes | ({} if part in ALL_CORES else ONE_CORE)


def main(words: list[str]) -> None:
    """Measure the part that is named first; quickly if ``quick`` comes after it."""
    # nothing else that writes to the standard output may come between the rows
    rows = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if words[0] not in ALL_CORES:
        _one_core()
    part: Any = importlib.import_module(f"neuroanp.bench.parts.{words[0].replace('-', '_')}")
    if words[0] not in ("memory", "large"):  # the pages kept would count as memory
        from neuroanp.engine.memory import keep_pages

        keep_pages()
    for row in part.rows("quick" in words[1:]):
        print(json.dumps(row.plain()), file=rows, flush=True)


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    main(sys.argv[1:])

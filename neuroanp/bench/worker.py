"""One part of the benchmark in a process of its own, on one core: ``python -m neuroanp.bench.worker PART``.

Each row is printed as a line of JSON as soon as it is there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

#: Set before anything is imported: one thread each for XLA, OpenMP and BLAS, and no accelerator.
ENVIRONMENT = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}

#: Subjects of measurement, by the names of the modules in `parts`.
PARTS = {
    "update": "a training update beside backpropagation through time in JAX, and beside its bare products",
    "breakdown": "the parts of a decorrelated update, beside their bare products",
    "loop": "forward passes beside Brian2 run anew for each trial",
    "engine": "ordinary Brian2 code beside Brian2's runtime; an empty run; cold and warm start",
    "spiking": "a trial of recurrent LIF cells beside snnTorch, Norse and SpikingJelly",
    "rules": "updates of spiking cells by e-prop beside updates by node perturbation",
    "sparse": "sparse synapses beside the bare loop over the weights of the spikes that occur",
    "large": "10,000 sparse cells that learn: seconds an update, peak memory",
    "scaling": "growth of the time of an update with units, lanes and steps, as slopes",
    "memory": "peak memory of learning a series window by window",
    "sweep": "a sweep beside its trainings alone, and two workers beside two sweeps of half",
    "shell": "the shell command from its start to its end, beside the import of Brian2",
    "learning": "scores of the spiking tasks, five seeds each: hours, and only when named",
}


def main(words: list[str]) -> None:
    """Measure the part that is named first; quickly if ``quick`` comes after it."""
    # nothing else that writes to the standard output may come between the rows
    rows = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _one_core()
    part: Any = importlib.import_module(f"neuroanp.bench.parts.{words[0]}")
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

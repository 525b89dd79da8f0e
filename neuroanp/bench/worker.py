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

PARTS = ("update", "loop", "spiking", "scaling", "memory")


def main(words: list[str]) -> None:
    """Measure the part that is named first; quickly if ``quick`` comes after it."""
    # whatever else writes to the standard output must not come between the rows
    rows = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _one_core()
    part: Any = importlib.import_module(f"neuroanp.bench.parts.{words[0]}")
    if words[0] != "memory":  # whose growth would fit into the pages kept
        from neuroanp.engine.memory import keep_pages

        keep_pages()
    for row in part.rows("quick" in words[1:]):
        print(json.dumps(row.plain()), file=rows, flush=True)


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    main(sys.argv[1:])

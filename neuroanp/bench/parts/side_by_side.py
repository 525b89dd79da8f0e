"""Part "side-by-side": an update on two threads, beside two trainings of one thread at the same time.

Two trainings that have nothing to do with each other are what two cores can do at most.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from neuroanp.bench import ours
from neuroanp.bench.table import Row
from neuroanp.engine.threads import physical_cores

SIZES = ((500, 32), (1000, 32))
THREADS, LIMIT = 2, 1.08
ROUNDS, WARM = 5, 12

SCRIPT = """
import sys
from neuroanp.bench import ours
from threadpoolctl import threadpool_limits

hidden, lanes, threads, warm, updates = map(int, sys.argv[1:])
update = ours.stepping(ours.training(hidden, ours.copying(ours.STEPS, lanes), "float32", threads=threads))
with threadpool_limits(1):
    for _ in range(warm):
        update()
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(updates):
            update()
        print("done", flush=True)
"""


def rows(quick: bool) -> Iterator[Row]:
    """A row for each size."""
    for hidden, lanes in SIZES[:1] if quick else SIZES:
        yield one_size(hidden, lanes, updates=4 if quick else 10)


def one_size(hidden: int, lanes: int, updates: int) -> Row:
    """Seconds of an update on two threads, beside half of those of one in each of two processes."""
    alone = [_begun(hidden, lanes, 1, updates) for _ in range(THREADS)]
    shared = _begun(hidden, lanes, THREADS, updates)
    try:
        times = [(_seconds([shared]), _seconds(alone) / THREADS) for _ in range(ROUNDS)]
    finally:
        for process in (*alone, shared):
            process.kill()
            process.communicate()
    two, half = np.array(times).T / updates
    ratios = two / half
    return Row(
        part="side-by-side", what="half of two trainings at the same time",
        size=f"{ours.size(hidden, lanes, 'float32')}, {physical_cores()} cores",
        ours=float(np.median(two)), other=float(np.median(half)), unit="s",
        limit=LIMIT * float(np.median(half)),
        note=f"{np.median(ratios):.3f} times ({ratios.min():.3f}..{ratios.max():.3f}), asked {LIMIT}",
    )  # fmt: skip


def _begun(hidden: int, lanes: int, threads: int, updates: int) -> subprocess.Popen[str]:
    numbers = map(str, (hidden, lanes, threads, WARM, updates))
    command = [sys.executable, "-c", SCRIPT, *numbers]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _heard(process)
    return process


def _heard(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise RuntimeError(f"a training ended with code {process.wait()}")


def _seconds(processes: list[subprocess.Popen[str]]) -> float:
    """Seconds until all have made their updates, begun at the same time."""
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _heard(process)
    return time.perf_counter() - start

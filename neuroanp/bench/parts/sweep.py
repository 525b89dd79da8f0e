"""Part "sweep": what a sweep costs beside its trainings, and what a second worker brings."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuroanp.bench.table import Row

SCRIPT = """
import sys, time
import neuroanp as nap
from neuroanp.tasks import CopyingMemory

path, workers, first, last = sys.argv[1], *map(int, sys.argv[2:])
start = time.perf_counter()
sweep = nap.sweep(
    CopyingMemory(), {"rule.sigma": "log:1e-3:0.1", "optimizer.lr": "log:1e-3:0.01"}, points=last - first,
    seeds=range(4), updates=200, tests=1, workers=workers, out=path, seed=first, progress=False,
)
print(time.perf_counter() - start)
"""
SEEDS = 4


def rows(quick: bool) -> Iterator[Row]:
    """64 trainings of the copying memory: one worker, two, and two sweeps of half of them side by side."""
    points = 4 if quick else 16
    size = f"copying memory, {points * SEEDS} trainings of 200 updates"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seconds = _seconds(place / "one.db", 1, 0, points)
        table = _table(place / "one.db")
        own = float(table.seconds.sum() + table.test_seconds.sum())
        yield Row(
            part="sweep", what="its trainings alone", size=f"{size}, one worker",
            ours=seconds, other=own, unit="s", limit=None if quick else 1.15 * own,
            note=f"{seconds / own:.3f} times, asked 1.15",
        )  # fmt: skip
        peaks = table.peak_memory
        yield Row(
            part="sweep", what="memory of a worker", size=f"{size}, last beside first",
            ours=float(peaks.iloc[-1]), other=float(peaks.iloc[0]), unit="MiB",
            limit=1.05 * float(peaks.iloc[0]), note=f"{peaks.iloc[-1] / peaks.iloc[0]:.3f} times, asked 1.05",
        )  # fmt: skip
        two = _seconds(place / "two.db", 2, 0, points)
        start = time.perf_counter()
        halves = [_begun(place / f"half{k}.db", 1, k, k + points // 2) for k in range(2)]
        for half in halves:
            half.communicate()
        apart = time.perf_counter() - start
        yield Row(
            part="sweep", what="two sweeps of half side by side", size=f"{size}, two workers",
            ours=two, other=apart, unit="s", limit=None if quick else 1.08 * apart,
            note=f"{two / apart:.3f} times, asked 1.08",
        )  # fmt: skip


def _begun(path: Path, *numbers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(path), *map(str, numbers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _seconds(path: Path, *numbers: int) -> float:
    """Seconds of a process that does a sweep, with its start."""
    start = time.perf_counter()
    process = _begun(path, *numbers)
    process.communicate()
    if process.returncode:
        raise RuntimeError(f"a sweep ended with code {process.returncode}")
    return time.perf_counter() - start


def _table(path: Path) -> Any:
    from neuroanp.sweeps.results import Sweep

    return Sweep(path).to_pandas()

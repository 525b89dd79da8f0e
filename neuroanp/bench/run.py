"""All parts of the benchmark, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from neuroanp.bench.table import Report, Row
from neuroanp.bench.worker import LONG, PARTS
from neuroanp.bench.worker import environment as environment_of
from neuroanp.config import environment

PACKAGES = (
    "neuroanp", "brian2", "numpy", "scipy", "cython", "jax", "jaxlib", "optax", "torch", "snntorch", "norse",
    "spikingjelly",
)  # fmt: skip


def measure(
    quick: bool = False, parts: Sequence[str] = (), say: Callable[[str], None] = lambda line: None
) -> Report:
    """Measure every part in a process of its own.

    Parameters
    ----------
    quick : bool
        Fewer sizes and rounds.
    parts : sequence of str
        Of `PARTS`; empty for all but those that take long.
    say : callable
        Receives a line for each step of the work.
    """
    rows: list[Row] = []
    for part in parts or [name for name in PARTS if name not in LONG]:
        say(f"{part} ...")
        rows += _part(part, quick, say)
    return Report(machine=machine(), rows=tuple(rows))


def machine() -> dict[str, Any]:
    """Processor, cores, load, system, and versions of the packages that are installed."""
    return {
        "processor": environment.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": environment.system(),
        "versions": environment.versions(*PACKAGES),
    }


def _part(part: str, quick: bool, say: Callable[[str], None]) -> list[Row]:
    words = [sys.executable, "-m", "neuroanp.bench.worker", part, *(["quick"] if quick else [])]
    rows = []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            words, env=environment_of(part), stdout=subprocess.PIPE, stderr=errors, text=True
        ) as worker,
    ):
        for line in worker.stdout or ():
            rows.append(Row.restored(json.loads(line)))
            say(f"  {rows[-1].what}, {rows[-1].size}")
        worker.wait()
        errors.seek(0)
        message = errors.read().strip()
    if worker.returncode:
        reason = message.splitlines()[-1] if message else f"exit code {worker.returncode}"
        rows.append(Row(part=part, what="the rest of this part", size="", note=f"failed: {reason}"))
    return rows

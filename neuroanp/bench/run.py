"""All parts of the benchmark, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

from neuroanp.bench.machine import machine
from neuroanp.bench.table import Report, Row
from neuroanp.bench.worker import ENVIRONMENT, PARTS


def measure(
    quick: bool = False, parts: Sequence[str] = PARTS, say: Callable[[str], None] = lambda line: None
) -> Report:
    """Measure every part in a process of its own.

    Parameters
    ----------
    quick : bool
        Fewer sizes and rounds.
    parts : sequence of str
        Of `PARTS`.
    say : callable
        Is told what goes on.
    """
    rows: list[Row] = []
    for part in parts:
        say(f"{part} ...")
        rows += _part(part, quick, say)
    return Report(machine=machine(), rows=tuple(rows))


def _part(part: str, quick: bool, say: Callable[[str], None]) -> list[Row]:
    words = [sys.executable, "-m", "neuroanp.bench.worker", part, *(["quick"] if quick else [])]
    environment = os.environ | ENVIRONMENT
    rows = []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as worker,
    ):
        for line in worker.stdout or ():
            rows.append(Row.restored(json.loads(line)))
            say(f"  {rows[-1].what}, {rows[-1].size}")
        worker.wait()
        errors.seek(0)
        said = errors.read().strip()
    if worker.returncode:
        reason = said.splitlines()[-1] if said else f"exit code {worker.returncode}"
        rows.append(Row(part=part, what="the rest of this part", size="", note=f"failed: {reason}"))
    return rows

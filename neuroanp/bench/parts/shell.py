"""Part "shell": the command ``neuroanp`` from its start to its end, in processes of their own."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved

PEER = "python -c 'import brian2'"
TRAIN = "train copying-memory --updates 1 --json"
ANSWERS = ("--help", "list", "trian", "train no-such-task", "train copying-memory --rule no-such-rule")
"""Command lines that are answered without Brian2; the last three are mistyped."""


def rows(quick: bool) -> Iterator[Row]:
    """A training of one update beside the import of Brian2, and answers that need no Brian2."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = (str(Path(folder, str(count))) for count in itertools.count())

        def train() -> None:
            _neuroanp([*TRAIN.split(), "--out", next(fresh)])

        functions: dict[str, Callable[[], None]] = {
            "ours": train,
            PEER: lambda: _python(["-c", "import brian2"]),
        }
        samples = interleaved(functions, 10.0 if quick else 60.0)
    yield compared(samples, "ours", PEER, part="shell", what=PEER, size=TRAIN, limit=1.3)
    for line in ANSWERS:
        seconds = interleaved({line: partial(_neuroanp, line.split())}, 1.0 if quick else 5.0)[line]
        median = float(np.median(seconds)) / 1e3
        yield Row(part="shell", what="answer", size=line, ours=median, unit="s", limit=0.5)


def _neuroanp(words: Sequence[str]) -> None:
    _python(["-m", "neuroanp", *words])


def _python(words: Sequence[str]) -> None:
    """Run Python; code 2 is the answer to a mistyped line."""
    null = subprocess.DEVNULL
    done = subprocess.run([sys.executable, *words], stdout=null, stderr=null)
    if done.returncode not in (0, 2):
        raise RuntimeError(f"python {' '.join(words)} ended with code {done.returncode}")

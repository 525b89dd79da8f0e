"""Part "engine": ordinary Brian2 code on our device: a run, the fixed cost of a run, cold and warm start."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brian2 as b2
from brian2 import ms

import neuroanp.engine  # noqa: F401  (offers the device)
from neuroanp.bench.peers.brian2 import runtime
from neuroanp.bench.start import CELLS, network
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved

STEPS = 200
PEER = "Brian2, Network.run, numpy target"
LABELS: dict[str, Any] = {"part": "engine", "size": f"{CELLS} recurrent LIF cells, {STEPS} steps"}


def rows(quick: bool) -> Iterator[Row]:
    """A run beside Brian2's, an empty run, and the starts."""
    duration = STEPS * ms
    with runtime("numpy"):
        plain = network()
        plain.run(0 * ms)
    b2.set_device("neuroanp")
    net = network()

    def run_plain() -> None:
        with runtime("numpy"):
            plain.run(duration)

    samples = interleaved({"ours": lambda: net.run(duration), PEER: run_plain}, 2.0 if quick else 10.0)
    yield compared(samples, "ours", PEER, what=PEER, limit=0.01, **LABELS)
    for steps, limit in ((0, 20.0), (1, 25.0)):
        what = f"run of {steps} {'step' if steps == 1 else 'steps'}, the quickest"
        once = functools.partial(net.run, steps * ms)
        fixed = 1e6 * min(timeit.repeat(once, number=1, repeat=5000))
        yield Row(what=what, ours=fixed, unit="us", limit=limit, **LABELS)
    yield from starts(1 if quick else 3)


def starts(count: int) -> Iterator[Row]:
    """The quickest of so many starts in a process of their own, without a build in the cache and with it."""
    seconds: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"NEUROANP_CACHE": str(Path(folder, "builds"))}
            for kind in seconds:
                words = [sys.executable, "-m", "neuroanp.bench.start"]
                result = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                seconds[kind].append(json.loads(result.stdout))
    cold, warm = (min(times, key=lambda start: start["total"]) for times in seconds.values())
    note = f"{cold['cpu']:.3g} s of processors from import to end"
    yield Row(what="first run, not built", ours=cold["first run"], unit="s", limit=6.0, note=note, **LABELS)
    note = ", ".join(f"{name} {warm[name]:.2g} s" for name in ("import", "objects", "first run", "cpu"))
    yield Row(what="import to first run, built", ours=warm["total"], unit="s", limit=0.5, note=note, **LABELS)

"""Peak memory of one update in a process of its own: ``python -m neuroanp.bench.peak WAY STEPS UNITS LANES``.

WAY is ``keep`` or ``replay`` of engine ``jax``, or ``bptt``. Printed are MiB, after an update in float32.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from neuroanp.bench import ours
from neuroanp.training.jax_options import Jax

DTYPE = "float32"


def peak(way: str, steps: int, hidden: int, lanes: int) -> float:
    """Peak of a fresh process in MiB."""
    words = [sys.executable, "-m", "neuroanp.bench.peak", way, *map(str, (steps, hidden, lanes))]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1])


def update(way: str, steps: int, hidden: int, lanes: int) -> None:
    """Make one update."""
    trial = ours.copying(steps, lanes)
    if way != "bptt":
        options = Jax(memory="keep" if way == "keep" else "replay")
        ours.stepping(ours.training(hidden, trial, DTYPE, engine="jax", distribution="sign", jax=options))()
        return
    from neuroanp.bench.peers.jax import JaxUpdate

    weights = ours.model(hidden).start_weights(
        ours.generator(), trial.inputs.shape[2] + 1, trial.targets.shape[2]
    )
    JaxUpdate(weights, *ours.arrays(trial, DTYPE), ours.LR, gathered=True)()


def main(words: list[str]) -> None:
    """Print the peak of an update."""
    update(words[0], *map(int, words[1:]))
    print(resident())


def resident() -> float:
    """Peak of this process in MiB; that which `resource` has on Linux counts its parent's before it began."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(line[1]) for line in lines if line[0] == "VmHWM:") / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(sys.argv[1:])

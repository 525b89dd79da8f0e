"""A chip in the loop: trained by BPTT on the ideal model, deployed, learned back there: chip_loop.json.

``python notebooks/evidence/chip_loop.py [--seeds 100-104] [--tasks pattern,xor]`` takes about 40 minutes. A
file that is there keeps the records that aren't made anew.
"""

import argparse
import json
from pathlib import Path

from brian2 import ms

import neuroanp as nap
from neuroanp.gradients import BPTT
from neuroanp.models import ALIF, LIF
from neuroanp.optim import Adam
from neuroanp.rules import ReadoutOnly
from neuroanp.substrate import Analog
from neuroanp.tasks import DelayedXOR, PatternGeneration

PATH = Path(__file__).with_name("chip_loop.json")
SEEDS, BITS, MISMATCH, RANGE = range(100, 105), (4, 3), 0.3, 4.0
UPDATES = 100
"""Updates by perturbation on the device."""

TASKS: dict[str, nap.Task] = {"pattern": PatternGeneration(), "xor": DelayedXOR(evaluation_trials=512)}
MODELS = {"pattern": LIF(input_gain=2.0), "xor": ALIF(input_gain=3.0, beta=1.0, tau_a=400 * ms)}
IDEAL = {"pattern": 300, "xor": 100}
"""Updates by BPTT on the ideal model."""

LANES = {"pattern": 1, "xor": 64}
"""Of BPTT; lanes of a pattern are all the same."""

BY_GRADIENT = {
    "pattern": Adam(lr=3e-3, readout_lr=1e-2, anneal="linear"),
    "xor": Adam(lr=3e-3, input_lr=2e-2, readout_lr=1e-2, anneal="linear"),
}
ON_DEVICE = {
    "pattern": Adam(lr=2e-3, input_lr=2e-2, readout_lr=1e-2, anneal="linear"),
    "xor": Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2, anneal="linear"),
}
SIGMA = {"pattern": 0.1, "xor": 0.3}


def score(run: nap.Run) -> float:
    """Score on unseen trials, where the run is."""
    return round(float(run.result["score"]), 4)


def learned(task: nap.Task, recipe: nap.Recipe, seed: int, start: nap.Run | None = None) -> float:
    """Score after the updates of a recipe."""
    return score(_trainer(task, recipe, seed, start).run(progress=False))


def _trainer(task: nap.Task, recipe: nap.Recipe, seed: int, start: nap.Run | None = None) -> nap.Trainer:
    return nap.Trainer(task, recipe, seed=seed, start=start, engine="compiled", dtype="float32", tests=0)


def on_device(name: str, base: nap.Recipe, ideal: nap.Run, bits: int, seed: int) -> dict[str, float]:
    """Scores on one device, before and after learning there in several ways."""
    task, trials = TASKS[name], 1000 + seed
    rule = base.rule.replace(sigma=SIGMA[name], readout="delta")
    device = Analog(device=seed, bits=bits, mismatch=MISMATCH, range=RANGE)
    there = base.replace(substrate=device, optimizer=ON_DEVICE[name], rule=rule, updates=UPDATES)
    readout = there.replace(rule=ReadoutOnly(), modulator=nap.Modulator())
    cells = there.replace(rule=rule.replace(readout="fixed"))
    found = {
        "before": score(_trainer(task, there, trials, ideal).result()),
        "after": learned(task, there, trials, ideal),
        "cells alone": learned(task, cells, trials, ideal),
        "readout alone": learned(task, readout, trials, ideal),
        "from the start": learned(task, there, trials),
    }
    if bits == max(BITS):
        longer = there.replace(updates=UPDATES + IDEAL[name])
        found["from the start, all updates"] = learned(task, longer, trials)
    return found


def records(name: str, seed: int) -> list[dict[str, float | str]]:
    """Scores of one seed, a record for each number of bits."""
    task = TASKS[name]
    base = task.recipe("node").replace(model=MODELS[name])
    by_gradient = base.replace(
        rule=BPTT(surrogate="triangle"), modulator=nap.Modulator(), lanes=LANES[name],
        optimizer=BY_GRADIENT[name], updates=IDEAL[name],
    )  # fmt: skip
    ideal = _trainer(task, by_gradient, seed).run(progress=False)
    return [
        {"task": name, "seed": seed, "bits": bits, "ideal": score(ideal)}
        | on_device(name, base, ideal, bits, seed)
        for bits in BITS
    ]


def main() -> None:
    """Make the records asked for, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}")
    parser.add_argument("--tasks", default=",".join(TASKS))
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    stored = json.loads(PATH.read_text())["runs"] if PATH.exists() else []
    runs = {(run["task"], run["seed"], run["bits"]): run for run in stored}
    for name in asked.tasks.split(","):
        for seed in range(int(first), int(last or first) + 1):
            for run in records(name, seed):
                runs[name, seed, run["bits"]] = run
                print(run, flush=True)
    settings = {"mismatch": MISMATCH, "range": RANGE, "updates": UPDATES, "updates by BPTT": IDEAL}
    trivial = {name: task.trivial() for name, task in TASKS.items()}
    write(settings, trivial, [runs[key] for key in sorted(runs, key=lambda key: (key[0], key[1], -key[2]))])


def write(settings: dict, trivial: dict, runs: list) -> None:
    """File with a line for each record."""
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    head = f' "settings": {json.dumps(settings)},\n "trivial": {json.dumps(trivial)}'
    PATH.write_text(f'{{\n{head},\n "runs": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()

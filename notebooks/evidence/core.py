"""A core that learns a delayed exclusive or from its own noise and a broadcast scalar: core.json.

``python notebooks/evidence/core.py`` needs the extra ``rtl`` and a C++ compiler, and takes about 20 minutes.
The same trials run on the integers and, cycle by cycle, on the core in CXXRTL; the readout alone and a
network without recurrent weights run beside them.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.hardware import IntegerChip
from neuroanp.hardware.export import simulated
from neuroanp.models import CurrentLIF
from neuroanp.optim import SignSGD
from neuroanp.reward import Modulator, OtherPass
from neuroanp.rules import WeightPerturbation
from neuroanp.substrate import FixedPoint
from neuroanp.tasks import TrialArrays

SEEDS, TRIALS, STEPS = range(100, 105), 3000, 20
RATES = {"lr": 2.0**-8, "input_lr": 2.0**-6, "readout_lr": 2.0**-8}
FIXED = {"lr": 0.0, "input_lr": 0.0, "readout_lr": 2.0**-8}
NO_RECURRENCE = {"lr": 0.0, "input_lr": 2.0**-6, "readout_lr": 2.0**-8}


def exclusive_or() -> TrialArrays:
    """Two cues of 4 steps, 5 steps apart, and 2 steps later 4 steps in which the readout counts."""
    inputs, masks = np.zeros((4, STEPS, 3)), np.zeros((4, STEPS))
    for case in range(4):
        inputs[case, 0:4, case // 2] = 1
        inputs[case, 9:13, case % 2] = 1
    inputs[:, 15:19, 2] = masks[:, 15:19] = 1
    answers = np.array([-1.0, 1.0, 1.0, -1.0])[:, None, None] * np.ones((1, STEPS, 1))
    arrays = {"inputs": inputs, "targets": answers, "masks": masks}
    return TrialArrays(
        **arrays, **{f"test_{name}": array for name, array in arrays.items()}, kind="regression"
    )


def chip(seed: int, rates: dict[str, float], recurrent_gain: float = 1.0) -> IntegerChip:
    """16 cells that forget in 8 ms."""
    return IntegerChip(
        CurrentLIF(hidden=16, input_gain=6.0, recurrent_gain=recurrent_gain, tau=8 * ms, tau_out=5 * ms),
        exclusive_or(),
        rule=WeightPerturbation(sigma=0.05, distribution="sign"),
        modulator=Modulator(baseline=OtherPass()),
        optimizer=SignSGD(momentum=0.9, anneal="linear", **rates),
        numbers=FixedPoint(noise="xorshift"),
        seed=seed,
        updates=TRIALS,
    )


def learned(made: IntegerChip) -> dict[str, float]:
    """Loss and share of right answers after all trials."""
    for trial in range(TRIALS):
        made.step(trial)
    unseen = made.task.evaluation(np.random.default_rng(0))
    outputs = made.outputs(unseen)[..., 0] * np.asarray(unseen.mask)
    right = (outputs.sum(axis=0) > 0) == (unseen.targets[-1, :, 0] > 0)
    return {"loss": made.test()[0], "right": float(right.mean())}


def trained(seed: int) -> dict[str, Any]:
    """Record of one seed: integers and core, trained alike, and the readout alone."""
    integers = chip(seed, RATES)
    core = simulated(integers)
    record: dict[str, Any] = {"seed": seed, "integers": learned(integers)}
    start = time.perf_counter()
    record |= {"core": learned(core), "seconds": round(time.perf_counter() - start)}
    pairs = zip(integers.integers.values(), core.integers.values(), strict=True)
    record["weights that differ"] = sum(int((a != b).sum()) for a, b in pairs)
    record |= {"weights": sum(w.size for w in integers.integers.values()), "cycles": core.machine.cycles}
    return record | {"readout alone": learned(chip(seed, FIXED))}


def main() -> None:
    """Train everything, and write the file."""
    path = Path(__file__).with_name("core.json")
    records = []
    for seed in SEEDS:
        records.append(trained(seed))
        print(records[-1], flush=True)
        path.write_text(json.dumps({"trials": TRIALS, "runs": records}, indent=1) + "\n")
    for record in records:
        record["no recurrence"] = learned(chip(record["seed"], NO_RECURRENCE, recurrent_gain=0.0))
        path.write_text(json.dumps({"trials": TRIALS, "runs": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()

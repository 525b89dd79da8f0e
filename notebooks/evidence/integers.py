"""Trainings in whole numbers beside the same stage in floating point: integers.json, for evidence_chip.ipynb.

``python notebooks/evidence/integers.py TASK SEEDS STAGES`` adds what is missing to the file, for example
``xor 100-104 sign,adam,readout,16,8,8floor``; a training in integers takes about 80 s on an idle core.
"""

import json
import math
import sys
import time
from pathlib import Path

from brian2 import ms

import neuroanp as nap
from neuroanp.hardware import IntegerChip
from neuroanp.models import CurrentLIF
from neuroanp.optim import Adam, Clip, SignSGD, Stage
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import NodePerturbation
from neuroanp.substrate import FixedPoint
from neuroanp.tasks import DelayedXOR, PatternGeneration

FILE = Path(__file__).with_name("integers.json")

TASKS = {
    "xor": {
        "model": CurrentLIF(input_gain=5.0, tau=50 * ms),
        "task": DelayedXOR(cue=30 * ms, delay=10 * ms),
        "rule": NodePerturbation(sigma=0.3, hold=10, readout="delta", distribution="sign"),
        "modulator": Modulator(discount=1.0, baseline=OtherLanes(copies=4)),
        "lanes": 32,
        "updates": 200,
    },
    "pat": {
        "model": CurrentLIF(input_gain=2.0),
        "task": PatternGeneration(duration=500 * ms),
        "rule": NodePerturbation(sigma=0.1, hold=10, readout="delta", distribution="sign"),
        "modulator": Modulator(discount=0.98, baseline=OtherLanes()),
        "lanes": 16,
        "updates": 100,
    },
}
SIGN = {"xor": {"lr": 3e-4, "input_lr": 3e-3}, "pat": {"lr": 1e-3, "input_lr": 1e-2}}
ADAM = {"xor": {"lr": 1e-3, "input_lr": 1e-2}, "pat": {"lr": 2e-3, "input_lr": 2e-2}}


def stage(task: str, name: str) -> Stage:
    """Optimizer of a stage; integers have the one of ``"sign"``."""
    if name == "adam":
        return Adam(readout_lr=1e-2, **ADAM[task])
    rates = {"lr": 0.0, "input_lr": 0.0} if name == "readout" else SIGN[task]
    return SignSGD(momentum=0.9, anneal="linear", readout_lr=1e-2, **rates)


def trained(task: str, seed: int, name: str) -> dict[str, object]:
    """Record of one training."""
    settings = TASKS[task] | {"optimizer": stage(task, name), "seed": seed}
    start = time.perf_counter()
    if name in ("sign", "adam", "readout"):
        run = nap.train(**settings, decorrelation=None, clip=Clip(norm=math.inf), tests=1)
        loss, score, saturated = run.result["test_loss"], run.result["score"], None
    else:
        bits = int("".join(filter(str.isdigit, name)))
        rounding = name.removeprefix(str(bits)) or "stochastic"
        constants = "shift" if rounding == "shift" else "multiply"
        rounding = "stochastic" if rounding == "shift" else rounding
        numbers = FixedPoint(weight_bits=bits, rounding=rounding, constants=constants)
        chip = IntegerChip(settings.pop("model"), settings.pop("task"), numbers=numbers, **settings)
        for trial in range(chip.updates):
            chip.step(trial)
        (loss, score), saturated = chip.test(), chip.report().saturated
    record = {"task": task, "seed": seed, "config": name, "loss": loss, "score": score}
    return record | {"seconds": round(time.perf_counter() - start), "saturated": saturated}


def main(task: str, seeds: str, names: str) -> None:
    """Train what the file lacks."""
    records = json.loads(FILE.read_text())["runs"] if FILE.exists() else []
    known = {(r["task"], r["seed"], r["config"]) for r in records}
    first, _, last = seeds.partition("-")
    for seed in range(int(first), int(last or first) + 1):
        for name in names.split(","):
            if (task, seed, name) not in known:
                records.append(trained(task, seed, name))
                FILE.write_text(json.dumps({"runs": records}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Hidden weights of spiking networks by several rules, at the same trials: spiking.json.

``python notebooks/evidence/spiking.py [--seeds 100-104] [--tasks digits] [--arms learned]`` takes about two
hours. A file that is there keeps the records that are not made anew.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from brian2 import Hz, ms

import neuroanp as nap
from neuroanp.gradients import BPTT
from neuroanp.models import ALIF
from neuroanp.optim import Adam
from neuroanp.rules import EProp, ReadoutOnly
from neuroanp.tasks import (
    CueAccumulation,
    DelayedXOR,
    MackeyGlass,
    PatternGeneration,
    SpikingDigits,
    StoreRecall,
)

PATH = Path(__file__).with_name("spiking.json")
SEEDS = range(100, 105)


class Setting(NamedTuple):
    """Task, its preset, that of node perturbation, and what differs from them."""

    task: nap.Task
    preset: str
    node: str
    changes: dict[str, Any]


EARLIER = {
    "model": ALIF(input_gain=3.0, beta=0.3, tau_a=200 * ms, readout_gain=0.1),
    "optimizer": Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2, anneal="linear"),
    "updates": 400, "lanes": 128,
}  # fmt: skip
"""Recipe of the digits with rows of 15 ms."""

CUES = {"model": CueAccumulation().recipe("best").model, "updates": 100, "lanes": 32}
"""Cells of cue accumulation for all rules: those of the preset node need no learning."""

SETTINGS = {
    "delayed-xor": Setting(DelayedXOR(), "best", "node", {"updates": 100, "lanes": 64}),
    "pattern, 8 lanes": Setting(PatternGeneration(), "best", "node", {"updates": 200, "lanes": 8}),
    "pattern, 32 lanes": Setting(PatternGeneration(), "best", "node", {"updates": 200, "lanes": 32}),
    "mackey-glass": Setting(MackeyGlass(), "spiking", "spiking-node", {"updates": 500, "lanes": 64}),
    "digits": Setting(SpikingDigits(), "best", "node", {"updates": 400, "lanes": 64}),
    "digits, 15 ms": Setting(SpikingDigits(row=15 * ms, rate=400 * Hz), "best", "node", EARLIER),
    "store-recall": Setting(StoreRecall(), "best", "node", {"updates": 100, "lanes": 64}),
    "cue-accumulation": Setting(CueAccumulation(), "best", "node", CUES),
    "digits, longer": Setting(SpikingDigits(), "best", "node", {"updates": 1000, "lanes": 64}),
}
RULES = {
    "learned": EProp(),
    "kolen-pollack": EProp(feedback="kolen-pollack"),
    "symmetric": EProp(feedback="symmetric"),
    "random": EProp(feedback="random"),
    "bptt": BPTT(),
    "readout": ReadoutOnly(),
}
LONGER = ("learned", "kolen-pollack", "bptt", "readout")
"""Arms of the setting with most updates."""


def recipe(setting: Setting, arm: str) -> nap.Recipe:
    """Recipe of one arm; node perturbation compares lanes that share an input."""
    if arm == "node":
        return setting.task.recipe(setting.node).replace(**setting.changes)
    best = setting.task.recipe(setting.preset).replace(**setting.changes)
    rule = best.rule if arm == "learned" else RULES[arm]
    return best.replace(rule=rule, modulator=nap.Modulator())


def record(name: str, arm: str, seed: int) -> dict[str, Any]:
    """Result of one training."""
    setting, start = SETTINGS[name], time.process_time()
    trainer = nap.Trainer(
        setting.task, recipe(setting, arm), seed=seed, engine="compiled", dtype="float32", tests=0
    )
    result = trainer.run(progress=False).result
    return {
        "task": name, "arm": arm, "seed": seed, "loss": float(f"{result['test_loss']:.5g}"),
        "score": float(f"{result['score']:.4g}"), "rate": round(result["rate"], 1),
        "cpu": round(time.process_time() - start, 1),
    }  # fmt: skip


def main() -> None:
    """Make the records asked for, and write the file after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}")
    parser.add_argument("--tasks", default=";".join(SETTINGS), help="separated by semicolons")
    parser.add_argument("--arms", default=",".join((*RULES, "node")))
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    for name in asked.tasks.split(";"):
        for arm in asked.arms.split(","):
            if name == "digits, longer" and arm not in LONGER:
                continue
            for seed in range(int(first), int(last or first) + 1):
                run = record(name, arm, seed)
                print(run, flush=True)
                write(run)


def write(run: dict[str, Any]) -> None:
    """File with a line for each record, the new one in place of its earlier one."""
    stored = json.loads(PATH.read_text())["runs"] if PATH.exists() else []
    runs = {(r["task"], r["arm"], r["seed"]): r for r in [*stored, run]}
    order = {name: place for place, name in enumerate((*SETTINGS, *RULES, "node"))}
    keys = sorted(runs, key=lambda key: (order.get(key[0], 99), order.get(key[1], 99), key[2]))
    lines = ",\n".join(f"  {json.dumps(runs[key])}" for key in keys)
    trivial = {name: setting.task.trivial() for name, setting in SETTINGS.items()}
    budget = {name: [s.changes["updates"], s.changes["lanes"]] for name, s in SETTINGS.items()}
    head = f' "updates and lanes": {json.dumps(budget)},\n "trivial": {json.dumps(trivial)}'
    PATH.write_text(f'{{\n{head},\n "runs": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()

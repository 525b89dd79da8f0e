"""FORCE beside least squares for the readout alone, and beside other rules: force.json.

``python notebooks/evidence/force.py [--seeds 100-104] [--tasks "mackey-glass, tanh"] [--arms force]`` takes
about ten minutes. A file that is there keeps the records that are not made anew. Settings were chosen on
seed 0.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from brian2 import ms

import neuroanp as nap
from neuroanp.models import LIF, LeakyTanhRNN, TanhRNN
from neuroanp.network.model import Model
from neuroanp.optim import SGD
from neuroanp.rules import Force, ReadoutOnly
from neuroanp.tasks import MackeyGlass, PatternGeneration

PATH = Path(__file__).with_name("force.json")
SEEDS = range(100, 105)


class Setting(NamedTuple):
    """Task in short windows for FORCE, its model, lanes and updates; preset of the other arms, if any."""

    task: nap.Task
    model: Model
    lanes: int
    updates: int
    node: str = ""


SHORT = PatternGeneration(window=5 * ms)
CLOCKLESS = SHORT.replace(ticks=1)
WINDOWS = MackeyGlass(window=4, carry=True)
SPIKING = MackeyGlass().recipe("spiking").model
LEAKY = LeakyTanhRNN(orthogonal=False, recurrent_gain=1.5, tau_min=20 * ms, tau_max=20 * ms)
SETTINGS = {
    "mackey-glass, tanh": Setting(WINDOWS, TanhRNN(), 8, 8000, "best"),
    "mackey-glass, alif": Setting(WINDOWS, SPIKING, 8, 8000),
    "pattern, lif": Setting(SHORT, LIF(input_gain=2.0), 1, 4000),
    "pattern, tanh": Setting(SHORT, TanhRNN(), 1, 4000),
    "pattern, leaky-tanh": Setting(SHORT, LEAKY, 1, 4000),
    "pattern without clock, leaky-tanh": Setting(CLOCKLESS, LEAKY, 1, 4000),
}
"""8,000 windows of Mackey-Glass on 8 lanes are a fifteenth of the steps of its recipes; 4,000 windows of 5 ms
are 20 patterns, on one lane, as all lanes of that task are the same to a rule without noise."""

RULES = {"force": Force(), "least squares": Force(alpha=1e-4, feedback_gain=0.0)}
ARMS = (*RULES, "readout", "node")


def trainer(setting: Setting, arm: str, seed: int) -> nap.Trainer:
    """Training of one arm: FORCE, the same without feedback, or a recipe of the task in its own windows."""
    others = {"seed": seed, "engine": "compiled", "tests": 0}
    if arm in ("readout", "node"):
        task = MackeyGlass()
        recipe = task.recipe(setting.node)
        if arm == "readout":
            recipe = recipe.replace(rule=ReadoutOnly(), decorrelation=None)
        return nap.Trainer(task, recipe, dtype="float32", **others)
    recipe = nap.Recipe(
        model=setting.model, rule=RULES[arm], modulator=nap.Modulator(), optimizer=SGD(lr=1.0),
        decorrelation=None, lanes=setting.lanes, updates=setting.updates,
    )  # fmt: skip
    return nap.Trainer(setting.task, recipe, **others)


def record(name: str, arm: str, seed: int) -> dict[str, Any]:
    """Result of one training."""
    start = time.process_time()
    result = trainer(SETTINGS[name], arm, seed).run(progress=False).result
    rate = result["rate"]
    return {
        "task": name, "arm": arm, "seed": seed, "loss": float(f"{result['test_loss']:.5g}"),
        "score": float(f"{result['score']:.4g}"), "rate": None if rate is None else round(rate, 1),
        "cpu": round(time.process_time() - start, 1),
    }  # fmt: skip


def main() -> None:
    """Make the records asked for, and write the file after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}")
    parser.add_argument("--tasks", default=";".join(SETTINGS), help="separated by semicolons")
    parser.add_argument("--arms", default=",".join(ARMS))
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    for seed in range(int(first), int(last or first) + 1):
        for name in asked.tasks.split(";"):
            for arm in asked.arms.split(","):
                if arm in ("readout", "node") and not SETTINGS[name].node:
                    continue
                run = record(name, arm, seed)
                print(run, flush=True)
                write(run)


def write(run: dict[str, Any]) -> None:
    """File with a line for each record, the new one in place of its earlier one."""
    stored = json.loads(PATH.read_text())["runs"] if PATH.exists() else []
    runs = {(r["task"], r["arm"], r["seed"]): r for r in [*stored, run]}
    order = {name: place for place, name in enumerate((*SETTINGS, *ARMS))}
    keys = sorted(runs, key=lambda key: (order.get(key[0], 99), order.get(key[1], 99), key[2]))
    lines = ",\n".join(f"  {json.dumps(runs[key])}" for key in keys)
    trivial = {name: setting.task.trivial() for name, setting in SETTINGS.items()}
    PATH.write_text(f'{{\n "trivial": {json.dumps(trivial)},\n "runs": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()

"""Hidden weights of spiking cells from one scalar a trial, beside rules that know more: scalar.json.

``python notebooks/evidence/scalar.py [--seeds 100-104] [--tasks "digits;xor"]`` takes about 20 minutes. A
file that is there keeps the records that aren't made anew. All runs of a task see as many trials, lanes x
passes x updates. For exclusive or and digits the learning rates of rules that change hidden weights are the
best of two or more, on seeds 0 and 1; elsewhere they are those of the recipe.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from brian2 import Hz, ms

import neuroanp as nap
from neuroanp.gradients import BPTT
from neuroanp.models import ALIF, LIF
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, NoiseCritic, OtherLanes, RunningMean
from neuroanp.rules import EProp, NodePerturbation, OutputPerturbation, ReadoutOnly, Rule
from neuroanp.tasks import DelayedXOR, PatternGeneration, SpikingDigits

PATH = Path(__file__).with_name("scalar.json")
SEEDS = range(100, 105)
TASKS: dict[str, nap.Task] = {
    "xor": DelayedXOR(),
    "xor, one bit": DelayedXOR(reward="sign"),
    "pattern": PatternGeneration(),
    "digits": SpikingDigits(row=5 * ms, rate=800 * Hz),
}
ADAPTING = ALIF(input_gain=3.0, beta=1.0, tau_a=400 * ms)
MODELS = {
    "xor": ADAPTING,
    "xor, one bit": ADAPTING,
    "pattern": LIF(input_gain=2.0),
    "digits": ALIF(hidden=200, input_gain=1.0, beta=0.3, tau_a=200 * ms, readout_gain=0.1),
}
SIZES = {"xor": (100, 64), "xor, one bit": (100, 64), "pattern": (200, 8), "digits": (400, 64)}
"""Updates and lanes."""

RATES = {
    "xor": (1e-3, 1e-2, 1e-2),
    "xor, one bit": (1e-3, 1e-2, 1e-2),
    "pattern": (2e-3, 2e-2, 1e-2),
    "digits": (2e-3, 1e-2, 1e-2),
}
"""Rates of recurrent, input and readout weights, which each rule has its own multiple of."""


class Case(NamedTuple):
    """A rule as one task has it: factor of the hidden rates, and of the readout's."""

    rule: Rule
    modulator: Modulator = Modulator()
    hidden: float = 1.0
    readout: float = 1.0


NODES = NodePerturbation(sigma=0.3, hold=10, readout="delta")
OUTPUTS = OutputPerturbation(readout="delta")
SIGNS = OUTPUTS.replace(distribution="sign")
"""One output has no others to share the blame with: noise of two values varies less."""

PAIRS, FOURS = Modulator(baseline=OtherLanes(copies=2)), Modulator(baseline=OtherLanes(copies=4))
CRITIC, MEAN = Modulator(baseline=NoiseCritic()), Modulator(baseline=RunningMean())
NODES_ALONE = NODES.replace(readout="perturb", readout_sigma=0.03)

CASES: dict[str, dict[str, Case]] = {
    "readout alone": {name: Case(ReadoutOnly()) for name in ("xor", "pattern", "digits")},
    "node perturbation": {
        "xor": Case(NODES, FOURS),
        "pattern": Case(NODES.replace(sigma=0.1), Modulator(discount=0.98, baseline=OtherLanes())),
        "digits": Case(NODES, PAIRS, hidden=0.1),
    },
    "output perturbation": {
        "xor": Case(SIGNS, MEAN, hidden=2.0),
        "pattern": Case(OUTPUTS.replace(hold=20), Modulator(discount=0.95, baseline=OtherLanes())),
        "digits": Case(OUTPUTS, CRITIC, hidden=2.0),
    },
    "node perturbation, no targets": {
        "xor": Case(NODES_ALONE, FOURS),
        "xor, one bit": Case(NODES_ALONE, FOURS),
        "digits": Case(NODES_ALONE, PAIRS, 0.1, 0.3),
    },
    "output perturbation, no targets": {
        "xor": Case(SIGNS.replace(readout="perturb"), MEAN, 2.0),
        "xor, one bit": Case(SIGNS.replace(readout="perturb"), MEAN, 2.0),
        "digits": Case(OUTPUTS.replace(readout="perturb"), CRITIC, 2.0, 0.3),
    },
    "e-prop, symmetric": {
        "xor": Case(EProp(feedback="symmetric"), hidden=2.0),
        "pattern": Case(EProp(feedback="symmetric")),
        "digits": Case(EProp(feedback="symmetric"), hidden=2.0),
    },
    "BPTT": {
        "xor": Case(BPTT(surrogate="triangle"), hidden=2.0),
        "pattern": Case(BPTT(surrogate="triangle")),
        "digits": Case(BPTT(surrogate="triangle"), hidden=2.0),
    },
}


def record(name: str, label: str, seed: int) -> dict[str, float | str]:
    """Loss and score of one run on unseen trials, without noise."""
    case, (lr, input_lr, readout_lr) = CASES[label][name], RATES[name]
    optimizer = Adam(
        lr=lr * case.hidden, input_lr=input_lr * case.hidden, readout_lr=readout_lr * case.readout
    )
    recipe = TASKS[name].recipe("best").replace(
        model=MODELS[name], rule=case.rule, modulator=case.modulator, optimizer=optimizer,
        decorrelation=None, lanes=SIZES[name][1], updates=SIZES[name][0],
    )  # fmt: skip
    run = nap.Trainer(TASKS[name], recipe, seed=seed, engine="compiled", dtype="float32", tests=0).run(False)
    loss, score = round(float(run.result["test_loss"]), 5), round(float(run.result["score"]), 4)
    return {"task": name, "rule": label, "seed": seed, "loss": loss, "score": score}


def main() -> None:
    """Make the records asked for, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}")
    parser.add_argument("--tasks", default=";".join(TASKS))
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    stored = json.loads(PATH.read_text())["runs"] if PATH.exists() else []
    runs = {(run["task"], run["rule"], run["seed"]): run for run in stored}
    for name in asked.tasks.split(";"):
        for seed in range(int(first), int(last or first) + 1):
            for label in [label for label, cases in CASES.items() if name in cases]:
                runs[name, label, seed] = record(name, label, seed)
                print(runs[name, label, seed], flush=True)
            write([runs[key] for key in sorted(runs, key=order)])


def order(key: tuple[str, str, int]) -> tuple[int, int, int]:
    """Place of a record in the file."""
    return [*TASKS].index(key[0]), [*CASES].index(key[1]), key[2]


def write(runs: list) -> None:
    """File with a line for each record."""
    settings = {"updates and lanes": SIZES, "passes": 1, "rates": RATES}
    settings["factors of the rates"] = {
        label: {name: [case.hidden, case.readout] for name, case in cases.items()}
        for label, cases in CASES.items()
    }
    trivial = {name: task.trivial() for name, task in TASKS.items()}
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    head = f' "settings": {json.dumps(settings)},\n "trivial": {json.dumps(trivial)}'
    PATH.write_text(f'{{\n{head},\n "runs": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()

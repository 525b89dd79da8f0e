"""Cosine of one estimate with the surrogate gradient of its trial, of spiking cells: cosine.json.

``python notebooks/evidence/cosine.py`` takes three minutes. Weights are those after 40 updates of BPTT, and
held. Of 60 estimates, a trial each, the first 30 let the feedback settle. Noise is in one of
four estimates, or in all, as in the recipe of Mackey-Glass.
"""

import json
from pathlib import Path

import numpy as np

import neuroanp as nap
from neuroanp.gradients import BPTT
from neuroanp.network.network import Network
from neuroanp.reward import Modulator
from neuroanp.rules import EProp, Rule
from neuroanp.tasks import DelayedXOR, MackeyGlass

PATH = Path(__file__).with_name("cosine.json")
LANES, TRAINED, SETTLING, MEASURED = 64, 40, 30, 30
SEEDS = range(100, 105)
TASKS = {
    "delayed-xor": (DelayedXOR(), "best", "node"),
    "mackey-glass": (MackeyGlass(), "spiking", "spiking-node"),
}


def cosine(first: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two matrices."""
    return float((first * other).sum() / np.sqrt((first**2).sum() * (other**2).sum()))


def measured(
    task: nap.Task, recipe: nap.Recipe, rule: Rule, modulator: Modulator, weights: dict, seed: int
) -> dict:
    """Mean cosine by weight name."""

    def network(of: Rule, by: Modulator) -> Network:
        made = Network(
            recipe.model, task.n_in, task.n_out, task.dt, lanes=LANES, passes=by.passes(of.passes),
            perturbation=of.perturbation, seed=seed,
        )  # fmt: skip
        made.load(dict(weights))
        return made

    noisy, clean = network(rule, modulator), network(BPTT(), Modulator())
    memory, state = rule.start(noisy.layout), modulator.start(noisy.layout)
    copies, found = modulator.lanes_per_input(LANES), {"W_in": [], "W_rec": []}
    for index in range(SETTLING + MEASURED):
        trial = task.trial(np.random.default_rng([seed, index]), LANES // copies, index).repeated(copies)
        record = noisy.run(trial, index)
        estimate = rule(record, modulator(record, state), memory)
        if index >= SETTLING:
            gradient = BPTT()(clean.run(trial), np.zeros(0), {})
            for name, values in found.items():
                values.append(cosine(estimate[name], gradient[name]))
    return {name: round(float(np.mean(values)), 3) for name, values in found.items()}


def main() -> None:
    """Measure all rules on all tasks, and write the file."""
    runs = []
    for name, (task, preset, node) in TASKS.items():
        recipe, perturbed = task.recipe(preset).replace(lanes=LANES, modulator=Modulator()), task.recipe(node)
        slower = recipe.optimizer.replace(lr=1e-3, input_lr=1e-2)
        settings = {
            "symmetric": (EProp(feedback="symmetric"), Modulator()),
            "learned": (EProp(), Modulator()),
            "learned, noise in all": (EProp(every=1), Modulator()),
            "node": (perturbed.rule, perturbed.modulator),
        }
        for seed in SEEDS:
            by_gradient = recipe.replace(rule=BPTT(), updates=TRAINED, optimizer=slower, rates=None)
            weights = nap.Trainer(task, by_gradient, seed=seed, tests=0).run(progress=False).weights
            for rule, parts in settings.items():
                found = measured(task, recipe, *parts, weights, seed)
                runs.append({"task": name, "rule": rule, "seed": seed, **found})
                print(runs[-1], flush=True)
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    PATH.write_text(f'{{\n "runs": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()

"""Part "learning": scores of what `neuroanp reproduce` leaves out, above all of the spiking tasks.

Takes hours and is measured when named only. Each setting is trained by its recipe, and with the readout alone
learning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.bench.table import Row
from neuroanp.errors import Diverged
from neuroanp.tasks import (
    CartPole,
    CopyingMemory,
    CueAccumulation,
    DelayedXOR,
    Digits,
    MackeyGlass,
    PatternGeneration,
    SpikingDigits,
    StoreRecall,
)  # fmt: skip
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

SETTINGS: dict[str, tuple[Callable[[], Task], dict[str, Any]]] = {
    "delayed-xor": (DelayedXOR, {}),
    "delayed-xor, scalar": (DelayedXOR, {"preset": "scalar"}),
    "delayed-xor, one bit": (lambda: DelayedXOR(reward="sign"), {"preset": "scalar"}),
    "delayed-xor, 100 ms": (lambda: DelayedXOR(delay=100 * ms), {"updates": 300}),
    "pattern-generation": (PatternGeneration, {}),
    "pattern-generation, scalar": (PatternGeneration, {"preset": "scalar", "updates": 300}),
    "cue-accumulation": (CueAccumulation, {}),
    "store-recall": (StoreRecall, {"updates": 300}),
    "mackey-glass, spiking": (MackeyGlass, {"preset": "spiking"}),
    "spiking-digits": (SpikingDigits, {}),
    "cart-pole": (CartPole, {}),
    "cart-pole, hidden velocities": (lambda: CartPole(velocities=False), {"preset": "rates"}),
    "digits": (Digits, {}),
    "copying one sequence of 20": (
        lambda: CopyingMemory(alphabet=10, length=20, delay=5, fresh=False), {"updates": 600},
    ),
}  # fmt: skip
SEEDS = 5


def rows(quick: bool) -> Iterator[Row]:
    """Two rows for each setting; quickly, for the first with one seed."""
    for name in list(SETTINGS)[:1] if quick else SETTINGS:
        for readout_alone in (False, True):
            yield one_setting(name, readout_alone, range(1 if quick else SEEDS))


def one_setting(name: str, readout_alone: bool, seeds: range) -> Row:
    """Mean score over the seeds; the note has the score of each seed and the mean loss."""
    make, changes = SETTINGS[name]
    task, options = make(), dict(changes)
    recipe = Recipe.of(task, options.pop("preset", None)).replace(**options)
    if readout_alone:
        frozen = recipe.optimizer.replace(lr=0.0, input_lr=None)
        recipe = recipe.replace(optimizer=frozen, decorrelation=None)
    runs = []
    for seed in seeds:
        try:
            runs.append(Trainer(task, recipe, seed=seed).run(progress=False))
        except Diverged as error:
            runs.append(error.run)
    scores, losses = ([run.result[key] for run in runs] for key in ("score", "test_loss"))
    each = " ".join(f"{score:.3g}" for score in scores)
    return Row(
        part="learning",
        what=f"{name}, readout alone" if readout_alone else name,
        size=f"{runs[0].result['updates']} updates x {recipe.lanes} lanes",
        ours=float(np.mean(scores)),
        unit="",
        note=f"{task.score_name} {each}; loss {np.mean(losses):.3g}",
    )

"""The same run on the fast path and on the chip."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.hardware import OnChip
from neuroanp.models import LIF, TanhRNN
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe

TRIALS = 8
TASK = CopyingMemory(alphabet=4, length=3, delay=2, evaluation_trials=2)
TANH = TanhRNN(hidden=5, readout_gain=0.5)
SPIKING = LIF(hidden=6, input_gain=30.0, recurrent_gain=3.0, bias=False)


def both(engine: str = "runtime", **changes: Any) -> tuple[OnChip, Trainer]:
    """On-chip mode and fast path, not yet trained: a tanh network unless said otherwise."""
    settings: dict[str, Any] = {
        "model": TANH, "task": TASK, "rule": NodePerturbation(sigma=0.05), "seed": 3, "updates": TRIALS,
        "modulator": Modulator(discount=0.9, baseline=RunningMean()),
        "optimizer": Adam(lr=0.01, readout_lr=0.02),
    }  # fmt: skip
    settings |= changes
    chip = OnChip(settings.pop("model"), settings.pop("task"), engine=engine, **settings)
    seed, optimizer, updates = (settings[name] for name in ("seed", "optimizer", "updates"))
    recipe = Recipe(
        model=chip.model, rule=settings["rule"], modulator=settings["modulator"], optimizer=optimizer,
        decorrelation=None, rates=settings.get("rates"), lanes=1, updates=updates,
    )  # fmt: skip
    return chip, Trainer(chip.task, recipe, seed=seed, engine="runtime", tests=0)


def train(chip: OnChip, fast: Trainer, trials: int = TRIALS) -> list[tuple[float, float]]:
    """Train both for some trials; the loss of each trial."""
    return [(chip.step(trial), fast.step().loss) for trial in range(trials)]


def apart(chip: OnChip, fast: Trainer) -> dict[str, float]:
    """By weight name, the greatest difference over the greatest weight."""
    weights = chip.weights
    return {
        name: float(np.abs(weights[name] - w).max() / np.abs(w).max())
        for name, w in fast.state.weights.items()
    }

"""The same run on the fast path and on the chip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroanp.hardware import OnChip
from neuroanp.models import LIF, TanhRNN
from neuroanp.optim import Adam, Clip, WeightBounds
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Training

TRIALS = 20
TASK = CopyingMemory(alphabet=4, length=3, delay=2, evaluation_trials=2)
TANH = TanhRNN(hidden=5, readout_gain=0.5)
SPIKING = LIF(hidden=6, input_gain=30.0, recurrent_gain=3.0, bias=False)


def both(engine: str = "runtime", **changes: Any) -> tuple[OnChip, Training]:
    """On-chip mode and fast path, not yet trained: a tanh network unless said otherwise."""
    settings: dict[str, Any] = {
        "model": TANH, "task": TASK, "rule": NodePerturbation(sigma=0.05), "seed": 3, "updates": TRIALS,
        "modulator": Modulator(discount=0.9, baseline="running"), "optimizer": Adam(lr=0.01, readout_lr=0.02),
    }  # fmt: skip
    settings |= changes
    chip = OnChip(settings.pop("model"), settings.pop("task"), engine=engine, **settings)
    fast = Training(
        model=chip.model, task=chip.task, clip=Clip(norm=math.inf), bounds=WeightBounds(), lanes=1,
        decorrelation=None, engine="runtime", dtype="float64", preset="best", **settings,
    )  # fmt: skip
    fast.network.load(fast.weights)
    return chip, fast


def train(chip: OnChip, fast: Training, trials: int = TRIALS) -> list[tuple[float, float]]:
    """Train both for some trials; the loss of each trial."""
    return [(chip.step(trial), fast.step(trial)) for trial in range(trials)]


def apart(chip: OnChip, fast: Training) -> dict[str, float]:
    """By weight name, the greatest difference over the greatest weight."""
    weights = chip.weights
    return {
        name: float(np.abs(weights[name] - w).max() / np.abs(w).max()) for name, w in fast.weights.items()
    }

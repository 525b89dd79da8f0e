"""A small training run, to be varied by the tests."""

from __future__ import annotations

import math
from typing import Any

from neuroanp.models import TanhRNN
from neuroanp.optim import Adam, Clip, WeightBounds
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Training

COPYING = CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=16)


def training(**changes: Any) -> Training:
    """Short copying memory with 20 hidden units, with whatever is said otherwise."""
    settings: dict[str, Any] = {
        "model": TanhRNN(hidden=20), "task": COPYING, "rule": NodePerturbation(sigma=0.05),
        "modulator": Modulator(), "clip": Clip(norm=math.inf), "optimizer": Adam(lr=0.01),
        "bounds": WeightBounds(), "decorrelation": None, "lanes": 16, "updates": 30, "seed": 1,
        "engine": "compiled", "dtype": "float64", "preset": "best",
    }  # fmt: skip
    return Training(**settings | changes)

"""A small training run, to be varied by the tests."""

from __future__ import annotations

from typing import Any

from neuroanp.models import TanhRNN
from neuroanp.optim import Adam
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from support.training import trainer

COPYING = CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=16)
RECIPE = Recipe(
    model=TanhRNN(hidden=20),
    rule=NodePerturbation(sigma=0.05),
    optimizer=Adam(lr=0.01),
    decorrelation=None,
    lanes=16,
    updates=30,
)


def training(**changes: Any) -> Trainer:
    """Short copying memory with 20 hidden units, with what is said otherwise."""
    return trainer(COPYING, RECIPE, **changes)

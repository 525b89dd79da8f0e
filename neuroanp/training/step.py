"""`Step`: one update of a training."""

from __future__ import annotations

from typing import NamedTuple

from neuroanp.training.evaluation import Evaluation


class Step(NamedTuple):
    """One update."""

    update: int
    """Number of the update, from 1."""
    loss: float
    """Mean loss of its trial, without noise, before the update."""
    evaluation: Evaluation | None
    """Evaluation of the network after it, where one was due."""

"""Losses that count as divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence

DIVERGENCE = 1e4
"""Loss, in that of the first trial or of zero output, which counts as divergence."""


def limit(losses: Sequence[float], zero_output_loss: float) -> float:
    """Loss above which a training with the `losses` so far has diverged; infinite before the first."""
    largest = max(losses[0], zero_output_loss) if losses else math.inf
    return DIVERGENCE * largest or math.inf


def divergence(name: str, value: float, losses: Sequence[float], zero_output_loss: float) -> str:
    """Reason why a loss of that name counts as divergence; empty for a good one."""
    if not math.isfinite(value):
        return f"the {name} is no longer finite"
    if value > limit(losses, zero_output_loss):
        return f"the {name} has grown from {losses[0]:.2g} to {value:.2g}"
    return ""

"""Small chips in whole numbers."""

from __future__ import annotations

from typing import Any

from brian2 import ms

from neuroanp.hardware import IntegerChip
from neuroanp.models import CurrentLIF
from neuroanp.optim import ShiftSGD
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import DelayedHebbian, NodePerturbation, OrnsteinUhlenbeck, RewardSTDP, WeightPerturbation
from neuroanp.tasks import DelayedXOR

TASK = DelayedXOR(cue=6 * ms, delay=3 * ms, decision=4 * ms, channels=3)
NODES = NodePerturbation(sigma=0.25, hold=5, distribution="sign", readout_sigma=0.125)
RULES = {
    "nodes": NODES,
    "delta": NodePerturbation(sigma=0.25, hold=5, distribution="sign", readout="delta"),
    "weights": WeightPerturbation(sigma=0.05, distribution="sign"),
    "wandering": OrnsteinUhlenbeck(sigma=0.05, distribution="sign"),
    "stdp": RewardSTDP(sigma=0.25, hold=5, distribution="sign", readout="delta"),
}
HEBBIAN = DelayedHebbian(sigma=0.016, probability=0.01, readout="delta")


def chip(hidden: int = 6, **changes: Any) -> IntegerChip:
    """Chip of a few current-lif cells, not yet trained."""
    settings: dict[str, Any] = {
        "model": CurrentLIF(hidden=hidden, input_gain=6.0), "task": TASK, "rule": NODES, "seed": 3,
        "updates": 20, "modulator": Modulator(discount=0.98, baseline=RunningMean()),
        "optimizer": ShiftSGD(lr=2**-7, readout_lr=2**-9),
    }  # fmt: skip
    settings |= changes
    return IntegerChip(settings.pop("model"), settings.pop("task"), **settings)

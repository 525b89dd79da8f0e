"""What a task is trained with when nothing else is said."""

from __future__ import annotations

import math
from typing import Any

from neuroanp import registry
from neuroanp.decorrelation import Decorrelation
from neuroanp.errors import UnknownName
from neuroanp.models import TanhRNN
from neuroanp.reward import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation
from neuroanp.stages import SGD, Adam, Clip, WeightBounds

PRESETS = ("best", "published")


def recipe(task: str, preset: str) -> dict[str, Any]:
    """Arguments of `neuroanp.train` for a task: the general ones, with the task's own over them.

    Parameters
    ----------
    task : str
        Shell name.
    preset : {"best", "published"}
        The best that we know, or the published method and rates.
    """
    if preset not in PRESETS:
        raise UnknownName("preset", preset, list(PRESETS))
    general: dict[str, Any] = {"best": _best, "published": _published}[preset]()
    general |= {"clip": Clip(norm=math.inf), "bounds": WeightBounds()}
    return general | registry.find("task", task).recipe(preset)


def _best() -> dict[str, Any]:
    return {
        "model": TanhRNN(),
        "rule": NodePerturbation(sigma=0.01, readout="delta"),
        "modulator": Modulator(discount=1.0),
        "optimizer": Adam(lr=3e-3, readout_lr=1e-2),
        "decorrelation": Decorrelation(rate=0.01),
        "lanes": 64,
        "updates": 1000,
    }


def _published() -> dict[str, Any]:
    return {
        "model": TanhRNN(bias=False, orthogonal=False, readout_gain=1.0),
        "rule": ActivityPerturbation(sigma=0.01, mirrored=False),
        "modulator": Modulator(discount=0.0, scope="global"),
        "optimizer": SGD(lr=0.1),
        "decorrelation": Decorrelation(rate=1e-3, anneal="none"),
        "lanes": 64,
        "updates": 1000,
    }

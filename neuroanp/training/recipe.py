"""What a task is trained with when nothing else is said."""

from __future__ import annotations

import math
from typing import Any

from neuroanp.config import registry
from neuroanp.errors import UnknownName
from neuroanp.models import TanhRNN
from neuroanp.optim import SGD, Adam, Clip, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation


def presets(task: str) -> tuple[str, ...]:
    """Names of the recipes that a task has; the first is the default.

    Parameters
    ----------
    task : str
        Shell name.
    """
    names: tuple[str, ...] = registry.find("task", task).presets
    return names


def recipe(task: str, preset: str) -> dict[str, Any]:
    """Arguments of `neuroanp.train` for a task: the general ones, with the task's own over them.

    Parameters
    ----------
    task : str
        Shell name.
    preset : str
        ``"best"`` that we know, ``"published"`` method and rates, or another one of the task's.

    Raises
    ------
    UnknownName
        For a preset that the task doesn't have.
    """
    if preset not in presets(task):
        raise UnknownName("preset", preset, list(presets(task)))
    general = _published() if preset == "published" else _best()
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

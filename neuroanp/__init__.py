"""Train recurrent networks, rate and spiking, without gradients.

Networks are Brian2 neuron groups, noise perturbs them, a reward monitor reduces what they did to a
scalar, and local plasticity rules turn the three into weight changes between runs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuroanp import engine, models, onchip, registry, rules, stages, tasks, testing
    from neuroanp.decorrelation import Decorrelation
    from neuroanp.model import Model
    from neuroanp.monitor import RewardMonitor
    from neuroanp.network import Network
    from neuroanp.perturbation import Perturbation
    from neuroanp.plant import Plant
    from neuroanp.plant_task import PlantTask
    from neuroanp.python_plant import PythonPlant
    from neuroanp.record import Record
    from neuroanp.results import Run
    from neuroanp.reward import Modulator
    from neuroanp.task import Task, Trial
    from neuroanp.training import train

__all__ = [
    "Decorrelation",
    "Model",
    "Modulator",
    "Network",
    "Perturbation",
    "Plant",
    "PlantTask",
    "PythonPlant",
    "Record",
    "RewardMonitor",
    "Run",
    "Task",
    "Trial",
    "engine",
    "models",
    "onchip",
    "registry",
    "rules",
    "stages",
    "tasks",
    "testing",
    "train",
]

_HOMES = {
    "Decorrelation": "decorrelation",
    "Model": "model",
    "Modulator": "reward",
    "Network": "network",
    "Perturbation": "perturbation",
    "Plant": "plant",
    "PlantTask": "plant_task",
    "PythonPlant": "python_plant",
    "Record": "record",
    "RewardMonitor": "monitor",
    "Run": "results",
    "Task": "task",
    "Trial": "task",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    # Names are looked up when used: the engine can be used alone, and `neuroanp --help` is quick.
    if name in _HOMES:
        return getattr(importlib.import_module(f"neuroanp.{_HOMES[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"neuroanp.{name}")
    raise AttributeError(f"module 'neuroanp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

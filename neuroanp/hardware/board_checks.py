"""Checks of a device, task, weights and rule that are to work together, before any trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.hardware.device import Device, PerturbingDevice
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import NodeRule, WeightPerturbation
from neuroanp.training.task import Task
from neuroanp.types import Array

LEARNED = ("W_in", "W_rec", "W_out")
"""Weights of a device that perturbs its nodes."""


def check_board(device: Any, task: Any, weights: Mapping[str, Array], rule: Any, modulator: Any) -> None:
    """Check of the parts of a `BoardTrainer`.

    Raises
    ------
    InvalidValue
        For a device without a method that the rule needs, by its name, and for parts that don't fit.
    """
    checks.instance("BoardTrainer.task", task, Task)
    checks.instance("BoardTrainer.modulator", modulator, Modulator)
    if task.plant is not None:
        raise InvalidValue("BoardTrainer.task", "a task with targets", f"{task.name}, in closed loop")
    _check_methods("BoardTrainer.device", device, Device)
    if not weights:
        raise InvalidValue("BoardTrainer.weights", "at least one array, by name", "none")
    if isinstance(rule, NodeRule):
        _check_nodes(device, task, weights, rule)
    elif isinstance(rule, WeightPerturbation):
        _check_weights(rule, modulator)
    else:
        expected = "WeightPerturbation, SPSA, or a rule of noise on nodes"
        raise InvalidValue("BoardTrainer.rule", expected, type(rule).__name__)


def _check_methods(where: str, device: Any, kind: type[Any]) -> None:
    needed = [name for name in ("write_weights", "run_trial", "perturb") if hasattr(kind, name)]
    lacking = [name for name in needed if not callable(getattr(device, name, None))]
    if lacking:
        expected = f"an object with {', '.join(needed)}"
        raise InvalidValue(where, expected, f"{type(device).__name__} without {', '.join(lacking)}")


def _check_weights(rule: WeightPerturbation, modulator: Modulator) -> None:
    name = type(rule).__name__
    if rule.hold != "trial":
        raise InvalidValue(f"{name}.hold", "trial, as the host writes weights between trials", rule.hold)
    if rule.readout == "delta":
        expected = "perturb or fixed, as the host doesn't see the traces of the cells"
        raise InvalidValue(f"{name}.readout", expected, "delta")
    if isinstance(modulator.baseline, OtherLanes):
        expected = "OtherPass() or RunningMean(), as all lanes have the same weights"
        raise InvalidValue("Modulator.baseline", expected, modulator.baseline)


def _check_nodes(device: Any, task: Task, weights: Mapping[str, Array], rule: NodeRule) -> None:
    where = f"BoardTrainer.device, for {rule.name}"
    _check_methods(where, device, PerturbingDevice)
    if rule.recorded or rule.needs_two_passes:
        seen = "noise and traces alone, as NodePerturbation"
        raise InvalidValue("BoardTrainer.rule", f"a rule of {seen}", rule.name)
    if sorted(weights) != sorted(LEARNED):
        got = ", ".join(weights)
        raise InvalidValue("BoardTrainer.weights", f"{', '.join(LEARNED)}, for {rule.name}", got)
    hidden = len(weights["W_rec"])
    shapes = {"W_in": (hidden, task.n_in), "W_rec": (hidden, hidden), "W_out": (task.n_out, hidden)}
    for name, shape in shapes.items():
        biased = (hidden, task.n_in + 1) if name == "W_in" else shape
        if weights[name].shape not in (shape, biased):
            expected = f"shape {shape}" + (f", or {biased} with a bias" if biased != shape else "")
            raise InvalidValue(f"BoardTrainer.weights[{name!r}]", expected, f"shape {weights[name].shape}")

"""Cells of the on-chip mode that work for their synapses, and the feedback that brings errors to them.

An output has its error, what it received in the step and what of it the feedback explains; a cell has its
signal, the sum of all errors through its own feedback synapses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import brian2 as b2
import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.synapse import BROADCAST, CELLS, OF_PROJECTION, Neuron, joined
from neuroanp.types import Array

if TYPE_CHECKING:
    from neuroanp.hardware.chip_assembly import Chip

OUTPUT = """
    error : 1
    received : 1
    explained : 1
    y_before : 1
"""
"""Variables of an output whose error comes back."""

_ERRORS = """
    error = mask * 2 * (y - target) / N
    received = y - readout_memory * y_before
    y_before = y
"""


def cell_equations(neuron: Neuron, model: Model) -> str:
    """Equations of the variables of a cell that a rule's statements see."""
    adaptation = "adaptation : 1" if model.adaptation is None else alias("adaptation", model.adaptation)
    state = [f"{name} : 1" for name in neuron.state]
    return joined(alias("potential", str(model.potential)), adaptation, "rise : 1\nawake : 1", *state)


def cell_constants(model: Model, dt: Any) -> dict[str, float]:
    """`CELLS` of a model; `InvalidValue` for one whose cells a rule can't follow on chip."""
    cells = model.cells(dt)
    if cells is None or not cells.reset_arrivals:
        expected = "a model of cells with known constants that lose what arrives as they fire, such as lif"
        raise InvalidValue("OnChip.model", expected, model.name)
    values = (cells.memory, cells.drive, cells.threshold, cells.fading)
    return dict(zip(CELLS, values, strict=True))


def cell_work(neuron: Neuron, model: Model, hidden: Any, dt: Any) -> list[Any]:
    """Statements of the cells in their slots."""
    if (cells := model.cells(dt)) is not None:
        hidden.rise = cells.rise
    awake = "awake = 1" if model.refractory is None else "awake = int(not_refractory)"
    work = [(joined(awake, neuron.before), "thresholds", -1, "cells_before")]
    work += [(neuron.after, "end", 3, "cells_after")] if neuron.after else []
    objects = [
        hidden.run_regularly(code, when=when, order=order, name=name) for code, when, order, name in work
    ]
    if neuron.forget:
        hidden.run_on_event("trial_end", neuron.forget, when="end", order=7)
    return objects


def errors(readout: Any, reward: Any) -> Any:
    """Errors of the outputs, with the loss of the step."""
    readout.variables.add_reference("mask", reward, index="0")
    return readout.run_regularly(_ERRORS, when="end", order=1, name="errors")


def refer_to_reward(synapses: Any, reward: Any) -> None:
    """Let synapses see what the reward unit broadcasts."""
    for variable in BROADCAST:
        if variable not in OF_PROJECTION:
            synapses.variables.add_reference(variable, reward, index="0")


def feedback_synapses(chip: Chip, start: Array) -> Any:
    """Synapses from the outputs to the cells, a cell's side by side: ``weight`` reshapes to (N, n_out).

    Parameters
    ----------
    chip : Chip
        Which declares the synapse ``"B"``.
    start : (n_out, N) array
        Feedback at the start.
    """
    declared = chip.declared["B"]
    equations = [f"{variable} : 1" for variable in dict.fromkeys(("weight", *declared.state))]
    equations += [f"{variable} : 1 (shared)" for variable in OF_PROJECTION]
    equations += ["signal_post = weight * error_pre : 1 (summed)"]
    if "explained_pre" in declared.reads("pre"):
        equations += ["explained_pre = weight * trace_post : 1 (summed)"]
    code: dict[str, Any] = chip.common | {"namespace": chip.constants(declared)}
    if declared.each_trial:
        code |= {"on_post": {"change": declared.each_trial}, "on_event": {"change": "trial_end"}}
    synapses = b2.Synapses(chip.readout, chip.hidden, joined(*equations), name="B", **code)
    outputs, cells = len(chip.readout), len(chip.hidden)
    synapses.connect(i=np.tile(np.arange(outputs), cells), j=np.repeat(np.arange(cells), outputs))
    synapses.variables["weight"].get_value()[:] = start.T.ravel()
    refer_to_reward(synapses, chip.reward)
    for updater in synapses.summed_updaters.values():
        updater.when, updater.order = "end", 3
    if declared.each_step:
        synapses.run_regularly(declared.each_step, when="end", order=4, name="B_credit")
    if declared.each_trial:
        synapses.change.when, synapses.change.order = "end", 6
    return synapses


def alias(name: str, variable: str) -> str:
    """Equation of a second name for a variable, empty where it has that name."""
    return "" if name == variable else f"{name} = {variable} : 1"

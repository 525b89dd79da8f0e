"""Cells of a spiking model as the lines that one step runs, in the order of hardware."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.rendering.statements import SPIKES, Assign, Project, Source, program
from neuroanp.synapse import names
from neuroanp.types import Array

ARRIVED, DRIVE = "arrived_current", "drive"
"""Sums that come from the synapses: of recurrent spikes of the step before, and of the inputs or, for
outputs, of the spikes of this step."""


class Line(NamedTuple):
    """Assignment to a variable of a cell, of those where `condition` holds."""

    target: str
    expression: str
    condition: str = ""


class Cells(NamedTuple):
    """Lines of one step of a group of cells.

    What follows a spike in Brian2's order, recurrent synapses and reset, comes first in the next step: in
    hardware a cell hears of the others' spikes then.

    Parameters
    ----------
    lines : tuple of Line
    states : mapping
        Variables that are kept, with their values at rest, a number or (N,).
    constants : mapping
        Numbers, or arrays of one a cell, by name.
    """

    lines: tuple[Line, ...]
    states: dict[str, Any]
    constants: dict[str, float | Array]


def cells(model: Model, dt: Any) -> tuple[Cells, Cells]:
    """Hidden cells and readout of a model for steps of length `dt`.

    Raises
    ------
    InvalidValue
        For a model without spikes, with separate inhibition, direct connections or delays.
    UnsupportedConstruct
        For what has a meaning in Brian2's own run alone.
    """
    where = type(model).__name__
    if model.threshold is None:
        raise InvalidValue("FixedPoint.model", "a model whose cells spike", where)
    if model.inhibitory is not None or model.signed:
        raise InvalidValue("FixedPoint.model", "a model with one variable that spikes add to", where)
    if model.skip or model.outgoing is not None:
        raise InvalidValue(
            "FixedPoint.model", "all synapses, no delays and no direct connection", repr(model)
        )
    steps = program(Source(where, *(getattr(model, name) for name in Source._fields[1:])))
    place = next(i for i, o in enumerate(steps.operations) if isinstance(o, Assign) and o.fires) + 1
    after = [o for o in steps.operations[place:] if _group(o) == "hidden"]
    before = [o for o in steps.operations[:place] if _group(o) == "hidden"]
    outputs = [o for o in steps.operations if _group(o) == "readout"]
    groups = {
        "hidden": (after + before, model.parameters() | model.initial_state()),
        "readout": (outputs, model.readout_parameters()),
    }
    result = []
    for group, (operations, own) in groups.items():
        values: dict[str, Any] = {
            n.partition(".")[2]: v for n, v in steps.values.items() if n.startswith(f"{group}.")
        }
        values |= {name: np.asarray(value, dtype=float) for name, value in own.items()} | {"dt": float(dt)}
        kept = [n.partition(".")[2] for n in steps.states if n.startswith(f"{group}.")]
        fixed = [n.partition(".")[2] for n in steps.constants if n.startswith(f"{group}.")]
        states = {name: values[name] for name in kept if name != DRIVE}
        constants = {name: _number(values[name]) for name in fixed if name != "noise"}
        lines = _needed(list(filter(None, map(_line, operations))), {*states, SPIKES})
        result.append(Cells(tuple(lines), states, constants))
    return result[0], result[1]


def _group(operation: Assign | Project) -> str:
    return operation.target.partition(".")[0]


def _line(operation: Assign | Project) -> Line | None:
    if isinstance(operation, Assign):
        if operation.group == "readout" and operation.name == DRIVE:
            return None
        return Line(operation.name, operation.expression, operation.condition)
    name = operation.target.partition(".")[2]
    if operation.weights != "W_rec":
        return None
    return Line(name, f"{name} + {ARRIVED}")


def _needed(lines: list[Line], live: set[str]) -> list[Line]:
    """Lines that these variables depend on."""
    kept: list[Line] = []
    for line in reversed(lines):
        if line.target in live:
            kept.insert(0, line)
            if not line.condition:
                live = live - {line.target}
            live = live | set(names(line.expression)) | {line.condition}
    return kept


def _number(value: Any) -> float | Array:
    array = np.asarray(value, dtype=float)
    return float(array) if array.ndim == 0 else array

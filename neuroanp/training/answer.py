"""Answer of a trained network to inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Equations, Quantity

from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.network.model import ROLES
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.training.evaluation import test_index
from neuroanp.training.recording import Recording
from neuroanp.types import Array

if TYPE_CHECKING:
    from neuroanp.training.run import Run

MOST_LANES = 64
"""Lanes that are simulated side by side."""


def answer(run: Run, inputs: Any, variables: Sequence[str]) -> Recording:
    """Recording of a run's network for inputs (T, L, n_in); see `Run.record`."""
    n_in = run.weights["W_in"].shape[1] - run.recipe.model.bias
    inputs = checks.array("Run.predict: inputs", inputs, (None, None, n_in))
    if 0 in inputs.shape[:2]:
        raise InvalidValue("Run.predict: inputs", "at least one step and one lane", f"shape {inputs.shape}")
    model, watched = run.recipe.model, tuple(name for name in variables if name not in ("spikes", "trace"))
    if "spikes" in variables and model.threshold is None:
        raise InvalidValue(
            "Run.record", f"trace or another variable of {model.name}, which doesn't spike", "spikes"
        )
    known = {role for role in ROLES if model.variable(role)} | Equations(model.equations).names
    for name in watched:
        if name not in known:
            raise InvalidValue("Run.record", f"spikes, trace or another of {', '.join(sorted(known))}", name)
    lanes = inputs.shape[1]
    network = run.network(min(lanes, MOST_LANES), recorded=watched)
    if network.parts.loop is not None:
        raise InvalidValue(
            "Run.predict", "a network without a plant, which makes the inputs itself", model.name
        )
    blocks = [_block(network, inputs, first, variables) for first in range(0, lanes, network.lanes)]
    values = {name: np.concatenate([block[name] for block in blocks], axis=1) for name in blocks[0]}
    outputs = values.pop("outputs")
    return Recording(
        dt=network.layout.dt,
        outputs=outputs,
        variables={name: _united(network, name, values[name]) for name in variables},
    )


def _block(network: Network, inputs: Array, first: int, variables: Sequence[str]) -> dict[str, Array]:
    """Arrays of some lanes by name; the last block is filled up with lanes from the front."""
    lanes = np.arange(first, first + network.lanes) % inputs.shape[1]
    count = min(network.lanes, inputs.shape[1] - first)
    targets = np.zeros((len(inputs), network.lanes, network.n_out))
    record = network.run(Trial(inputs[:, lanes], targets), test_index(network, first), sigma=0.0)
    trace = record.trace[1:]
    arrays = {"outputs": record.outputs[:, 0], "trace": trace, "spikes": trace > 0}
    arrays |= {name: values[:, 0] for name, values in record.hidden.items()}
    if "activity" in variables:
        arrays["activity"] = record.activity[:, 0]
    return {name: arrays[name][:, :count].copy() for name in ("outputs", *variables)}


def _united(network: Network, name: str, values: Array) -> Any:
    """Values with the unit of the model's variable."""
    variable = network.model.variable(name)
    if name == "spikes" or variable is None:
        return values
    dim = network.parts.hidden.variables[variable].dim
    return values if dim.is_dimensionless else Quantity(values, dim=dim)

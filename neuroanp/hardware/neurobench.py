"""NeuroBench's metrics of complexity, by NeuroBench's names and definitions, on arrays of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from neuroanp.types import Array


class Layer(NamedTuple):
    """Weights (post, pre), and the activity (T, L, pre) that they pass on."""

    weights: Array
    activity: Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class NeuroBench:
    """Metrics of complexity of NeuroBench's algorithm track; a sample is a trial of one lane.

    Attributes
    ----------
    footprint : int
        Bytes of parameters and buffers: weights, parameters that differ between cells, wiring, and what cells
        and readout keep from step to step.
    connection_sparsity : float
        Part of the weights that is 0; synapses that don't exist count as 0, biases don't count.
    activation_sparsity : float
        Part of the outputs of neurons, over all steps and samples, that is 0.
    effective_macs, effective_acs, dense : float
        Synaptic operations of a sample. Those of a weight and an activity other than 0 are effective, and
        accumulate (ACs) where all that a layer is sent in a step is 0, 1 or -1, else multiply and accumulate
        (MACs). Dense ones are all, whatever the values. A bias is no synaptic operation.
    membrane_updates : float or None
        Changes of potentials in a sample, and one for each cell at the first step; 0 for units without
        potentials, None where a cell's potential after a spike isn't a number that the model states.

    References
    ----------
    Yik et al., Nature Communications 16, 1545 (2025).
    """

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    effective_macs: float
    effective_acs: float
    dense: float
    membrane_updates: float | None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        updates = self.membrane_updates
        yield _row("Footprint", f"{self.footprint:,} bytes")
        yield _row("Connection Sparsity", f"{self.connection_sparsity:.4f}")
        yield _row("Activation Sparsity", f"{self.activation_sparsity:.4f}")
        yield _row("Synaptic Operations", f"Effective MACs {self.effective_macs:,.0f}")
        yield _row("", f"Effective ACs {self.effective_acs:,.0f}")
        yield _row("", f"Dense {self.dense:,.0f}")
        yield _row("Membrane Updates", "not counted" if updates is None else f"{updates:,.0f}")


def _row(title: str, text: str) -> str:
    return f"  {title:<26}{text}"


def connection_sparsity(layers: Sequence[Layer]) -> float:
    """Part of the weights of all layers that is 0."""
    weights = sum(layer.weights.size for layer in layers)
    return sum(int(np.sum(layer.weights == 0)) for layer in layers) / weights if weights else 0.0


def activation_sparsity(activity: Array) -> float:
    """Part of an activity that is 0."""
    return float(np.mean(activity == 0))


def synaptic_operations(layers: Sequence[Layer]) -> tuple[float, float, float]:
    """Effective MACs, effective ACs and dense operations of a sample, the mean over lanes."""
    macs = acs = dense = 0
    for weights, activity in layers:
        fan_out = np.count_nonzero(weights, axis=0)
        each_step = ((activity != 0) @ fan_out).sum(axis=1)
        binary = np.isin(activity, (-1, 0, 1)).all(axis=(1, 2))
        acs += int(each_step[binary].sum())
        macs += int(each_step[~binary].sum())
        dense += activity.shape[0] * activity.shape[1] * weights.size
    lanes = layers[0].activity.shape[1]
    return macs / lanes, acs / lanes, dense / lanes


def membrane_updates(potential: Array) -> float:
    """Updates of a sample, the mean over lanes, of potentials (T, L, N) after each step."""
    changes = np.count_nonzero(np.diff(potential, axis=0))
    return float((changes + potential[0].size) / potential.shape[1])

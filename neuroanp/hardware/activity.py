"""`Activity`: what cells and synapses of a network did in one trial."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.hardware.neurobench import Layer
from neuroanp.network.layout import PROJECTIONS, mixed
from neuroanp.network.model import Model, Weights
from neuroanp.network.network import Network
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.network.wiring import Wiring
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """One trial without noise, in all lanes of a network.

    Attributes
    ----------
    layers : dict of Layer
        By weight name: weights in force, 0 where there is no synapse, and what they pass on; biases aside.
    synapses : dict of arrays
        By weight name: synapses (pre,) that leave a source.
    inputs : (T, L, n_in) array
        Without the bias.
    hidden : (T, L, N) array
        Hidden trace, of spiking cells 1 for a spike.
    potential : (T, L, N) array, optional
        Potentials after each step, of spiking cells; None where `after_spike` isn't known.
    """

    layers: Mapping[str, Layer]
    synapses: Mapping[str, Array]
    inputs: Array
    hidden: Array
    potential: Array | None

    @property
    def events(self) -> dict[str, float]:
        """Arrivals other than 0 at synapses in a trial, mean over lanes, by weight name."""
        return {
            name: float(((layer.activity != 0) @ self.synapses[name]).sum() / layer.activity.shape[1])
            for name, layer in self.layers.items()
        }

    @classmethod
    def of(cls, network: Network, trial: Trial) -> Activity:
        """Activity of a network that records its potential, if it has one, from rest."""
        record = network.run(dataclasses.replace(trial, carry=False), sigma=0.0)
        model, width = network.model, network.n_in - network.model.bias
        weights = dict(_without_bias(model, network.n_in, in_force(network)))
        hidden, inputs = record.trace[1:], record.inputs[..., :width]
        sent = {
            "W_in": inputs,
            "W_rec": _arriving(record),
            "W_out": hidden,
            "W_skip": np.concatenate([_later(inputs, delay) for delay in range(model.skip_steps)], axis=2),
        }
        layers, synapses = {}, {}
        for name, values in weights.items():
            sparse = record.wiring if name == "W_rec" else None
            dense = values if sparse is None else matrix(sparse, values)
            layers[name] = Layer(dense, sent[name])
            count = len(dense) if sparse is None else sparse.targets.shape[1]
            synapses[name] = np.full(dense.shape[1], count)
        return cls(
            layers=layers, synapses=synapses, inputs=inputs, hidden=hidden, potential=_after(model, record)
        )


def in_force(network: Network) -> Weights:
    """Weights that the synapses of a network have, decorrelation and substrate in them."""
    effective = {}
    for name in network.parts.projections:
        D = network.decorrelation.get(PROJECTIONS[name].decorrelated_by)
        effective[name] = network.weights[name] if D is None else mixed(network.weights[name], D)
    return network.model.realised(effective)


def matrix(wiring: Wiring, values: Array) -> Array:
    """Weights (N, N) of a wiring, 0 where there is no synapse."""
    cells, outgoing = wiring.targets.shape
    dense = np.zeros((cells, cells), values.dtype)
    dense[wiring.targets, np.arange(cells)[:, None]] = values.reshape(cells, outgoing)
    return dense


def after_spike(model: Model) -> Any:
    """Potential, one or one for each cell, that a spike leaves; None where it is no number of the model's."""
    for statement in ast.parse("\n".join(part.strip() for part in (model.reset or "").split(";"))).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == model.potential:
            source = ast.unparse(statement.value)
            if source in model.parameters():
                return np.asarray(model.parameters()[source], float)
            try:
                return float(ast.literal_eval(source))
            except ValueError:
                return None
    return None


def _without_bias(model: Model, n_in: int, weights: Weights) -> Iterator[tuple[str, Array]]:
    for name, values in weights.items():
        if name in ("W_in", "W_skip") and model.bias:
            yield name, values[:, np.arange(values.shape[1]) % n_in != n_in - 1]
        else:
            yield name, values


def _later(values: Array, steps: int) -> Array:
    """Values (T, L, n) that arrive some steps later, zeros before."""
    return np.concatenate([np.zeros_like(values[:steps]), values[: len(values) - steps]])


def _arriving(record: Record) -> Array:
    """Hidden trace (T, L, N) as recurrent synapses see it at each step, from rest."""
    trace = record.trace[:-1]
    if record.wiring is None:
        return trace
    arriving = np.zeros_like(trace)
    for cell, delay in enumerate(record.wiring.delays):
        arriving[delay:, :, cell] = trace[: len(trace) - delay, :, cell]
    return arriving


def _after(model: Model, record: Record) -> Array | None:
    """Potentials (T, L, N) after resets, before what arrives with the next step."""
    rest = after_spike(model)
    if rest is None or "potential" not in record.hidden:
        return None
    return np.where(record.trace[1:] > 0, rest, record.hidden["potential"][:, 0])

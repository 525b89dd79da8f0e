"""`Energy`: energy and time of a trial on a Loihi-like chip, as SANA-FE estimates them."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.hardware.activity import Activity
from neuroanp.hardware.export._nir_cells import Constants, reasons
from neuroanp.network.model import Model
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.start import weights_of
from neuroanp.training.tables import required
from neuroanp.types import Array, Arrays

SCALE = 2.0**18
"""Threshold on the chip. Potentials there are multiples of 1/64, whatever the threshold."""

CELLS_EACH = 1024
"""Cells of a core."""

INPUTS, HIDDEN = "inputs", "hidden"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Energy:
    """SANA-FE's estimates for the first trial, without readout and without learning. Printed, a table.

    Attributes
    ----------
    joules : dict of float
        By part of the chip.
    seconds : float
        Time that the chip takes.
    duration : float
        Time that the trial stands for, in seconds.
    synaptic_events : int
        Spikes that arrived at synapses, as SANA-FE counts them.
    cores : int
        Cores that cells and inputs are on.
    spikes, differ, cell_steps : int
        Spikes of the network, and cells and steps, of all, in which SANA-FE has others: 0 where the
        estimates are those of this network.

    References
    ----------
    Boyle et al., IEEE TCAD (2025), doi 10.1109/TCAD.2025.3537971; Davies et al., IEEE Micro 38, 82 (2018).
    """

    joules: Mapping[str, float]
    seconds: float
    duration: float
    synaptic_events: int
    cores: int
    spikes: int
    differ: int
    cell_steps: int

    @property
    def total(self) -> float:
        """Energy of all parts in joules."""
        return sum(self.joules.values())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield "SANA-FE's estimates of the 2018 Loihi paper; no learning; first trial, without readout"
        parts = ", ".join(f"{name} {joules:.3g}" for name, joules in self.joules.items())
        yield f"  {'energy':<26}{self.total:.3g} J: {parts}"
        yield f"  {'time on the chip':<26}{self.seconds:.3g} s, for a trial of {self.duration:.3g} s"
        yield f"  {'synaptic events':<26}{self.synaptic_events:,}, on {self.cores} cores"
        verdict = "" if self.differ == 0 else "; these are NOT the estimates of this network"
        yield f"  {'spikes':<26}{self.differ:,} of {self.cell_steps:,} cell-steps differ from ours{verdict}"


def require_cells(recipe: Recipe, dt: Any) -> None:
    """Refuse a network whose spikes the chip can't have, with all reasons; `InvalidValue`."""
    found = list(reasons(recipe.model, dt))
    if recipe.substrate is not None:
        found.append(f"weights and cells of a {type(recipe.substrate).__name__} substrate")
    if found:
        expected = "cells that the chip has exactly, as current-lif, which is the model to train"
        raise InvalidValue("cost.energy", expected, f"{recipe.model.name}: {'; '.join(found)}")


def energy_of(run: Run, activity: Activity) -> Energy:
    """Estimates for the first lane of an activity, by SANA-FE's description of Loihi.

    Inputs come a step later there, as a spike acts in the step after it; potentials start at minus the bias,
    so that they are 0 when the first input acts. Weights, biases and thresholds have a large common factor,
    as potentials are cut to multiples of 1/64.

    Parameters
    ----------
    run : Run
        Of a recipe that `require_cells` lets pass.
    activity : Activity

    Raises
    ------
    InvalidValue
        For inputs that aren't spikes, and for more cells than the chip has.
    MissingExtra
        Where sanafe isn't installed.
    """
    inputs, spikes = activity.inputs[:, 0], activity.hidden[:, 0] > 0
    if not np.isin(inputs, (0, 1)).all():
        other = inputs[~np.isin(inputs, (0, 1))][0]
        raise InvalidValue("cost.energy", "a task whose inputs are spikes, 0 or 1", f"{other:g}")
    sanafe = required("sanafe", "cost")
    steps, cells = spikes.shape
    model, dt = run.recipe.model, run.task.dt
    description = sanafe.load_loihi()
    cores = [core for tile in description.tiles for core in tile.cores]
    blocks = [-(-inputs.shape[1] // CELLS_EACH), -(-cells // CELLS_EACH)]
    if sum(blocks) > len(cores):
        raise InvalidValue("cost.energy", f"at most {len(cores)} cores of {CELLS_EACH} cells", sum(blocks))
    network, groups = _network(sanafe, _arrays(run, model, dt), inputs)
    for group, first in zip(groups, (0, blocks[0]), strict=True):
        for place, cell in enumerate(group.neurons):
            cell.map_to_core(cores[first + place // CELLS_EACH])
    chip = sanafe.SpikingChip(description)
    chip.load(network)
    with contextlib.redirect_stdout(io.StringIO()):  # a count of steps
        record = chip.sim(steps + 1, processing_threads=1, spike_trace=True)
    theirs = np.zeros((steps + 1, cells), bool)
    for step, fired in enumerate(record["spike_trace"]):
        theirs[step, [cell.neuron_offset for cell in fired if cell.group_name == HIDDEN]] = True
    return Energy(
        joules={name: joules for name, joules in record["energy"].items() if name != "total"},
        seconds=record["sim_time"], duration=steps * float(dt), synaptic_events=record["spikes"],
        cores=sum(blocks), spikes=int(spikes.sum()),
        differ=int(theirs[0].sum()) + int((theirs[1:] != spikes).sum()), cell_steps=spikes.size,
    )  # fmt: skip


def _network(sanafe: Any, arrays: Arrays, inputs: Array) -> tuple[Any, tuple[Any, Any]]:
    """Network of SANA-FE's, and its groups of inputs and cells."""
    W_in, W_rec, bias = arrays["W_in"], arrays["W_rec"], arrays["bias"]
    network = sanafe.Network()
    sources = network.create_neuron_group(INPUTS, W_in.shape[1], soma_hw_name="loihi_inputs[0]")
    cells = network.create_neuron_group(
        HIDDEN,
        len(W_in),
        model_attributes={
            "threshold": SCALE, "reset": 0.0, "reset_mode": "hard", "input_decay": 0.0, "force_update": True,
            "leak_decay": float(arrays["memory"]),
        },
        soma_hw_name="loihi_lif",
        default_synapse_hw_name="loihi_dense_synapse",
        default_dendrite_hw_name="loihi_dendrites",
        log_spikes=True,
    )  # fmt: skip
    for place, source in enumerate(sources.neurons):
        spikes = {"spikes": [int(value) for value in inputs[:, place]]}
        source.set_attributes(soma_hw_name=f"loihi_inputs[{place % CELLS_EACH}]", model_attributes=spikes)
    for cell, current in zip(cells.neurons, bias.tolist(), strict=True):
        cell.set_attributes(model_attributes={"bias": current, "potential": -current})
    sources.connect_neurons_dense(cells, {"weight": W_in.T.ravel().tolist()})
    cells.connect_neurons_dense(cells, {"weight": W_rec.T.ravel().tolist()})
    return network, (sources, cells)


def _arrays(run: Run, model: Model, dt: Any) -> Arrays:
    """Weights and biases in units of the threshold, as the chip adds them to potentials."""
    constants = Constants.of(model, dt, "r=1")
    folded, _ = weights_of(run, model, decorrelated=False)
    graph = constants.graph(folded)
    factor = SCALE * (1 - constants.alpha)
    W_in = factor * graph["W_in"]
    n_in = W_in.shape[1] - model.bias
    bias = W_in[:, n_in] if model.bias else np.zeros(len(W_in))
    return {
        "W_in": W_in[:, :n_in], "bias": bias, "W_rec": factor * graph["W_rec"],
        "memory": np.array(constants.alpha),
    }  # fmt: skip

"""`cost`: what a trained network would ask of hardware, a trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.config import checks
from neuroanp.engine.device import LOCK
from neuroanp.errors import InvalidValue, UnsupportedConstruct
from neuroanp.hardware import neurobench
from neuroanp.hardware.activity import Activity
from neuroanp.hardware.energy import Energy, energy_of, require_cells
from neuroanp.hardware.learning_cost import Learning
from neuroanp.hardware.neurobench import NeuroBench
from neuroanp.network.model import Model
from neuroanp.network.network import Network
from neuroanp.rendering.statements import AGE, Source, program
from neuroanp.substrate import FixedPoint
from neuroanp.substrate.cells import DRIVE, cells
from neuroanp.training.run import Run
from neuroanp.training.seeds import Seeds

FLOAT_BITS = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """What a trained network asks of hardware; counts are of a trial, mean over lanes. Printed, a table.

    Attributes
    ----------
    task, model : str
    trials, steps : int
        Unseen trials that were counted, and steps of each.
    dt : float
        Length of a step in seconds.
    hidden : int
    spikes : float or None
        Of hidden cells; None for units with rates.
    synaptic_events : dict of float
        Spikes, or values other than 0, that arrive at synapses, by weight name; biases aside.
    bits : dict of int
        Bits of state as float32: ``weights``, what ``cells`` and ``readout`` keep from step to step, and
        variables of synapses for ``learning``.
    fixed_bits : dict of int or None
        The same in whole numbers, where a copy of a spike and noise of sign distribution are a bit; None for
        models that `FixedPoint` doesn't run.
    learning : Learning
    neurobench : NeuroBench
    energy : Energy or None
        None where it wasn't asked for.
    """

    task: str
    model: str
    trials: int
    steps: int
    dt: float
    hidden: int
    spikes: float | None
    synaptic_events: Mapping[str, float]
    bits: Mapping[str, int]
    fixed_bits: Mapping[str, int] | None
    learning: Learning
    neurobench: NeuroBench
    energy: Energy | None = None

    @property
    def rate(self) -> float | None:
        """Mean rate of spiking cells in Hz."""
        return None if self.spikes is None else self.spikes / (self.hidden * self.steps * self.dt)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        plural = "s" * (self.trials > 1)
        yield f"{self.task}, {self.model}: {self.trials} unseen trial{plural} of {self.steps:,} steps"
        yield "\nNeuroANP's own count, a trial"
        spikes = "none, its units have rates"
        if self.spikes is not None:
            spikes = f"{self.spikes:,.0f}, {self.rate:.3g} Hz"
        yield _row("spikes", spikes)
        events = [f"{name} {count:,.0f}" for name, count in self.synaptic_events.items()]
        yield _row("synaptic events", f"{sum(self.synaptic_events.values()):,.0f}: {', '.join(events)}")
        yield _row("bits of state, float32", _bits(self.bits))
        if self.fixed_bits is not None:
            yield _row("bits of state, FixedPoint", _bits(self.fixed_bits))
        yield str(self.learning)
        yield f"\nNeuroBench's metrics (Yik et al. 2025), a sample is a trial\n{self.neurobench}"
        if self.energy is not None:
            yield f"\n{self.energy}"


def cost(run: Run, *, lanes: int = 4, numbers: FixedPoint | None = None, energy: bool = False) -> Cost:
    """Count what a trained network does in unseen trials, and what it would ask of hardware.

    Spikes, synaptic events, bits and operations are NeuroANP's own counts; operations are those that
    `locality` counts, of the statements that `OnChip` runs. Metrics of NeuroBench have its names and
    definitions. Energy and time are SANA-FE's estimates, of inference alone.

    Decorrelating matrices are counted as folded into the weights, and a substrate's weights as they are. In
    closed loop all steps of a trial count, those after an early end too.

    Parameters
    ----------
    run : Run
        Of a task that its folder can hold.
    lanes : int
        Unseen trials to count, the first ones of the evaluation.
    numbers : FixedPoint, optional
        Bits in whole numbers.
    energy : bool
        True asks SANA-FE (extra ``cost``), for `CurrentLIF` cells with inputs that are spikes.

    Raises
    ------
    InvalidValue
        For lanes below 1; with `energy` for other cells and inputs, with all reasons.
    DataError
        For a task that the folder can't hold.
    MissingExtra
        With `energy` where sanafe isn't installed.
    """
    checks.instance("cost.run", run, Run)
    if isinstance(lanes, bool) or not isinstance(lanes, int) or lanes < 1:
        raise InvalidValue("cost.lanes", "a whole number of 1 or more", lanes)
    task, recipe = run.task, run.recipe
    if energy:
        require_cells(recipe, task.dt)
    trial = task.evaluation(Seeds(int(run.config.get("seed", 0))).evaluation)
    trial = trial.lane(np.arange(min(lanes, trial.lanes)))
    recorded = () if recipe.model.potential is None else ("potential",)
    network = run.network(trial.lanes, recorded=recorded)
    activity = Activity.of(network, trial)
    spiking = network.model.threshold is not None
    learning = Learning.of(recipe, network, trial.steps)
    integers = (numbers or FixedPoint()) if _has_integers(network) else None
    kept = _kept(network)
    return Cost(
        task=task.name, model=recipe.model.name, trials=trial.lanes, steps=trial.steps, dt=float(task.dt),
        hidden=network.model.hidden,
        spikes=float(np.count_nonzero(activity.hidden)) / trial.lanes if spiking else None,
        synaptic_events=activity.events,
        bits=_state(network, kept, learning, None),
        fixed_bits=None if integers is None else _state(network, kept, learning, integers),
        learning=learning,
        neurobench=_neurobench(network, activity, kept),
        energy=energy_of(run, activity) if energy else None,
    )  # fmt: skip


def _row(title: str, text: str) -> str:
    return f"  {title:<26}{text}"


def _bits(counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{sum(counts.values()):,}: {parts}"


def _kept(network: Network) -> dict[str, int]:
    """Variables that a cell and an output keep from one step to the next."""
    model: Model = network.model
    with LOCK:
        steps = program(Source(type(model).__name__, *(getattr(model, name) for name in Source._fields[1:])))
    constants = model.cells(network.layout.dt)
    never = {DRIVE, AGE} if constants is not None and not constants.refractory else {DRIVE}
    names = [name.partition(".") for name in steps.states]
    return {
        group: sum(owner == group and name not in never for owner, _, name in names)
        for group in ("hidden", "readout")
    }


def _state(
    network: Network, kept: Mapping[str, int], learning: Learning, numbers: FixedPoint | None
) -> dict[str, int]:
    """Bits of state, in whole numbers or, with None, in floating point."""
    weight = FLOAT_BITS if numbers is None else numbers.weight_bits
    cell = FLOAT_BITS if numbers is None else numbers.potential_bits
    own = learning.variables
    return {
        "weights": weight * _weights(network),
        "cells": cell * kept["hidden"] * network.model.hidden,
        "readout": cell * kept["readout"] * network.n_out,
        "learning": sum(count * _width(variable, learning, numbers) for variable, count in own.items()),
    }


def _width(variable: str, learning: Learning, numbers: FixedPoint | None) -> int:
    """Bits of a variable of a synapse."""
    if numbers is None:
        return FLOAT_BITS
    return 1 if variable in learning.one_bit else numbers.bits_of(variable)


def _weights(network: Network) -> int:
    """Number of weights, biases among them."""
    return sum(network.weights[name].size for name in network.parts.projections)


def _has_integers(network: Network) -> bool:
    """True for a model that `FixedPoint` runs."""
    try:
        with LOCK:
            cells(network.model, network.layout.dt)
    except (InvalidValue, UnsupportedConstruct):
        return False
    return True


def _neurobench(network: Network, activity: Activity, kept: Mapping[str, int]) -> NeuroBench:
    model, size = network.model, network.dtype.itemsize
    own: list[Any] = [*model.parameters().values(), *model.readout_parameters().values()]
    numbers = _weights(network) + sum(np.size(value) for value in own if np.size(value) > 1)
    numbers += kept["hidden"] * model.hidden + kept["readout"] * network.n_out
    wiring = network.wiring.arrays() if network.wiring is not None else {}
    layers = list(activity.layers.values())
    macs, acs, dense = neurobench.synaptic_operations(layers)
    updates: float | None = 0.0
    if model.potential is not None:
        potential = activity.potential
        updates = None if potential is None else neurobench.membrane_updates(potential)
    return NeuroBench(
        footprint=numbers * size + sum(array.nbytes for array in wiring.values()),
        connection_sparsity=neurobench.connection_sparsity(layers),
        activation_sparsity=neurobench.activation_sparsity(activity.hidden),
        effective_macs=macs, effective_acs=acs, dense=dense, membrane_updates=updates,
    )  # fmt: skip

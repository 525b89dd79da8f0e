"""Brian2 objects of the on-chip mode, and their order in a step.

============ ===== ==================================================================
slot         order what runs
============ ===== ==================================================================
start        0     perturbation drawn, on nodes or on synapses
start        1     input, target, mask and expected loss shown
start        2     broadcast of the step: decay, going, resting
start        3, 4  input synapses transmit; recurrent ones, where cells don't spike
start        5     recurrent input added
start        6     eligibility of input and recurrent synapses
groups             the model's update, then its equations
thresholds   -1    activity kept for synapses that look at it, and the work of a rule's cells
thresholds         spikes
synapses     1     readout synapses transmit; recurrent ones where cells spike
resets             resets
end          0     readout
end          1     loss; errors of the outputs, where they come back to cells
end          2     broadcast of the step: modulator, outcome, end of the trial
end          3     eligibility of readout synapses; signals of cells
end          4     credit
end          5, 6  at the end of a trial an event in every neuron; its synapses change
============ ===== ==================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import brian2 as b2
import numpy as np

from neuroanp.engine.operations import CounterNoise, Player, Recorder
from neuroanp.hardware.chip_feedback import (
    OUTPUT,
    alias,
    cell_constants,
    cell_equations,
    cell_work,
    errors,
    feedback_synapses,
    refer_to_reward,
)
from neuroanp.network.layout import NODE_STREAMS, PROJECTIONS
from neuroanp.network.model import Model
from neuroanp.network.noisy_threshold import THRESHOLD_NOISE
from neuroanp.network.perturbation import Perturbation
from neuroanp.rendering import spiking_keywords
from neuroanp.synapse import OF_PROJECTION, Neuron, Synapse, joined
from neuroanp.types import Array

STREAMS = NODE_STREAMS | {name: projection.stream for name, projection in PROJECTIONS.items()}
WHOLE_TRIAL = 2**62

SPIKE_SLOT = ("synapses", 1)
SLOTS = {"W_in": ("start", 3), "W_rec": ("start", 4), "W_out": ("synapses", 1)}
ELIGIBILITY_SLOTS = {"W_in": ("start", 6), "W_rec": ("start", 6), "W_out": ("end", 3)}
"""Slot and order by projection: of spikes, of transmission without spikes, of eligibility."""

_REWARD = """
    loss : 1
    mask : 1
    expected : 1
    charge : 1
    modulator : 1
    outcome : 1
    decay : 1
    going : 1
    resting : 1
    ended : 1
    share : 1
    polarity : 1
    noisy : 1
    course : 1
    discount : 1
    steps : 1
    from_rest : 1
    last_pass : 1
"""
_BEFORE = """
    going = int(timestep(t, dt) > 0)
    decay = discount * going
    resting = from_rest * int(timestep(t, dt) == 0)
"""
_AFTER = """
    charge = mask * loss
    modulator = share * (charge - expected)
    outcome += discount**timestep(t, dt) * modulator
    ended = last_pass * int(timestep(t, dt) == steps - 1)
"""


class Chip:
    """Network of neurons, plastic synapses and a reward unit.

    Parameters
    ----------
    model : Model
    n_in, n_out : int
        Inputs, the bias among them, and outputs.
    dt : Quantity
    perturbation : Perturbation
    synapses : mapping
        Declarations for one synapse of ``W_in``, ``W_rec`` and ``W_out``, and of ``B``, by which errors come
        back.
    neuron : Neuron, optional
        Work of a hidden cell.
    feedback : (n_out, N) array, optional
        Feedback at the start, where errors come back.

    Attributes
    ----------
    net : brian2.Network
    inputs, hidden, readout, reward : NeuronGroup
    synapses : dict of Synapses
        A postsynaptic neuron's synapses lie side by side, so that ``weight`` reshapes to (post, pre).
    noises : dict
        By layer (``hidden``, ``output``) or by weight name.
    """

    def __init__(
        self,
        model: Model,
        n_in: int,
        n_out: int,
        dt: Any,
        *,
        perturbation: Perturbation,
        synapses: Mapping[str, Synapse],
        neuron: Neuron | None = None,
        feedback: Array | None = None,
    ) -> None:
        self.model, self.perturbation, self.declared = model, perturbation, synapses
        self.neuron, self.feedback = neuron, feedback
        self.clock = b2.Clock(dt, name="chip_clock")
        self.common: dict[str, Any] = {"clock": self.clock, "dtype": np.float64, "namespace": {}}
        self.reward = b2.NeuronGroup(1, _REWARD, name="reward", **self.common)
        self.inputs = b2.NeuronGroup(n_in, "u : 1\ntrace = u : 1", name="inputs", **self.common)
        self.hidden, self.readout = self._hidden(), self._readout(n_out)
        objects = [self.reward, self.inputs, self.hidden, self.readout, self._loss()]
        objects += self._updates()
        self.synapses = {name: self._synapses(name) for name in ("W_in", "W_rec", "W_out")}
        if neuron is not None:
            objects += cell_work(neuron, model, self.hidden, dt)
        if feedback is not None:
            objects.append(errors(self.readout, self.reward))
            self.synapses["B"] = feedback_synapses(self, feedback)
        self.noises = self._noises()
        series = {"input": (self.inputs, "u"), "target": (self.readout, "target")}
        series |= {name: (self.reward, name) for name in ("mask", "expected")}
        self.players = {
            name: Player(*where, signs=(1,), when="start", order=1, name=f"show_{name}")
            for name, where in series.items()
        }
        self.charges = Recorder(self.reward, "charge", when="end", order=7, name="record_charge")
        objects += [*self.synapses.values(), *self.noises.values(), *self.players.values(), self.charges]
        self.net = b2.Network(*objects, name="neuroanp_chip")

    def _hidden(self) -> Any:
        model = self.model
        extra = [alias("trace", model.trace), _declared("activity", model.activity)]
        if model.threshold is None:
            extra.append("recurrent : 1")
        settings: dict[str, Any] = spiking_keywords(model)
        if self.neuron is not None:
            extra.append(cell_equations(self.neuron, model))
            settings["namespace"] = self.constants(self.neuron)
        if self.feedback is not None:
            extra.append("signal : 1")
        equations = joined(model.equations, *extra)
        values = model.parameters() | model.initial_state()
        return self._learning_group(model.hidden, equations, "hidden", values, **settings)

    def constants(self, declared: Synapse | Neuron) -> dict[str, Any]:
        """Constants of the network and of what is declared."""
        cells = {} if self.neuron is None else cell_constants(self.model, self.clock.dt)
        memory = self.model.readout_memory(self.clock.dt)
        return cells | {"readout_memory": memory, **declared.constants}

    def _readout(self, n_out: int) -> Any:
        model = self.model
        extra = [alias("activity", "y"), f"charge = {model.loss} : 1"]
        extra += [] if self.feedback is None else [OUTPUT]
        equations = joined(model.readout_equations, *extra)
        namespace = {"readout_memory": model.readout_memory(self.clock.dt)}
        return self._learning_group(
            n_out, equations, "readout", model.readout_parameters(), namespace=namespace
        )

    def _learning_group(
        self, size: int, equations: str, name: str, parameters: dict[str, Any], **settings: Any
    ) -> Any:
        events = {"trial_end": "ended > 0"}
        group = b2.NeuronGroup(size, equations, name=name, events=events, **self.common | settings)
        group.variables.add_reference("ended", self.reward, index="0")
        group.set_event_schedule("trial_end", when="end", order=5)
        for parameter, value in parameters.items():
            setattr(group, parameter, value)
        return group

    def _loss(self) -> Any:
        mean = "loss_post = charge_pre / N_pre : 1 (summed)"
        synapses = b2.Synapses(self.readout, self.reward, mean, name="loss", **self.common)
        synapses.connect()
        _schedule(synapses.summed_updaters["loss_post"], "end", 1)
        return synapses

    def _updates(self) -> list[Any]:
        model, hidden, reward = self.model, self.hidden, self.reward
        updates = [
            (reward, _BEFORE, "start", 2, "broadcast_before"),
            (reward, _AFTER, "end", 2, "broadcast_after"),
            (self.readout, model.readout_update, "end", 0, "readout_update"),
        ]
        if model.threshold is None:
            updates.append((hidden, f"{model.drive} += recurrent", "start", 5, "add_recurrent"))
        if model.activity != "activity" and any(
            "activity_post" in declared.reads("post") for declared in self.declared.values()
        ):
            updates.append((hidden, f"activity = {model.activity}", "thresholds", -1, "keep_activity"))
        if model.update:
            updates.append((hidden, model.update, "groups", -1, "hidden_update"))
        return [
            group.run_regularly(code, when=when, order=order, name=name)
            for group, code, when, order, name in updates
        ]

    def _synapses(self, name: str) -> Any:
        declared, model = self.declared[name], self.model
        source = self.inputs if name == "W_in" else self.hidden
        target = self.readout if name == "W_out" else self.hidden
        spiking = name != "W_in" and model.threshold is not None
        write = {"W_in": model.drive, "W_rec": "recurrent", "W_out": "drive"}[name]
        if spiking and name == "W_rec":
            write = model.synaptic
        equations = [f"{variable} : 1" for variable in dict.fromkeys(("weight", *declared.state))]
        equations += [f"{variable} : 1 (shared)" for variable in OF_PROJECTION]
        code: dict[str, Any] = {}
        if spiking:
            code["on_pre"] = f"{write}_post += {declared.transmits}"
        else:
            equations.append(f"{write}_post = ({declared.transmits}) * trace_pre : 1 (summed)")
        if declared.each_trial:
            code |= {"on_post": {"change": declared.each_trial}, "on_event": {"change": "trial_end"}}
        settings = self.common | {"namespace": self.constants(declared)}
        synapses = b2.Synapses(source, target, joined(*equations), name=name, **code, **settings)
        synapses.connect(
            i=np.tile(np.arange(len(source)), len(target)), j=np.repeat(np.arange(len(target)), len(source))
        )
        refer_to_reward(synapses, self.reward)
        self._schedule_synapses(name, synapses, spiking, write)
        return synapses

    def _schedule_synapses(self, name: str, synapses: Any, spiking: bool, write: str) -> None:
        declared = self.declared[name]
        if spiking:
            _schedule(synapses.pre, *SPIKE_SLOT)
            # what arrives in the refractory time stays, as in the fast path
            synapses.pre.override_conditional_write = ["not_refractory"]
        else:
            _schedule(synapses.summed_updaters[f"{write}_post"], *SLOTS[name])
        if declared.eligibility:
            when, order = ELIGIBILITY_SLOTS[name]
            synapses.run_regularly(declared.eligibility, when=when, order=order, name=f"{name}_eligibility")
        if declared.credit:
            synapses.run_regularly(declared.credit, when="end", order=4, name=f"{name}_credit")
        if declared.each_trial:
            _schedule(synapses.change, "end", 6)

    def _noises(self) -> dict[str, Any]:
        noise = self.perturbation
        targets: dict[str, tuple[Any, str, int]] = {}
        if noise.target in ("nodes", "thresholds"):
            variable = THRESHOLD_NOISE if noise.target == "thresholds" else "noise"
            targets["hidden"] = self.hidden, variable, 1
            if noise.readout:
                targets["output"] = self.readout, "noise", 1
        for name, synapses in self.synapses.items():
            if "weight_noise" in self.declared[name].state:
                targets[name] = synapses, "weight_noise", len(synapses.target)
        return {
            name: CounterNoise(
                target, variable, signs=(1,), lanes=rows, distribution=noise.distribution,
                hold=noise.hold_steps or WHOLE_TRIAL, stream=STREAMS[name], chance=noise.probability,
                when="start", order=0, name=f"noise_{name}",
            )
            for name, (target, variable, rows) in targets.items()
        }  # fmt: skip


def _declared(name: str, variable: str) -> str:
    return "" if name == variable else f"{name} : 1"


def _schedule(runner: Any, when: str, order: int) -> None:
    runner.when, runner.order = when, order

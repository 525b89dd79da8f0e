"""Brian2 objects of a network, and their order in a step.

========== ===== ==========================================================
slot       order operation
========== ===== ==========================================================
start      0     perturbation drawn, and the cells' own noise
start      1     input and target shown
start      0     plant's observations formed
start      2     weights perturbed; plant observed
start      3, 4  projections: input, recurrent where cells don't spike
groups           the model's update, then its equations
thresholds -1    records of hidden variables that the rule reads
thresholds       spikes
synapses   1     readout projection; recurrent one where cells spike
synapses   1, 2  delay line and direct projection from input to readout
resets           resets
end        0     readout
end        1     readout handed to the plant
end        2     plant's update
end        3     reward monitor
end        4     records
========== ===== ==========================================================
"""

from __future__ import annotations

from typing import Any

import brian2 as b2
import numpy as np

from neuroanp.engine.operations import (
    CourseRecorder,
    DelayLine,
    DenseProjection,
    Player,
    Recorder,
    SparseProjection,
    SpikeProjection,
)
from neuroanp.errors import InvalidValue
from neuroanp.network.closed_loop import ClosedLoop, HostLoop
from neuroanp.network.layout import Layout
from neuroanp.network.model import Model
from neuroanp.network.noise_sources import NoiseSources
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.plant import Plant, PythonPlant
from neuroanp.network.reward_monitor import RewardMonitor
from neuroanp.network.wiring import Wiring
from neuroanp.rendering import spiking_keywords
from neuroanp.types import Array


class Assembly:
    """A model, its readout and all that a trial needs, for P passes of L lanes.

    Parameters
    ----------
    model : Model
    layout : Layout
    perturbation : Perturbation
    decorrelated : bool
    plant : Plant, optional
    wiring : Wiring, optional
        Recurrent synapses of a spiking model that exist; all without.
    loss : str, optional
        Loss of one output at one step, where it isn't the model's.

    Attributes
    ----------
    net : brian2.Network
    inputs, hidden, readout : NeuronGroup
    groups : list
        Those that hold a state: hidden, readout, plant.
    projections : dict
        By weight name.
    dense : list
        Projections that take the weights as one matrix.
    noises : NoiseSources
    trace, outputs : CourseRecorder, Recorder
        Records of hidden trace and readout, kept of every trial.
    watched : dict
        Recorders of the hidden variables that the rule reads.
    loop : ClosedLoop or None
        The plant, joined to inputs and readout.
    history : NeuronGroup or None
        Last inputs, where the direct connection sees more than the present ones.
    """

    def __init__(
        self,
        model: Model,
        layout: Layout,
        perturbation: Perturbation,
        *,
        decorrelated: bool,
        plant: Plant | None = None,
        wiring: Wiring | None = None,
        loss: str | None = None,
    ) -> None:
        if model.threshold is not None and perturbation.target == "weights":
            expected = "noise on nodes for a model whose projections follow spikes"
            raise InvalidValue("Network.perturbation", expected, "weights")
        self.model, self.layout, self.perturbation = model, layout, perturbation
        self.clock = b2.Clock(layout.dt, name="network_clock")
        settings = {"clock": self.clock, "dtype": layout.dtype.type, "namespace": {}}
        objects = self._groups(settings)
        signs = (1,) * len(layout.passes)
        self.player = Player(self.inputs, "u", signs=signs, when="start", order=1, name="show_input")
        self.teacher = Player(self.readout, "target", signs=signs, when="start", order=1, name="show_target")
        self.loop: ClosedLoop | None = None
        if plant is None:
            self.reward = RewardMonitor(self.readout, n_out=layout.n_out, loss=loss or model.loss)
            objects.append(self.reward)
        else:
            loop = HostLoop if isinstance(plant, PythonPlant) else ClosedLoop
            self.loop = loop(plant, self.inputs, self.readout, layout=layout, settings=settings)
            self.reward = self.loop.reward
            objects += self.loop.objects
        self.trace = CourseRecorder(
            self.hidden, model.trace, shares=layout.passes.shares, apart="trace" in perturbation.recorded,
            when="end", order=4, name="record_trace",
        )  # fmt: skip
        self.outputs = Recorder(self.readout, "y", when="end", order=4, name="record_outputs")
        self.watched = self._watched()
        self.projections = self._projections(wiring, alike=1 if plant else len(layout.passes))
        self.dense = [p for p in self.projections.values() if isinstance(p, DenseProjection)]
        self.noises = NoiseSources(
            perturbation, {"hidden": self.hidden, "output": self.readout}, self.projections,
            layout=layout, mixed=decorrelated, disturbance=model.disturbance,
        )  # fmt: skip
        objects += [self.player, self.teacher, self.trace, self.outputs, *self.watched.values()]
        objects += [*self.projections.values(), *self.noises.objects]
        self.groups = [self.hidden, self.readout, *([self.loop.group] if self.loop else [])]
        if self.history is not None:
            self.groups.append(self.history)
        self.net = b2.Network(*objects, name="neuroanp_network")

    def _groups(self, settings: dict[str, Any]) -> list[Any]:
        """Groups of the layers, and their updates."""
        model, layout, rows = self.model, self.layout, self.layout.rows
        spiking = spiking_keywords(model) | settings
        self.inputs = b2.NeuronGroup(rows * layout.n_in, "u : 1", name="inputs", **settings)
        self.hidden = b2.NeuronGroup(rows * model.hidden, model.equations, name="hidden", **spiking)
        self.readout = b2.NeuronGroup(
            rows * layout.n_out, model.readout_equations, name="readout", **settings
        )
        self.history = None
        if model.skip and model.skip_steps > 1:
            size = rows * layout.n_in * model.skip_steps
            self.history = b2.NeuronGroup(size, "u : 1", name="history", **settings)
        _set(self.hidden, model.parameters() | model.initial_state())
        _set(self.readout, model.readout_parameters())
        objects = [self.inputs, self.hidden, self.readout]
        if self.history is not None:
            line = DelayLine(
                self.inputs, "u", self.history, "u", rows=rows, when="synapses", order=1, name="delay_line"
            )
            objects += [self.history, line]
        objects.append(
            self.readout.run_regularly(model.readout_update, when="end", order=0, name="readout_update")
        )
        if model.update:
            update = self.hidden.run_regularly(model.update, when="groups", order=-1, name="hidden_update")
            objects.append(update)
        return objects

    def inputs_before(self) -> Array:
        """`Record.inputs_before` of a trial that starts now."""
        layout, steps = self.layout, self.model.skip_steps - 1
        if self.history is None:
            return np.zeros((0, layout.lanes, layout.n_in), layout.dtype)
        lines = np.asarray(self.history.u_).reshape(1, len(layout.passes), layout.lanes, -1, layout.n_in)
        return np.moveaxis(layout.passes.clean(lines)[0][:, steps - 1 :: -1], 1, 0).copy()

    def _watched(self) -> dict[str, Recorder]:
        return {
            name: Recorder(self.hidden, variable, when="thresholds", order=-1, name=f"watch_{name}")
            for name in self.perturbation.recorded
            if name != "trace" and (variable := self.model.variable(name)) is not None
        }

    def _projections(self, wiring: Wiring | None, alike: int) -> dict[str, Any]:
        """Projections by weight name; as many passes see the same inputs."""
        model, rows = self.model, self.layout.rows
        on_weights = self.perturbation.target == "weights"
        blocks = 1
        if on_weights:
            blocks = rows if self.perturbation.per_lane else len(self.layout.passes)

        def dense(name: str, source: Any, read: str, target: Any, write: str, when: str, order: int) -> Any:
            return DenseProjection(
                source, read, target, write, rows=rows, blocks=blocks,
                alike=alike if name == "W_in" and not on_weights else 1,
                add=name in ("W_rec", "W_skip"), when=when, order=order, name=name,
            )  # fmt: skip

        def events(name: str, target: Any, write: str, inhibit: str | None = None) -> Any:
            settings: dict[str, Any] = {
                "rows": rows, "inhibit": inhibit, "when": "synapses", "order": 1, "name": name,
            }  # fmt: skip
            if name == "W_out" or wiring is None:
                return SpikeProjection(self.hidden, target, write, **settings)
            settings |= {"targets": wiring.targets, "delays": wiring.delays}
            return SparseProjection(self.hidden, target, write, **settings)

        projections = {"W_in": dense("W_in", self.inputs, "u", self.hidden, model.drive, "start", 3)}
        if model.threshold is None:
            trace = (self.hidden, model.trace)
            projections["W_rec"] = dense("W_rec", *trace, self.hidden, model.drive, "start", 4)
            projections["W_out"] = dense("W_out", *trace, self.readout, "drive", "synapses", 1)
        else:
            projections["W_rec"] = events("W_rec", self.hidden, model.synaptic, model.inhibitory)
            projections["W_out"] = events("W_out", self.readout, "drive")
        if model.skip:
            source = self.inputs if self.history is None else self.history
            projections["W_skip"] = dense("W_skip", source, "u", self.readout, "drive", "synapses", 2)
        return projections


def _set(group: Any, parameters: dict[str, Any]) -> None:
    for name, value in parameters.items():
        repeated = value if np.ndim(value) == 0 else value[np.arange(len(group)) % len(value)]
        setattr(group, name, repeated)

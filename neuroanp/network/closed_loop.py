"""`ClosedLoop`: the Brian2 objects that join a plant to a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import brian2 as b2
import numpy as np

from neuroanp.config import checks
from neuroanp.engine.operations import Interleave, Recorder
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.plant import OWN, Plant, PythonPlant
from neuroanp.network.reward_monitor import RewardMonitor
from neuroanp.types import Array


class ClosedLoop:
    """A plant in every pass and lane of a network, with its records.

    Parameters
    ----------
    plant : Plant
    inputs, readout : NeuronGroup
        The network's ends, of (passes, lanes, n) cells.
    layout : Layout
    settings : mapping
        Clock, dtype and namespace of the network's groups.

    Attributes
    ----------
    group : NeuronGroup
        Of (passes, lanes) plants.
    reward : RewardMonitor
        Loss of the plant at every step, also after the end of its episode.
    objects : list
        Objects for the Brian2 network.

    Raises
    ------
    InvalidValue
        For actions that aren't as many as the outputs, more observations than inputs, either of them without
        a variable, and a plant whose step is not a multiple of the network's.
    """

    def __init__(
        self, plant: Plant, inputs: Any, readout: Any, *, layout: Layout, settings: Mapping[str, Any]
    ) -> None:
        self.plant, self.layout = plant, layout
        n_in, n_out = layout.n_in, layout.n_out
        where = type(plant).__name__
        if len(plant.actions) != n_out:
            raise InvalidValue(f"{where}.actions", f"{n_out} of them, one an output", plant.actions)
        if len(plant.observations) > n_in:
            raise InvalidValue(f"{where}.observations", f"at most {n_in} of them", plant.observations)
        self.group = b2.NeuronGroup(layout.rows, plant.equations + OWN, name="plant", **settings)
        for name in (*plant.observations, *plant.actions):
            if name not in self.plant_variables:
                expected = f"variables of {', '.join(self.plant_variables)}"
                raise InvalidValue(f"{where}.equations", expected, name)
        self.group.alive = 1
        self.group.tick = plant.dt
        for name, value in plant.parameters().items():
            setattr(self.group, name, value)
        clock = settings["clock"]
        if plant.steps_each(clock.dt) > 1:
            clock = b2.Clock(plant.dt, name="plant_clock")
        self.reward = RewardMonitor(self.group, n_out=1, loss=plant.loss)
        self._seen = Recorder(inputs, "u", when="end", order=4, name="record_inputs")
        self._alive = Recorder(self.group, "alive", when="end", order=4, name="record_alive")
        observe = Interleave(
            self.group, plant.observations, inputs, "u",
            outward=True, gate="alive", when="start", order=2, name="observe",
        )  # fmt: skip
        act = Interleave(
            self.group, plant.actions, readout, "y", outward=False, when="end", order=1, name="act"
        )
        self.objects: list[Any] = [self.group, observe, act, self.reward, self._seen, self._alive]
        if plant.observe:
            view = self.group.run_regularly(plant.observe, when="start", order=0, name="plant_observe")
            self.objects.append(view)
        if plant.statements():
            update = self.group.run_regularly(
                plant.statements(), clock=clock, when="end", order=2, name="plant_update"
            )
            self.objects.append(update)

    def prepare(self, state: Mapping[str, Array], steps: int) -> None:
        """Put the plants of all passes to the same start, by variable (lanes,), in base units.

        Raises
        ------
        InvalidValue
            For variables that the plant doesn't have.
        """
        for name, values in state.items():
            if name not in self.plant_variables:
                raise InvalidValue("Trial.plant", f"variables of {', '.join(self.plant_variables)}", name)
            self.group.variables[name].get_value().reshape(len(self.layout.passes), -1)[:] = values
        self._inputs = self._seen.prepare(self.layout.shape(steps, self.layout.n_in))
        self._going = self._alive.prepare(self.layout.shape(steps, 1)[:-1])

    @property
    def plant_variables(self) -> tuple[str, ...]:
        """Variables that an episode can start with."""
        declared = self.group.equations
        names = sorted(declared.diff_eq_names | declared.parameter_names)
        return tuple(name for name in names if not self.group.variables[name].scalar)

    def drive(self, advance: Callable[[int], None], loss: Array) -> None:
        """Let network and plant run together for the steps of `loss`.

        Parameters
        ----------
        advance : callable
            Runs the network for a number of steps.
        loss : (T, P, L) array
            Memory of the reward monitor.
        """
        advance(len(loss))

    def inputs(self) -> Array:
        """Inputs of the network without noise, (T, L, n_in)."""
        return self.layout.passes.clean(self._inputs)

    def counts(self, loss: Array) -> Array:
        """1 in steps that start before the end of the episode in some pass, else 0: (T, L).

        Parameters
        ----------
        loss : (T, P, L) array
            Loss of each step; set to 0 where the episode was over before the step.
        """
        going = np.ones(loss.shape, bool)
        going[1:] = self._going[:-1] > 0
        loss[~going] = 0.0
        return np.asarray(going.max(axis=1), np.float64)


class HostLoop(ClosedLoop):
    """Closed loop whose plant moves between slices of the run, each as long as a step of the plant."""

    plant: PythonPlant

    def prepare(self, state: Mapping[str, Array], steps: int) -> None:
        """Put the plants of all passes to the same start; a carried trial goes on with them as they are."""
        super().prepare({}, steps)
        if state:
            rows = {name: np.tile(values, len(self.layout.passes)) for name, values in state.items()}
            self._state = self.plant.reset(rows)
            self._show()

    def drive(self, advance: Callable[[int], None], loss: Array) -> None:
        stride = self.plant.steps_each(self.group.clock.dt)
        advance(1)
        self._move(loss, 0)
        for step in range(stride, len(loss), stride):
            advance(stride)
            self._move(loss, step)
        rest = (len(loss) - 1) % stride
        if rest:
            advance(rest)

    def _move(self, loss: Array, step: int) -> None:
        """Move the plants after a step of the network, and record their loss and who goes on."""
        rows = len(self.layout.passes), self.layout.lanes
        alive = self._memory("alive")
        actions = np.stack([self._memory(name) for name in self.plant.actions], axis=1).astype(np.float64)
        going = alive > 0
        self._state, charged, over = self.plant.move(self._state, actions, going)
        where = f"{type(self.plant).__name__}.move"
        charged = checks.array(where, np.where(going, charged, 0.0), going.shape)
        over = np.asarray(over)
        if over.shape != going.shape:
            raise InvalidValue(where, f"over of shape {going.shape}", f"shape {over.shape}")
        alive[over.astype(bool)] = 0.0
        loss[step] = charged.reshape(rows)
        self._going[step] = alive.reshape(rows)
        self._show()

    def _show(self) -> None:
        where = f"{type(self.plant).__name__}.observe_state"
        names = self.plant.observations
        view = checks.array(where, self.plant.observe_state(self._state), (len(self.group), len(names)))
        for name, values in zip(names, view.T, strict=True):
            self._memory(name)[:] = values

    def _memory(self, name: str) -> Array:
        return np.asarray(self.group.variables[name].get_value())

"""`Plant`: the world that a network acts on, as a small Brian2 model."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

OWN = """
    alive : 1
    tick : second (shared)
"""
"""Variables of every plant: 1 until its episode is over, and the length of its step."""


class Plant(Part):
    """Base of all plants: options as fields, with the equations beside them.

    Network and plant advance together in one run, in this order at each step: the plant is observed, the
    network moves, the readout is handed to the plant, and, at the first step and every `dt` from there, the
    plant moves. Differential equations, if it has any, move at every step of the network.

    Each lane has one plant and one episode, which is over once `over` is true, or after `longest` steps of
    the plant. From then on the network sees zeros, nothing that it does counts, and `alive` is 0. Equations
    and statements may read `alive`, and ``tick``, which is `dt`.

    Attributes
    ----------
    equations : str
        Brian2 equations with units: state, actions, and parameters.
    observe : str
        Statements that run before the network sees the plant.
    update : str
        Statements that run once a step of the plant, after the readout was handed over.
    observations : tuple of str
        Dimensionless variables that the network sees, in the order of its first inputs. Each is declared as a
        parameter or by a differential equation.
    actions : tuple of str
        Dimensionless variables that take the readout's outputs.
    loss : str
        Dimensionless expression charged at each step of the network, after the plant has moved.
    over : str or None
        Boolean expression that ends an episode; None for a plant whose episodes all last `longest`.
    dt : Quantity
        Length of the plant's step, a multiple of the network's.

    Parameters
    ----------
    longest : int
        Steps of the plant after which an episode is over.

    Examples
    --------
    A ball that rolls where the readout drives it, and is to stay near the middle::

        class Ball(Plant):
            equations = '''dx/dt = v : meter
                           v = 1 * meter/second * clip(drive, -1, 1) : meter/second
                           place : 1
                           drive : 1'''
            observe = "place = x / meter"
            observations = ("place",)
            actions = ("drive",)
            loss = "place**2"
            dt = 1 * ms

            def draw_start(self, rng, lanes):
                return {"x": rng.uniform(-1, 1, lanes)}
    """

    equations: ClassVar[str]
    observe: ClassVar[str] = ""
    update: ClassVar[str] = ""
    actions: ClassVar[tuple[str, ...]]
    loss: ClassVar[str]
    over: ClassVar[str | None] = None
    dt: ClassVar[Any] = 1 * ms

    longest: int = option(500, "steps of the plant after which an episode is over", least=1)

    @property
    @abc.abstractmethod
    def observations(self) -> tuple[str, ...]:
        """Variables that the network sees."""

    def parameters(self) -> dict[str, Any]:
        """Values of the equations' parameters, with units."""
        return {}

    @abc.abstractmethod
    def draw_start(self, rng: np.random.Generator, lanes: int) -> dict[str, Array]:
        """State at the start of an episode in each lane, by variable: (lanes,) arrays in base units."""

    def steps_each(self, dt: Any) -> int:
        """Steps of the network, of length `dt`, in one of the plant.

        Raises
        ------
        InvalidValue
            If it isn't a whole number of them.
        """
        ratio = float(self.dt / dt)
        if ratio < 0.5 or abs(ratio - round(ratio)) > 1e-6:
            raise InvalidValue(f"{type(self).__name__}.dt", f"a multiple of the network's {dt}", self.dt)
        return round(ratio)

    def statements(self) -> str:
        """`update`, and the end of the episode."""
        if self.over is None:
            return self.update
        return f"{self.update}\nalive = alive * int(not ({self.over}))"


class PythonPlant(Plant):
    """Base of plants that are Python code: anything that can be observed and moved a step at a time.

    A subclass gives `dt`, `actions`, `observations`, `draw_start`, `observe_state` and `move`. Network and
    plant take turns: the network runs for one step of the plant, hands over its readout and waits. It learns
    the same as with a `Plant` of Brian2 equations; each step of the plant costs some 20 us more, beside the
    Python code.

    Examples
    --------
    A ball that rolls where the readout drives it, and is to stay near the middle::

        class Ball(PythonPlant):
            dt = 10 * ms
            observations = ("place",)
            actions = ("drive",)

            def draw_start(self, rng, lanes):
                return {"x": rng.uniform(-1, 1, lanes)}

            def observe_state(self, state):
                return state["x"][:, None]

            def move(self, state, actions, alive):
                x = state["x"] + 0.01 * actions[:, 0]
                return {"x": x}, x**2, np.abs(x) > 2
    """

    loss = "0 * alive"

    @property
    def equations(self) -> str:  # type: ignore[override]
        """Variables through which network and plant see each other."""
        return "\n".join(f"{name} : 1" for name in (*self.observations, *self.actions))

    def reset(self, start: Mapping[str, Array]) -> Any:
        """State for `observe_state` and `move`, of any type, from `draw_start`'s (rows,) arrays."""
        return dict(start)

    @abc.abstractmethod
    def observe_state(self, state: Any) -> Array:
        """Observations of the network, (rows, observations)."""

    @abc.abstractmethod
    def move(self, state: Any, actions: Array, alive: Array) -> tuple[Any, Array, Array]:
        """One step of the plant.

        Parameters
        ----------
        state : object
            From `reset` or the step before.
        actions : (rows, actions) array
            The readout.
        alive : (rows,) array of bool
            Episodes that go on; results of others don't count.

        Returns
        -------
        state : object
        loss : (rows,) array
            Charged once, at the step of the network in which the plant moved.
        over : (rows,) array of bool
            True where the episode ends with this step.
        """

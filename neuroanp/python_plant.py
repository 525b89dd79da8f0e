"""`PythonPlant`: the world that a network acts on, as Python code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from numpy.typing import NDArray

from neuroanp.plant import Plant

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PythonPlant(Plant):
    """Base of plants that are Python code: anything that can be observed and moved a step at a time.

    A subclass gives `dt`, `actions`, `observations`, `start`, `observe_state` and `move`. Network and plant
    take turns: the network runs for one step of the plant, hands over its readout and waits. What is learned
    is the same as with a `Plant` of Brian2 equations, but each step of the plant costs some 20 us and what
    the Python code takes.

    Examples
    --------
    A ball that rolls where the readout drives it, and is to stay near the middle::

        class Ball(PythonPlant):
            dt = 10 * ms
            observations = ("place",)
            actions = ("drive",)

            def start(self, rng, lanes):
                return {"x": rng.uniform(-1, 1, lanes)}

            def observe_state(self, state):
                return state["x"][:, None]

            def move(self, state, actions, alive):
                x = state["x"] + 0.01 * actions[:, 0]
                return {"x": x}, x**2, np.abs(x) > 2
    """

    loss: ClassVar[str] = "0 * alive"

    @property
    def equations(self) -> str:  # type: ignore[override]
        """Variables through which network and plant see each other."""
        return "\n".join(f"{name} : 1" for name in (*self.observations, *self.actions))

    def reset(self, start: Mapping[str, Array]) -> Any:
        """State of plants that start so; whatever `observe_state` and `move` work with.

        Parameters
        ----------
        start : mapping
            From `start`, for all passes: (rows,) arrays.
        """
        return dict(start)

    def observe_state(self, state: Any) -> Array:
        """What the network sees, (rows, observations)."""
        raise TypeError(f"{type(self).__name__} does not define observe_state")

    def move(self, state: Any, actions: Array, alive: Array) -> tuple[Any, Array, Array]:
        """One step of the plant.

        Parameters
        ----------
        state : object
            From `reset` or the step before.
        actions : (rows, actions) array
            The readout.
        alive : (rows,) array of bool
            Whose episodes go on; what is returned for others doesn't count.

        Returns
        -------
        state : object
            The new one.
        loss : (rows,) array
            Charged once, at the step of the network in which the plant moved.
        over : (rows,) array of bool
            Whether the episode ends with this step.
        """
        raise TypeError(f"{type(self).__name__} does not define move")

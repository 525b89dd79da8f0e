"""`DeviceState`: the state of a training that is on a device, and comes home where it is read."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from neuroanp.config.environment import jax
from neuroanp.training.state import TrainingState

ARRAYS = ("weights", "decorrelation", "modulator", "rule", "optimizer")
"""Fields of a `TrainingState` that are on the device while it trains."""


class DeviceState(TrainingState):
    """State whose arrays an update takes with `give` and leaves with `take`; reading one brings all home."""

    def __init__(self, state: TrainingState) -> None:
        self._home: dict[str, Any] = {}
        self._held: dict[str, Any] | None = None
        super().__init__(**{field.name: getattr(state, field.name) for field in dataclasses.fields(state)})
        self._good = {"weights": self.weights, "decorrelation": self.decorrelation}

    @property
    def good(self) -> tuple[Any, Any]:
        """Weights and matrices to go back to from a divergence: those before the last update."""
        self.read("weights")
        return self._good["weights"], self._good["decorrelation"]

    def give(self) -> dict[str, Any]:
        """Arrays for an update, by field, and ``good``, weights and matrices of the update before."""
        if self._held is None:
            copied = jax().tree.map(lambda values: values, self._home)
            return copied | {"good": dict(self._good)}
        return self._held

    def take(self, held: dict[str, Any]) -> None:
        """Keep the arrays that an update left on the device."""
        self._held = held

    def read(self, name: str) -> Any:
        """Arrays of a field, from the device if they are there."""
        if self._held is not None:
            home = jax().tree.map(np.array, self._held)
            self._held, self._good = None, home.pop("good")
            self._home = home
        return self._home[name]

    def write(self, name: str, values: Any) -> None:
        """Arrays of a field, in place of those on the device."""
        if name in self._home:
            self.read(name)
        self._home[name] = values


def _field(name: str) -> property:
    return property(lambda state: state.read(name), lambda state, values: state.write(name, values))


for _name in ARRAYS:
    setattr(DeviceState, _name, _field(_name))

"""`HostLoop`: a network and a plant of Python code, which take turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroanp import checks
from neuroanp.errors import InvalidValue
from neuroanp.loop import ClosedLoop
from neuroanp.python_plant import PythonPlant

Array = NDArray[Any]


class HostLoop(ClosedLoop):
    """`ClosedLoop` whose plant moves between slices of the run, each as long as a step of the plant."""

    plant: PythonPlant

    def start(self, state: Mapping[str, Array], steps: int) -> None:
        """Put the plants of all passes to the same start; a carried trial goes on with them as they are."""
        super().start({}, steps)
        if state:
            rows = {name: np.tile(values, len(self.passes)) for name, values in state.items()}
            self._state = self.plant.reset(rows)
            self._show()

    def drive(self, advance: Callable[[int], None], loss: Array) -> None:
        each = self.plant.steps_each(self.group.clock.dt)
        advance(1)
        self._move(loss, 0)
        for step in range(each, len(loss), each):
            advance(each)
            self._move(loss, step)
        rest = (len(loss) - 1) % each
        if rest:
            advance(rest)

    def _move(self, loss: Array, step: int) -> None:
        """Move the plants after a step of the network, and write what they leave to its record."""
        rows, alive = (len(self.passes), self.lanes), self._memory("alive")
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
        expected = (len(self.group), len(self.plant.observations))
        seen = checks.array(where, self.plant.observe_state(self._state), expected)
        for name, values in zip(self.plant.observations, seen.T, strict=True):
            self._memory(name)[:] = values

    def _memory(self, name: str) -> Array:
        values: Array = self.group.variables[name].get_value()
        return values

"""`State`: what a network's groups hold between trials, to rest, to carry on, and to copy."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.core.variables import ArrayVariable

from neuroanp.types import Array


class State:
    """The changing variables of groups of (passes, lanes, n) cells.

    Parameters
    ----------
    groups : list of NeuronGroup
        As they are at rest; their values now are what `restore` goes back to.
    passes : tuple of str
    lanes : int
    queues : tuple of SparseProjection
        What holds spikes that are under way.
    """

    def __init__(
        self, groups: list[Any], passes: tuple[str, ...], lanes: int, queues: tuple[Any, ...] = ()
    ) -> None:
        self.passes, self.lanes, self.rows = passes, lanes, len(passes) * lanes
        self.queues = queues
        self._values: list[tuple[Array, Array]] = []
        self._spike_times: list[Array] = []
        for group in groups:
            for variable in group.variables.values():
                own = isinstance(variable, ArrayVariable) and variable.owner.name == group.name
                if own and not variable.scalar and variable.name != "i":
                    memory = variable.get_value()
                    self._values.append((memory, memory.copy()))
                    if variable.name == "lastspike":
                        self._spike_times.append(memory)

    def restore(self) -> None:
        """Put all cells to rest."""
        for memory, rest in self._values:
            memory[...] = rest
        for queue in self.queues:
            queue.rest()

    def copy(self) -> tuple[list[Array], list[Any]]:
        """The state as it is now, for `put`."""
        return [memory.copy() for memory, _ in self._values], [queue.copy() for queue in self.queues]

    def put(self, state: tuple[list[Array], list[Any]]) -> None:
        """Go back to a state that `copy` gave."""
        cells, waiting = state
        for (memory, _), values in zip(self._values, cells, strict=True):
            memory[...] = values
        for queue, spikes in zip(self.queues, waiting, strict=True):
            queue.put(spikes)

    def carry(self, elapsed: float) -> None:
        """Start every pass where the clean course ended: the clean pass, or the mean of the mirrored pair.

        Spikes under way are those of the clean pass, or of the first.

        Time starts again at zero, `elapsed` seconds later than the trial before.
        """
        for memory, _ in self._values:
            if memory.size % self.rows:
                continue  # the list of spikes, which ends with its count
            values = memory.reshape(len(self.passes), -1)
            if "clean" in self.passes:
                values[:] = values[self.passes.index("clean")].copy()
            elif values.dtype.kind == "f":
                values[:] = values.mean(axis=0)
            else:
                values[:] = values[0].copy()
        if len(self.passes) > 1:
            course = self.passes.index("clean") if "clean" in self.passes else 0
            for queue in self.queues:
                queue.take(np.tile(np.arange(self.lanes) + course * self.lanes, len(self.passes)))
        for times in self._spike_times:
            times -= elapsed

"""`State`: variables of a network's groups between trials, to rest, to carry on, and to copy."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.core.variables import ArrayVariable

from neuroanp.network.layout import Layout
from neuroanp.types import Array, Arrays


class State:
    """Variables of groups of (passes, lanes, n) cells that change.

    Parameters
    ----------
    groups : list of NeuronGroup
        At rest: `restore` goes back to their values now.
    layout : Layout
    queues : tuple of SparseProjection
        Projections that hold spikes under way.
    """

    def __init__(self, groups: list[Any], layout: Layout, queues: tuple[Any, ...] = ()) -> None:
        self.layout, self.queues = layout, queues
        self._values: dict[str, tuple[Array, Array]] = {}
        self._spike_times: list[Array] = []
        for group in groups:
            for variable in group.variables.values():
                stored = isinstance(variable, ArrayVariable) and variable.owner.name == group.name
                if stored and not variable.scalar and variable.name != "i":
                    memory = variable.get_value()
                    self._values[f"{group.name}.{variable.name}"] = memory, memory.copy()
                    if variable.name == "lastspike":
                        self._spike_times.append(memory)

    def restore(self) -> None:
        """Put all cells to rest."""
        for memory, rest in self._values.values():
            memory[...] = rest
        for queue in self.queues:
            queue.rest()

    def copy(self) -> Arrays:
        """Present state by name, for `put`."""
        cells = {name: memory.copy() for name, (memory, _) in self._values.items()}
        for queue in self.queues:
            cells |= {f"{queue.name}.{name}": values for name, values in queue.copy().items()}
        return cells

    def put(self, state: Arrays) -> None:
        """Go back to a state that `copy` gave."""
        for name, (memory, _) in self._values.items():
            memory[...] = state[name]
        for queue in self.queues:
            queue.put({name: state[f"{queue.name}.{name}"] for name in queue.copy()})

    def carry(self, elapsed: float) -> None:
        """Start every pass where the clean course ended: the clean pass, or the mean of the mirrored pair.

        Spikes under way are those of the clean pass, or of the first. Time starts again at zero, `elapsed`
        seconds later than the trial before.
        """
        passes, lanes = self.layout.passes, self.layout.lanes
        for memory, _ in self._values.values():
            if memory.size % self.layout.rows:
                continue  # the list of spikes, which ends with its count
            values = memory.reshape(len(passes), -1)
            if "clean" in passes:
                values[:] = values[passes.index("clean")].copy()
            elif values.dtype.kind == "f":
                values[:] = values.mean(axis=0)
            else:
                values[:] = values[0].copy()
        if len(passes) > 1:
            course = passes.index("clean") if "clean" in passes else 0
            for queue in self.queues:
                queue.take(np.tile(np.arange(lanes) + course * lanes, len(passes)))
        for times in self._spike_times:
            times -= elapsed

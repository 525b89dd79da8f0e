"""`State`: what a network's groups hold between trials, to rest, to carry on, and to copy."""

from __future__ import annotations

from typing import Any

from brian2.core.variables import ArrayVariable
from numpy.typing import NDArray

Array = NDArray[Any]


class State:
    """The changing variables of groups of (passes, lanes, n) cells.

    Parameters
    ----------
    groups : list of NeuronGroup
        As they are at rest; their values now are what `restore` goes back to.
    passes : tuple of str
    lanes : int
    """

    def __init__(self, groups: list[Any], passes: tuple[str, ...], lanes: int) -> None:
        self.passes, self.rows = passes, len(passes) * lanes
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

    def copy(self) -> list[Array]:
        """The state as it is now, for `put`."""
        return [memory.copy() for memory, _ in self._values]

    def put(self, state: list[Array]) -> None:
        """Go back to a state that `copy` gave."""
        for (memory, _), values in zip(self._values, state, strict=True):
            memory[...] = values

    def carry(self, elapsed: float) -> None:
        """Start every pass where the clean course ended: the clean pass, or the mean of the mirrored pair.

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
        for times in self._spike_times:
            times -= elapsed

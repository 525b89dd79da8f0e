"""The spikes in flight of a synaptic pathway, in Brian2's own queue or in a library."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.program.library import Library


class SpikeQueue:
    """The spikes in flight of one pathway, wherever they are.

    Their state is ((offset, dt), slots): a ring of lists of synapses, one list for each of the coming
    steps, that begins at `offset` with the next step's; and the step it counts in, 0 before the first
    run. (Brian2 takes a state of three for one of an older kind.)
    """

    def __init__(self, queue: Any) -> None:
        self.queue = queue
        self.dt = 0.0
        self.home: tuple[Library, int] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["queue"], name)

    def prepare(self, delays: Any, dt: float, sources: Any) -> None:
        """Sort the synapses by delay, in Brian2's own queue."""
        self.dt = float(dt)
        self.queue.prepare(delays, dt, sources)

    def _full_state(self) -> Any:
        if self.home is None:
            offset, slots = self.queue._full_state()
            return (offset, self.dt), slots
        library, index = self.home
        flat = np.empty(library.dll.neuroanp_queue_size(index), np.int64)
        library.dll.neuroanp_queue_read(index, flat.ctypes.data)
        offset, count = int(flat[0]), int(flat[1])
        sizes = flat[2 : 2 + count]
        slots = [slot.tolist() for slot in np.split(flat[2 + count :], np.cumsum(sizes)[:-1])]
        # generated code moves on at the beginning of a step, so it still has the list of the last one
        slots[offset] = []
        return ((offset + 1) % count, library.dll.neuroanp_queue_dt(index)[0]), slots

    def _restore_from_full_state(self, state: Any) -> None:
        (offset, dt), slots = ((0, 0.0), [[]]) if state is None else state
        if self.home is None:
            # Brian2 changes a queue's dt only while it moves the spikes, so begin with a new queue
            self.queue = type(self.queue)(*self.queue._state_tuple[:2])
            self.queue._restore_from_full_state((offset, slots))
            if dt:
                self.prepare(np.zeros(1), dt, np.zeros(0, np.int32))
            return
        library, index = self.home
        count = max(len(slots), 1)
        sizes = [len(slot) for slot in slots] or [0]
        entries = [synapse for slot in slots for synapse in slot]
        flat = np.array([(offset - 1) % count, count, *sizes, *entries], np.int64)
        library.dll.neuroanp_queue_write(index, flat.ctypes.data)
        library.dll.neuroanp_queue_dt(index)[0] = dt

    def move(self, library: Library, index: int, dt: float) -> None:
        """Carry the spikes in flight over to a library that counts in steps of `dt`."""
        (offset, dt_before), slots = self._full_state()
        self.home = (library, index)
        if dt_before not in (0, dt):
            offset, slots = 0, _rescaled(offset, slots, dt_before, dt)
        self._restore_from_full_state(((offset, dt), slots))

    def bring_home(self) -> None:
        """Carry the spikes in flight back to Brian2's own queue."""
        state = self._full_state()
        self.home = None
        self._restore_from_full_state(state)


def _rescaled(offset: int, slots: list[list[int]], dt_before: float, dt: float) -> list[list[int]]:
    """The same spikes, counted in other steps: each at the step nearest to its time."""
    factor = dt_before / dt
    scaled: list[list[int]] = [[] for _ in range(int(len(slots) * factor) + 2)]
    for step in range(len(slots)):
        scaled[int(step * factor + 0.5)] += slots[(offset + step) % len(slots)]
    return scaled

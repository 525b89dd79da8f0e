"""Ways to run a compiled network: alone, by copies for some lanes each, or with helpers at large products."""

from __future__ import annotations

import ctypes
import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neuroanp.engine.codegen.rows import Rows
from neuroanp.engine.program.library import Library
from neuroanp.engine.threads import together

Result = tuple[bool, float]
TRIES = 3
"""Runs that each way has before the quickest is chosen."""
AGAIN = 300
"""Runs after which it is chosen anew: cores that others took for a while may be free."""
GAIN = 0.97
"""Part of the time of the way before that a way with more threads has to keep below."""


class Alone:
    """One thread."""

    def __init__(self, leader: Library) -> None:
        self.leader = leader

    def begin(self) -> None:
        """Make ready for `advance`."""
        self.leader.take_part(1, 1, 0, 0)
        self.leader.gather(1)

    def borrow(self, index: int, array: np.ndarray) -> None:
        """Take over a dynamic array's memory, as `Library.borrow`."""

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> Result:
        """As `Library.advance`."""
        return self.leader.advance(ends, budget, spent)


class Helpers(Alone):
    """Threads that share the products with many weights, in every step."""

    def __init__(self, leader: Library, members: int) -> None:
        super().__init__(leader)
        self.members = members

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> Result:
        self.leader.gather(self.members)
        helping = [functools.partial(self.leader.help, member) for member in range(1, self.members)]
        result: Result = together([lambda: self.leader.advance(ends, budget, spent), *helping])[0]
        return result


class Crew(Alone):
    """Copies of the library on the same memory, a thread and some lanes for each.

    What counts the steps, single numbers, and the lists of spikes, each copy has of its own.

    Parameters
    ----------
    leader : Library
        The network's own.
    copy : callable
        Makes another library of the same file and constants.
    rows : Rows
    members : int
        2 or more, at most as many as lanes.
    timestep : int
        Slot of the clock's count of steps.
    lists : set of int
        Slots of the lists of spikes.
    """

    def __init__(
        self,
        leader: Library,
        copy: Callable[[], Library],
        rows: Rows,
        members: int,
        timestep: int,
        lists: set[int],
    ) -> None:
        super().__init__(leader)
        self.rows, self.timestep = rows, timestep
        self.libraries = [leader, *(copy() for _ in range(members - 1))]
        self._own: list[tuple[np.ndarray, np.ndarray]] = []
        for library in self.libraries[1:]:
            for slot, array in leader.bound.items():
                own = array.size == 1 or slot in lists
                memory = array.copy() if own else array
                library.bind(slot, memory)
                if own:
                    self._own.append((memory, array))
            library.bind_clocks()

    def begin(self) -> None:
        super().begin()
        members, lanes = len(self.libraries), self.rows.lanes
        ends = [lanes * k // members for k in range(members + 1)]
        for library, first, end in zip(self.libraries, ends, ends[1:], strict=False):
            library.take_part(self.rows.passes, lanes, first, end - first)

    def borrow(self, index: int, array: np.ndarray) -> None:
        for library in self.libraries[1:]:
            library.borrow(index, array)

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> Result:
        """As `Library.advance`; where time ran out, all are at the step that the furthest had come to."""
        for memory, array in self._own:
            memory[...] = array
        results = self._advance(ends, budget, spent)
        if all(finished for finished, _ in results):
            return results[0]
        furthest = max(int(library.bound[self.timestep][0]) for library in self.libraries)
        (_, now), *_ = self._advance((ctypes.c_int64 * 1)(furthest), math.inf, spent)
        return furthest >= ends[0], now

    def _advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> list[Result]:
        def task(library: Library) -> Callable[[], Result]:
            return lambda: library.advance(ends, budget, spent if library is self.leader else None)

        return together([task(library) for library in self.libraries])


class Quickest(Alone):
    """The quickest of some ways, which have the same results: each is tried, then one is chosen for a while.

    Parameters
    ----------
    ways : list of Alone
        From few threads to many.
    timestep : int
        As of `Crew`.
    """

    def __init__(self, ways: list[Alone], timestep: int) -> None:
        super().__init__(ways[0].leader)
        self.ways, self.timestep = ways, timestep
        self.seconds = [math.inf] * len(ways)
        self.runs = 0
        self.way = ways[0]

    def begin(self) -> None:
        self.way.begin()

    def borrow(self, index: int, array: np.ndarray) -> None:
        for way in self.ways:
            way.borrow(index, array)

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> Result:
        if self.runs > TRIES * len(self.ways):
            self.runs += 1
            if self.runs > AGAIN:
                self.runs, self.seconds = 0, [math.inf] * len(self.ways)
            return self.way.advance(ends, budget, spent)
        self._choose()
        count = self.leader.bound[self.timestep]
        step, start = int(count[0]), time.perf_counter()
        result = self.way.advance(ends, budget, spent)
        steps, place = int(count[0]) - step, self.ways.index(self.way)
        if steps:
            each = (time.perf_counter() - start) / steps
            self.seconds[place] = min(self.seconds[place], each)
        return result

    def _choose(self) -> None:
        way = self.ways[self.runs % len(self.ways)]
        if self.runs == TRIES * len(self.ways):
            best = 0
            for place, seconds in enumerate(self.seconds):
                best = place if seconds < GAIN * self.seconds[best] else best
            way = self.ways[best]
        self.runs += 1
        if way is not self.way:
            self.way = way
            way.begin()

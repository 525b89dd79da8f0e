"""Copies of a compiled network that run a part of its lanes each, at the same time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from neuroanp.engine.codegen.rows import Rows
from neuroanp.engine.program.library import Library
from neuroanp.engine.threads import together


class Crew:
    """A library and copies of it on the same memory.

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
        self.leader, self.timestep = leader, timestep
        self.copies = [copy() for _ in range(members - 1)]
        self._own: list[tuple[np.ndarray, np.ndarray]] = []
        for library in self.copies:
            for slot, array in leader.bound.items():
                own = array.size == 1 or slot in lists
                memory = array.copy() if own else array
                library.bind(slot, memory)
                if own:
                    self._own.append((memory, array))
            library.bind_clocks()
        ends = [rows.lanes * k // members for k in range(members + 1)]
        for library, first, end in zip(self._all, ends, ends[1:], strict=False):
            library.take_part(rows.passes, rows.lanes, first, end - first)

    @property
    def _all(self) -> list[Library]:
        return [self.leader, *self.copies]

    def dismiss(self) -> None:
        """Let the leader run all lanes again."""
        self.leader.take_part(1, 1, 0, 0)

    def borrow(self, index: int, array: np.ndarray) -> None:
        """As `Library.borrow`, of the copies."""
        for library in self.copies:
            library.borrow(index, array)

    def advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> tuple[bool, float]:
        """As `Library.advance`; where time ran out, all are at the step that the furthest had come to."""
        for memory, array in self._own:
            memory[...] = array
        results = self._advance(ends, budget, spent)
        if all(finished for finished, _ in results):
            return results[0]
        furthest = max(int(library.bound[self.timestep][0]) for library in self._all)
        (_, now), *_ = self._advance((ctypes.c_int64 * 1)(furthest), float("inf"), spent)
        return furthest >= ends[0], now

    def _advance(self, ends: Any, budget: float, spent: np.ndarray | None) -> list[tuple[bool, float]]:
        def task(library: Library) -> Callable[[], tuple[bool, float]]:
            return lambda: library.advance(ends, budget, spent if library is self.leader else None)

        return together([task(library) for library in self._all])

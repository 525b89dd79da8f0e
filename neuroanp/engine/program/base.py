"""A network made ready to run: what the compiled kind and the one for Brian2's runtime share."""

from __future__ import annotations

import abc
import ctypes
import weakref
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
from brian2 import SpikeGeneratorGroup

from neuroanp.engine.codegen.source import External

#: What of an object decides whether and where in a step it runs.
_SCHEDULE = attrgetter("_active", "when", "order")

#: Brian2's tolerance, in time steps, for a time to fall on a step.
EPSILON_DT = 1e-4


def _timestep(t: float, dt: float) -> int:
    """The step at time `t`, rounded up where it lies between two, as `brian2.Clock` has it."""
    near = round(t / dt)
    if near * dt == t or abs(near * dt - t) / dt <= EPSILON_DT:
        return near
    return int(np.ceil(t / dt))


class Program(abc.ABC):
    """Which network it fits, and the interval of a run.

    A program holds no object of the network, so that both are freed when the user drops them.
    """

    def __init__(self, device: Any, net: Any) -> None:
        self.device, self.net, self.id = device, weakref.ref(net), net.id
        objects = net.sorted_objects
        self._objects = [weakref.ref(obj) for obj in objects]
        self._generators = [weakref.ref(obj) for obj in objects if isinstance(obj, SpikeGeneratorGroup)]
        clocks = sorted({obj.clock for obj in objects}, key=lambda clock: clock.name)
        net._clocks = set(clocks)
        for clock in clocks:
            clock.set_interval(net.t, net.t)
        self.clocks = clocks
        self._times = [[clock.variables[k].get_value() for k in ("dt", "timestep", "t")] for clock in clocks]
        self._ends = (ctypes.c_int64 * len(clocks))()
        self._members = frozenset(map(id, net.objects))
        self.prepared = False

    def _note(self, externals: list[External], namespace: Mapping[str, Any]) -> None:
        """Remember what the program was made from."""
        self._externals = externals
        self._values = [entry.value(namespace) for entry in externals]
        self._made_for = self._arrangement()

    def _arrangement(self) -> tuple[Any, ...]:
        """Differs when objects switch, move in the schedule or get parts, and when a dt changes."""
        net: Any = self.net()
        objects = [ref() for ref in self._objects]
        return (
            tuple(net._schedule) if net._schedule else None,
            [None if obj is None else (_SCHEDULE(obj), len(obj._contained_objects)) for obj in objects],
            [float(dt[0]) for dt, _, _ in self._times],
        )

    def fits(self, namespace: Mapping[str, Any] | None, frame: Any) -> bool:
        """Whether this is still the program of its network, given the names it looks up outside."""
        net: Any = self.net()
        names: Any = namespace
        if self._members != frozenset(map(id, net.objects)) or self._made_for != self._arrangement():
            return False
        if self._externals:
            if names is None:
                names = _Names(frame)
            for k, entry in enumerate(self._externals):
                value = entry.value(names)
                if value is not self._values[k] and not self._accept(k, value):
                    return False
        return True

    def _accept(self, k: int, value: Any) -> bool:
        """Take a new value for external name `k` without a new program, if that can be done."""
        return False

    def _renew_spikes(self) -> None:
        """Let spike generators look at spikes that were set since the last run."""
        for ref in self._generators:
            generator = ref()
            if generator is not None and generator._spikes_changed and generator.active:
                # its code, which `before_run` would make anew, stays the same
                generator.create_code_objects = lambda namespace: None
                try:
                    generator.before_run({})
                finally:
                    del generator.create_code_objects

    def set_interval(self, start: float, end: float) -> Any:
        """Set the clocks to `start`; return each clock's last step, rounded as Brian2 rounds."""
        for k, (dt, timestep, t) in enumerate(self._times):
            step = float(dt[0])
            first = _timestep(start, step)
            timestep[0], t[0] = first, first * step
            self._ends[k] = _timestep(end, step)
        return self._ends

    @abc.abstractmethod
    def prepare(self) -> None:
        """Do what comes before a run; look again at delays and connections where `prepared` is false."""

    @abc.abstractmethod
    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        """Run to the clocks' last steps `ends`, or for `budget` seconds; (finished, time of last step)."""

    def time(self) -> float:
        """The time of the step that comes next, in seconds."""
        return min(float(t[0]) for _, _, t in self._times)


class _Names:
    """The names seen from a frame, without the copy that a dictionary of them would be."""

    def __init__(self, frame: Any) -> None:
        self.near, self.far = frame.f_locals, frame.f_globals

    def get(self, name: str) -> Any:
        return self.near[name] if name in self.near else self.far.get(name)

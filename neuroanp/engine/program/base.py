"""A network ready to run: base of the compiled kind and the one for Brian2's runtime."""

from __future__ import annotations

import abc
import ctypes
import dataclasses
import weakref
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from brian2 import SpikeGeneratorGroup

from neuroanp.engine.codegen.source import External

#: Attributes of an object that decide if and where in a step it runs.
_SCHEDULE = attrgetter("_active", "when", "order")

#: Brian2's tolerance, in time steps, for a time to fall on a step.
EPSILON_DT = 1e-4


def _timestep(t: float, dt: float) -> int:
    """The step at time `t`, rounded up where it lies between two, as `brian2.Clock` has it."""
    nearest = round(t / dt)
    if nearest * dt == t or abs(nearest * dt - t) / dt <= EPSILON_DT:
        return nearest
    return int(np.ceil(t / dt))


class ClockArrays(NamedTuple):
    """Variables of a clock, arrays of one number each."""

    dt: Any
    timestep: Any
    t: Any


@dataclasses.dataclass
class Binding:
    """An external name and the value for which the program was made."""

    external: External
    value: Any


class Program(abc.ABC):
    """A network that is ready to run, until it is changed.

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
        self._clock_arrays = [
            ClockArrays(*(clock.variables[name].get_value() for name in ClockArrays._fields))
            for clock in clocks
        ]
        self._ends = (ctypes.c_int64 * len(clocks))()
        self._members = frozenset(map(id, net.objects))
        self.prepared = False

    def _note(self, externals: list[External], namespace: Mapping[str, Any]) -> None:
        """Remember externals and arrangement for which the program was made."""
        self._bindings = [Binding(entry, entry.value(namespace)) for entry in externals]
        self._made_for = self._arrangement()

    def _arrangement(self) -> tuple[Any, ...]:
        """Differs when objects switch, move in the schedule or get parts, and when a dt changes."""
        net: Any = self.net()
        objects = [ref() for ref in self._objects]
        return (
            tuple(net._schedule) if net._schedule else None,
            [None if obj is None else (_SCHEDULE(obj), len(obj._contained_objects)) for obj in objects],
            [float(clock.dt[0]) for clock in self._clock_arrays],
        )

    def fits(self, namespace: Mapping[str, Any] | None, frame: Any) -> bool:
        """True while this is the program of its network, given the names it looks up outside."""
        net: Any = self.net()
        if self._members != frozenset(map(id, net.objects)) or self._made_for != self._arrangement():
            return False
        if not self._bindings:  # names of a frame cost a copy of its locals
            return True
        names: Any = _Names(frame) if namespace is None else namespace
        for binding in self._bindings:
            value = binding.external.value(names)
            if value is not binding.value and not self._accept(binding, value):
                return False
        return True

    def _accept(self, binding: Binding, value: Any) -> bool:
        """Take a new value for an external name without a new program, if that can be done."""
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
        for index, clock in enumerate(self._clock_arrays):
            dt = float(clock.dt[0])
            first = _timestep(start, dt)
            clock.timestep[0], clock.t[0] = first, first * dt
            self._ends[index] = _timestep(end, dt)
        return self._ends

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make ready for a run; look again at delays and connections where `prepared` is false."""

    @abc.abstractmethod
    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        """Run to the clocks' last steps `ends`, or for `budget` seconds; (finished, time of last step)."""

    def time(self) -> float:
        """The time of the step that comes next, in seconds."""
        return min(float(clock.t[0]) for clock in self._clock_arrays)


class _Names:
    """The names seen from a frame, without the copy that a dictionary of them would be."""

    def __init__(self, frame: Any) -> None:
        self.locals, self.globals = frame.f_locals, frame.f_globals

    def get(self, name: str) -> Any:
        return self.locals[name] if name in self.locals else self.globals.get(name)

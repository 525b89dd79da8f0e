"""A network ready to run: base of the compiled kind and the one for Brian2's runtime."""

from __future__ import annotations

import abc
import ctypes
import dataclasses
import weakref
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
from brian2 import SpikeGeneratorGroup, Synapses, second

from neuroanp.engine.codegen.source import External
from neuroanp.engine.program.clocks import kind_of

#: Attributes of an object that decide if and where in a step it runs, and the objects that are part of it.
_SCHEDULE, _PARTS = attrgetter("_active", "when", "order"), attrgetter("_contained_objects")


@dataclasses.dataclass
class Binding:
    """An external name and the value for which the program was made."""

    external: External
    value: Any


class Program(abc.ABC):
    """A network that is ready to run, until it is changed.

    A program holds no object of the network, so that both are freed when the user drops them.

    Attributes
    ----------
    spent : array of float, optional
        Seconds that each of `names` took, where a run is profiled; None without.
    """

    def __init__(self, device: Any, net: Any) -> None:
        self.device, self.net, self.id = device, weakref.ref(net), net.id
        objects = net.sorted_objects
        self._objects = [weakref.ref(obj) for obj in objects]
        self._generators = [weakref.ref(obj) for obj in objects if isinstance(obj, SpikeGeneratorGroup)]
        pathways = [path for obj in objects if isinstance(obj, Synapses) for path in obj._pathways]
        self._delays = [path.variables["delay"] for path in pathways]
        self._sorted_by: list[bytes] = []
        clocks = sorted({obj.clock for obj in objects}, key=lambda clock: clock.name)
        net._clocks = set(clocks)
        for clock in clocks:
            clock.set_interval(net.t, net.t)
        self.clocks = clocks
        self._clock_arrays = [kind_of(clock)(clock) for clock in clocks]
        self._ends = (ctypes.c_int64 * len(clocks))()
        self.prepared = self._due_checked = False
        self.spent: Any = None

    def _note(self, externals: list[External], namespace: Mapping[str, Any]) -> None:
        """Remember externals and arrangement for which the program was made."""
        self._bindings = [Binding(entry, entry.value(namespace)) for entry in externals]
        self._made_for = self._arrangement()

    def _arrangement(self) -> tuple[Any, ...]:
        """Differs when objects come, go, switch, move in the schedule or get parts, and when a dt changes."""
        net: Any = self.net()
        objects: list[Any] = [ref() for ref in self._objects]
        if None in objects:
            return ()
        return (
            frozenset(map(id, net.objects)),
            net._schedule and tuple(net._schedule),
            list(map(_SCHEDULE, objects)),
            list(map(len, map(_PARTS, objects))),
            [clock.length for clock in self._clock_arrays],
        )

    def fits(self, namespace: Mapping[str, Any] | None, frame: Any) -> bool:
        """True while this is the program of its network, given the names it looks up outside."""
        if self._made_for != self._arrangement():
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

    def _notice_delays(self) -> None:
        """Have the synapses sorted anew where delays were written through an array that the user kept."""
        arrays = self.device.arrays
        delays = [arrays[variable].data.tobytes() for variable in self._delays]
        if delays != self._sorted_by:
            self.prepared, self._sorted_by = False, delays

    def _renew_spikes(self) -> None:
        """Let spike generators look at spikes that were set since the last run."""
        for ref in self._generators:
            generator = ref()
            if generator is None or not generator.active:
                continue
            if generator._spikes_changed:
                # its code, which `before_run` would make anew, stays the same
                generator.create_code_objects = lambda namespace: None
                try:
                    generator.before_run({})
                finally:
                    del generator.create_code_objects
            elif not self._due_checked:
                _check_due(generator)
        self._due_checked = True

    def set_interval(self, start: float, end: float) -> Any:
        """Set the clocks to `start`; return each clock's last step, rounded as Brian2 rounds."""
        self._ends[:] = [clock.begin(start, end) for clock in self._clock_arrays]
        return self._ends

    @property
    @abc.abstractmethod
    def names(self) -> list[str]:
        """Name of the Brian2 object of each part of a step."""

    def use_threads(self, number: int) -> None:  # noqa: B027
        """Take up to so many threads from the next run on; one, for a kind that can't."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make ready for a run; look again at delays and connections where `prepared` is false."""

    @abc.abstractmethod
    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        """Run to the clocks' last steps `ends`, or for `budget` seconds; (finished, time of last step)."""

    def profile(self) -> list[tuple[str, Any]] | None:
        """Time that each object took in the last run, as Brian2 keeps it; None where it wasn't measured."""
        if self.spent is None:
            return None
        total = dict.fromkeys(self.names, 0.0)
        for name, seconds in zip(self.names, self.spent, strict=True):
            total[name] += float(seconds)
        return [(name, seconds * second) for name, seconds in total.items()]

    def time(self) -> float:
        """The time of the step that comes next, in seconds."""
        return min(float(clock.t[0]) for clock in self._clock_arrays)


def _check_due(generator: Any) -> None:
    """Raise where a generator that was inactive would emit more spikes at once than there is memory for."""
    bins, last, period = (
        generator.variables[name].get_value() for name in ("_timebins", "_lastindex", "_period_bins")
    )
    step, first = int(generator.clock.variables["timestep"].get_value()[0]), int(last[0])
    if period[0] > 0:
        step %= int(period[0])
        first = 0 if first and bins[first - 1] >= step else first
    due = int(np.searchsorted(bins[first:], step, side="right"))
    if due > len(generator):
        raise ValueError(
            f"'{generator.name}' has {due} spikes due at once, more than its {len(generator)} cells: those "
            "of the time it was inactive come with the next; set_spikes leaves out what is past"
        )


class _Names:
    """The names seen from a frame, without the copy that a dictionary of them would be."""

    def __init__(self, frame: Any) -> None:
        self.locals, self.globals = frame.f_locals, frame.f_globals

    def get(self, name: str) -> Any:
        return self.locals[name] if name in self.locals else self.globals.get(name)

"""A network prepared once for Brian2's own runtime."""

from __future__ import annotations

import itertools
import time
import weakref
from collections.abc import Mapping
from typing import Any

from brian2 import Network

from neuroanp.engine.codegen.source import external
from neuroanp.engine.codegen.unsupported import python_code
from neuroanp.engine.program.base import Program
from neuroanp.engine.program.clocks import same_time


class RuntimeProgram(Program):
    """A network prepared once for Brian2's runtime: `Network.run` without what it repeats at every call."""

    def __init__(self, device: Any, net: Any, namespace: Mapping[str, Any]) -> None:
        super().__init__(device, net)
        net.before_run(namespace)
        # what a user's object does before each run can be anything
        self._once = any(python_code(obj, ("before_run",)) for obj in net.sorted_objects)
        objects = {obj.name: obj for obj in net.sorted_objects}
        active = [obj for obj in objects.values() if obj.active]
        externals = (
            external(name, codeobj.owner, namespace, objects)
            for obj in active
            for codeobj in obj._code_objects
            for name in codeobj.variables
        )
        self._note(list({entry.key: entry for entry in externals if entry is not None}.values()), namespace)
        self._active = [(self.clocks.index(obj.clock), weakref.ref(obj)) for obj in active]
        self.prepared = True

    @property
    def names(self) -> list[str]:
        return [ref().name for _, ref in self._active]  # type: ignore[union-attr]

    def fits(self, namespace: Mapping[str, Any] | None, frame: Any) -> bool:
        return not self._once and super().fits(namespace, frame)

    def prepare(self) -> None:
        self._renew_spikes()
        self._notice_delays()
        if not self.prepared:
            for _, ref in self._active:
                obj: Any = ref()
                for codeobj in obj._code_objects:
                    codeobj.variables_to_namespace()
                    codeobj.before_run()
        self.prepared = True

    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        net: Any = self.net()
        clocks = self._clock_arrays
        objects: list[tuple[int, Any]] = [(index, ref()) for index, ref in self._active]
        steps = [(index, obj.run) for index, obj in objects]
        start = time.perf_counter()
        now = net.t_
        while time.perf_counter() - start < budget and not (net._stopped or Network._globally_stopped):
            first = min(clocks, key=lambda clock: clock.t[0])
            if first.timestep[0] >= ends[clocks.index(first)]:
                for _, obj in objects:
                    obj.after_run()
                return True, now
            net.t_ = now = float(first.t[0])
            current = [same_time(clock, first) for clock in clocks]
            for part, (index, run) in enumerate(steps):
                if current[index]:
                    began = time.perf_counter() if self.spent is not None else 0.0
                    run()
                    if self.spent is not None:
                        self.spent[part] += time.perf_counter() - began
            for clock in itertools.compress(clocks, current):
                clock.go_to(int(clock.timestep[0]) + 1)
        return False, now

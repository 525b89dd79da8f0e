"""A network prepared once for Brian2's own runtime."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from typing import Any

from brian2 import Network

from neuroanp.engine.codegen.source import external
from neuroanp.engine.program.base import EPSILON_DT, Program


class RuntimeProgram(Program):
    """A network prepared once for Brian2's runtime: `Network.run` without what it repeats at every call."""

    def __init__(self, device: Any, net: Any, namespace: Mapping[str, Any]) -> None:
        super().__init__(device, net)
        net.before_run(namespace)
        objects = {obj.name: obj for obj in net.sorted_objects}
        active = [obj for obj in objects.values() if obj.active]
        found = (
            external(name, codeobj.owner, namespace, objects)
            for obj in active
            for codeobj in obj._code_objects
            for name in codeobj.variables
        )
        self._note(list({entry.key: entry for entry in found if entry is not None}.values()), namespace)
        self._active = [(self.clocks.index(obj.clock), weakref.ref(obj)) for obj in active]
        self.prepared = True

    def prepare(self) -> None:
        self._renew_spikes()
        if not self.prepared:
            for _, ref in self._active:
                obj: Any = ref()
                for codeobj in obj._code_objects:
                    codeobj.variables_to_namespace()
                    codeobj.before_run()
        self.prepared = True

    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        net: Any = self.net()
        times = self._times
        objects: list[tuple[int, Any]] = [(clock, ref()) for clock, ref in self._active]
        steps = [(clock, obj.run) for clock, obj in objects]
        began = time.perf_counter()
        now = net.t_
        while time.perf_counter() - began < budget and not (net._stopped or Network._globally_stopped):
            first = min(range(len(times)), key=lambda k: times[k][2][0])
            if times[first][1][0] >= ends[first]:
                for _, obj in objects:
                    obj.after_run()
                return True, now
            net.t_ = now = float(times[first][2][0])
            current = [abs(t[0] - now) / min(dt[0], times[first][0][0]) < EPSILON_DT for dt, _, t in times]
            for clock, run in steps:
                if current[clock]:
                    run()
            for is_current, (dt, timestep, t) in zip(current, times, strict=True):
                if is_current:
                    timestep[0] += 1
                    t[0] = timestep[0] * dt[0]
        return False, now

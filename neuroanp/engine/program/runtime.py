"""A network prepared once for Brian2's own runtime."""

from __future__ import annotations

import itertools
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
        externals = (
            external(name, codeobj.owner, namespace, objects)
            for obj in active
            for codeobj in obj._code_objects
            for name in codeobj.variables
        )
        self._note(list({entry.key: entry for entry in externals if entry is not None}.values()), namespace)
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
        clocks = self._clock_arrays
        objects: list[tuple[int, Any]] = [(index, ref()) for index, ref in self._active]
        steps = [(index, obj.run) for index, obj in objects]
        start = time.perf_counter()
        now = net.t_
        while time.perf_counter() - start < budget and not (net._stopped or Network._globally_stopped):
            first = min(range(len(clocks)), key=lambda index: clocks[index].t[0])
            if clocks[first].timestep[0] >= ends[first]:
                for _, obj in objects:
                    obj.after_run()
                return True, now
            net.t_ = now = float(clocks[first].t[0])
            first_dt = clocks[first].dt[0]
            current = [abs(clock.t[0] - now) / min(clock.dt[0], first_dt) < EPSILON_DT for clock in clocks]
            for index, run in steps:
                if current[index]:
                    run()
            for clock in itertools.compress(clocks, current):
                clock.timestep[0] += 1
                clock.t[0] = clock.timestep[0] * clock.dt[0]
        return False, now

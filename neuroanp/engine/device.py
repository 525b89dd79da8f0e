"""The Brian2 device ``"neuroanp"``: compile a network once, run it as often as you like.

Outside `run` it is Brian2's runtime device on the NumPy target: every value can be read and
written at any time, by view, by index or by string expression. The first `run` of a network
generates C++, compiles it or takes it from the cache, and lets the library work on the very
memory that holds the state variables. Later runs are a function call.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from brian2 import MagicNetwork, Network, get_dimensions, second
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.variables import VariableView
from brian2.devices.device import RuntimeDevice, reset_device, set_device
from brian2.units.fundamentalunits import fail_for_dimension_mismatch
from brian2.utils.logger import get_logger

from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.codegen.rows import Rows
from neuroanp.engine.codegen.unsupported import check_supported, python_code
from neuroanp.engine.errors import NoImplementation
from neuroanp.engine.program.base import Program
from neuroanp.engine.program.compiled import CompiledProgram
from neuroanp.engine.program.progress import reporter
from neuroanp.engine.program.random_stream import RandomStream
from neuroanp.engine.program.runtime import RuntimeProgram
from neuroanp.engine.program.spike_queue import SpikeQueue

logger = get_logger(__name__)

#: Held while Brian2 objects and code are made and run: Brian2 has one device a process.
LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)

#: Wall seconds between looks at the keyboard and at the progress report.
SLICE = 0.2


# The engine's own templates beside Brian2's. Not in a subclass: Brian2 adds what a function lacks on NumPy
# to this very class only.
NumpyCodeObject.templater = NumpyCodeObject.templater.derive("neuroanp.engine")


class NeuroANPDevice(RuntimeDevice):
    """In-process device.

    Parameters
    ----------
    engine : {"auto", "compiled", "runtime"}
        ``"compiled"`` needs a C++ compiler. ``"runtime"`` is Brian2's own NumPy code, prepared once
        a network. ``"auto"`` takes the first where it can and says once where it cannot.
    """

    def __init__(self, engine: str = "auto") -> None:
        super().__init__()
        self.engine = engine
        self.random = RandomStream()
        self._programs: weakref.WeakKeyDictionary[Any, Program] = weakref.WeakKeyDictionary()

    def activate(self, build_on_run: bool = True, engine: str | None = None, **kwargs: Any) -> None:
        """Called by ``set_device("neuroanp", engine=...)``."""
        super().activate(build_on_run=build_on_run, **kwargs)
        if engine is not None:
            if engine not in ("auto", "compiled", "runtime"):
                raise ValueError(f"engine: expected 'auto', 'compiled' or 'runtime', got {engine!r}")
            self.engine = engine

    def resolved_engine(self) -> str:
        """``"compiled"`` or ``"runtime"``: what a run uses here."""
        if self.engine != "auto":
            return self.engine
        if find_compiler() is None:
            logger.warn(
                "NeuroANP: no C++ compiler found (g++, clang++ or CXX), so networks run on Brian2's "
                "runtime: the same numbers, slower.",
                "no_compiler",
                once=True,
            )
            self.engine = "runtime"
            return "runtime"
        return "compiled"

    # --- Brian2's device interface ----------------------------------------------------------------
    def code_object_class(self, codeobj_class: Any = None, fallback_pref: str = "codegen.target") -> Any:
        """The NumPy target, whatever the preference says: nothing is compiled outside `run`."""
        return codeobj_class or NumpyCodeObject

    def code_object(self, owner: Any, *args: Any, **kwds: Any) -> Any:
        """Code outside a run, on the NumPy target; it may write delays."""
        if "delay" in getattr(owner, "variables", {}):
            self.changed()
        return super().code_object(owner, *args, **kwds)

    def spike_queue(self, source_start: int, source_end: int) -> SpikeQueue:
        """A queue whose spikes in flight can move into a library and back."""
        return SpikeQueue(super().spike_queue(source_start, source_end))

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        """A view of the variable's memory; a copy for what monitors record."""
        value = super().get_value(var, access_data)
        if access_data and getattr(self.arrays[var], "library", None) is not None:
            var.size = value.shape if value.ndim > 1 else value.shape[0]
        return value

    def fill_with_array(self, var: Any, arr: Any) -> None:
        """Write a whole variable."""
        if var.name == "delay":
            self.changed()
        self.arrays[var][:] = arr

    def resize(self, var: Any, new_size: Any) -> None:
        """Resize a dynamic variable."""
        self.changed()
        super().resize(var, new_size)

    def variableview_set_with_index_array(self, view: Any, item: Any, value: Any, check_units: Any) -> None:
        """Write by index."""
        if view.name == "delay":
            self.changed()
        VariableView.set_with_index_array.original_function(view, item, value, check_units)

    def changed(self) -> None:
        """Let programs look again at delays and connections before their next run."""
        for program in self._programs.values():
            program.prepared = False

    def seed(self, seed: int | None = None) -> None:
        """Seed Brian2's own random numbers (`rand`, `randn`, Poisson)."""
        super().seed(seed)
        self.random.seed(seed)

    def get_random_state(self) -> dict[str, Any]:
        """State of the random generators, of NumPy and of compiled networks."""
        return {**super().get_random_state(), "compiled": self.random.state}

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_random_state` returned."""
        super().set_random_state(state)
        if "compiled" in state:
            self.random.state = state["compiled"]

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Make this Brian2's device for a while, in which no other thread builds or runs."""
        with LOCK:
            set_device(self)
            try:
                yield
            finally:
                reset_device()

    # --- running ----------------------------------------------------------------------------------
    def network_run(
        self,
        net: Any,
        duration: Any,
        report: Any = None,
        report_period: Any = 10.0,
        namespace: dict[str, Any] | None = None,
        profile: Any = None,
        level: int = 0,
    ) -> None:
        """`Network.run`: build if the network is new or changed, then run."""
        if get_dimensions(duration) is not second.dim:
            fail_for_dimension_mismatch(duration, second, "Network.run: the duration has to be a time")
        if not 0 <= float(duration) < float("inf"):
            raise ValueError(f"Network.run: expected a duration of 0 s or more, got {duration}")
        profile = self.build_options.get("profile", False) if profile is None else profile
        report = reporter(report, report_period)
        if not net.objects:
            return
        with LOCK:
            program = self.program(net, namespace, sys._getframe(level + 2))
            net._stopped = Network._globally_stopped = False
            Network._globally_running = True  # Brian2 turns a first Ctrl-C into a stop after the step
            try:
                program.spent = np.zeros(len(program.names)) if profile else None
                self.run_program(program, float(duration), report)
            finally:
                net._profiling_info = program.profile()
                Network._globally_running = False
                if isinstance(net, MagicNetwork):
                    net.objects.clear()

    def program(
        self, net: Any, namespace: dict[str, Any] | None, frame: Any, rows: Rows | None = None
    ) -> Any:
        """The ready-to-run program of `net`, with `namespace` (or the names seen from `frame`) in force.

        With `rows`, all groups have as many cells in each of them, and no row depends on another.
        """
        program = self._programs.get(net)
        if program is None or not program.fits(namespace, frame):
            # a network stays where its values are, should the device's engine be changed
            moved = program is not None and program.id == net.id
            kind: Any = self._kind(net, type(program) if moved else None)
            check_supported(net, self, kind is CompiledProgram)
            names = {**frame.f_globals, **frame.f_locals} if namespace is None else namespace
            try:
                program = self._made(kind, net, names, rows)
            except NoImplementation as error:
                if self.engine != "auto":
                    raise
                self._fall_back(str(error))
                program = self._made(RuntimeProgram, net, names)
            self._programs[net] = program
        return program

    def _kind(self, net: Any, present: Any) -> Any:
        """Kind of program for a network, whose values are with one of kind `present`, if any."""
        if present is RuntimeProgram or (present is None and self.resolved_engine() != "compiled"):
            return RuntimeProgram
        code = next((code for obj in net.sorted_objects if (code := python_code(obj))), None)
        if code is None or self.engine == "compiled":
            return CompiledProgram
        self._fall_back(code)
        return RuntimeProgram

    def _made(self, kind: Any, net: Any, names: dict[str, Any], rows: Rows | None = None) -> Program:
        """A program of a network, whose values come home where it was compiled and is no longer."""
        present = self._programs.get(net)
        if isinstance(present, CompiledProgram) and kind is RuntimeProgram:
            del self._programs[net]
            present.bring_home()
        return kind(self, net, names, rows) if kind is CompiledProgram else kind(self, net, names)

    def _fall_back(self, reason: str) -> None:
        logger.warn(
            f"NeuroANP: {reason}, which can't be compiled, so the network runs on Brian2's runtime: the same "
            "numbers, slower.",
            "python_code",
        )

    def use(self, program: Any) -> None:
        """Nothing to do: every program has its network's values in place."""

    def run_program(self, program: Any, duration: float, report: Any = None) -> None:
        """Run a program for `duration` seconds of simulated time.

        Where it is interrupted, the network is left at the step that comes next.
        """
        net = program.net()
        start = net.t_
        ends = program.set_interval(start, start + duration)
        program.prepare()
        clock_start = time.perf_counter()
        finished = False
        try:
            if report is not None:
                report(0.0, 0.0, start, duration)
            finished, now = program.advance(ends, SLICE)
            while not finished and not (net._stopped or Network._globally_stopped):
                net.t_ = now
                elapsed = time.perf_counter() - clock_start
                if report is not None and elapsed > report.due:
                    report(elapsed, (now - start) / duration, start, duration)
                finished, now = program.advance(ends, SLICE)
        finally:
            net.t_ = start + duration if finished else program.time()
        if report is not None:
            completed = (net.t_ - start) / duration if duration else 1.0
            report(time.perf_counter() - clock_start, completed, start, duration)

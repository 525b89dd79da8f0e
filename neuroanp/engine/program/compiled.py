"""A network as a library in this process."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Synapses, TimedArray, get_dimensions
from brian2.devices import cpp_standalone
from brian2.synapses import synapses as brian2_synapses

from neuroanp.engine.build.cache import build
from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.codegen.generator import SourceGenerator
from neuroanp.engine.codegen.rows import Rows
from neuroanp.engine.codegen.translation_unit import unity
from neuroanp.engine.errors import NoCompiler
from neuroanp.engine.program.base import Binding, Program
from neuroanp.engine.program.crew import Alone, Crew, Helpers, Quickest
from neuroanp.engine.program.library import Library, LibraryTable, LibraryVector


class CompiledProgram(Program):
    """A network as a library in this process."""

    def __init__(self, device: Any, net: Any, namespace: Mapping[str, Any], rows: Rows | None = None) -> None:
        compiler = find_compiler()
        if compiler is None:
            raise NoCompiler
        super().__init__(device, net)
        self._synapses = [weakref.ref(obj) for obj in net.sorted_objects if isinstance(obj, Synapses)]
        source = SourceGenerator(device).generate(net, namespace, rows)
        text = unity(source, _brian2_files())
        path = build(text, compiler, source.extra, source.owners)
        self._borrowed = [variable for variable, _ in source.borrowed]
        self._names = [source.owners[name] for _, name in source.steps]
        self._code_before = not source.queue_units.issuperset(source.before)
        self._static = dict(enumerate(source.static, start=len(source.arrays)))
        self._constants = {entry.key: index for index, (entry, _) in enumerate(source.constants)}
        self.library = Library(path, [value for _, value in source.constants])
        self._path, self._threads = path, 1
        self._way: Alone = Alone(self.library)
        self._rows = rows if source.separable else None
        for slot, static in self._static.items():
            self.library.bind(slot, static.values)
        if "neuroanp::multiply(" in text:
            self.library.bind_blas()
        self._take_over(source)
        self._note(source.external, namespace)

    def _take_over(self, source: Any) -> None:
        """Make this library the home of the network's values, wherever they were."""
        arrays = self.device.arrays
        names = [variable.name for variable, _ in source.arrays]
        self._timestep = names.index("timestep")
        self._lists = {slot for slot, name in enumerate(names) if name == "_spikespace"}
        for slot, (variable, _) in enumerate(source.arrays):
            self.library.bind(slot, arrays[variable])
        self.library.bind_clocks()
        for index, (variable, _) in enumerate(source.vectors):
            self._move(variable, LibraryVector(self.library, index, variable.dtype))
        for index, (variable, _) in enumerate(source.tables):
            self._move(variable, LibraryTable(self.library, index, variable.dtype))
        for index, (pathway, _) in enumerate(source.pathways):
            pathway.queue.move(self.library, index, float(pathway.source.clock.dt_))
        self.device.random.join(self.library)

    def _lend(self) -> None:
        """Let the library work on the present memory of arrays that the user may have made longer."""
        for index, variable in enumerate(self._borrowed):
            self.library.borrow(index, self.device.arrays[variable].data)
            self._way.borrow(index, self.device.arrays[variable].data)

    def _move(self, variable: Any, home: Any) -> None:
        values = self.device.arrays[variable].data
        home.resize(values.shape)
        home[:] = values
        self.device.arrays[variable] = home

    def bring_home(self) -> None:
        """Give all that the library keeps back to Brian2's runtime."""
        arrays = self.device.arrays
        for variable, kept in list(arrays.items()):
            if getattr(kept, "library", None) is self.library:
                values = kept.data
                self.device.add_array(variable)
                arrays[variable].resize(values.shape if values.ndim > 1 else len(values))
                arrays[variable][:] = values
        for ref in self._synapses:
            synapses = ref()
            for pathway in () if synapses is None else synapses._pathways:
                pathway.queue.bring_home()
                pathway._pushspikes_codeobj = None

    def _accept(self, binding: Binding, value: Any) -> bool:
        old = binding.value
        if isinstance(old, TimedArray):
            if not _interchangeable(old, value):
                return False
            for slot, static in self._static.items():
                if static.function is old:
                    static.function, static.values = value, np.ascontiguousarray(value.values.ravel())
                    self.library.bind(slot, static.values)
        else:
            index = self._constants.get(binding.external.key)
            if index is None or not _is_number(value) or type(value) is not type(old):
                return False
            if get_dimensions(value) is not get_dimensions(old):
                return False
            self.library.constants[index] = float(value)
        binding.value = value
        return True

    def prepare(self) -> None:
        self._renew_spikes()
        self._notice_delays()
        self.device.random.prepare(self.library)
        if not self.prepared:
            self._lend()
            for ref in self._synapses:
                synapses: Any = ref()
                if synapses.active and len(synapses) == 0 and not synapses._connect_called:
                    raise TypeError(
                        f"Synapses object '{synapses.name}' does not do anything: it has no synapses; "
                        "call connect, or set its active attribute to False"
                    )
        if self._code_before or not self.prepared:
            self.library.before_run(not self.prepared)
        self.prepared = True

    def use_threads(self, number: int) -> None:
        if number == self._threads:
            return
        self._threads = number
        ways = [Alone(self.library)]
        if number > 1 and self._rows is not None:
            ways.append(Helpers(self.library, number))
            members = min(number, self._rows.lanes)
            if members > 1:
                ways.append(Crew(self.library, self._copy, self._rows, members, self._timestep, self._lists))
        self._way = Quickest(ways, self._timestep) if len(ways) > 1 else ways[0]
        self._way.begin()
        self.prepared = False

    def _copy(self) -> Library:
        return Library(self._path, list(self.library.constants))

    def advance(self, ends: Any, budget: float) -> tuple[bool, float]:
        return self._way.advance(ends, budget, self.spent)

    @property
    def names(self) -> list[str]:
        return self._names


def _is_number(value: Any) -> bool:
    if np.ndim(value) != 0 or isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, np.number, np.ndarray))


def _interchangeable(old: Any, new: Any) -> bool:
    """True for two TimedArrays that differ in their values only."""
    return (
        isinstance(new, TimedArray)
        and new.values.shape == old.values.shape
        and new.dt == old.dt
        and new.dim is old.dim
    )


def _brian2_files() -> dict[str, str]:
    """Brian2's support files, read from where it is installed."""
    library = Path(cpp_standalone.__file__).parent / "brianlib"
    paths = (path for path in sorted(library.iterdir()) if path.is_file())
    files = {f"brianlib/{path.name}": path.read_text() for path in paths}
    synapses = Path(brian2_synapses.__file__).parent
    files["brianlib/stdint_compat.h"] = (synapses / "stdint_compat.h").read_text()
    header = synapses / "spikequeue.h"
    files["brianlib/spikequeue.h"] = (header if header.exists() else synapses / "cspikequeue.cpp").read_text()
    return files

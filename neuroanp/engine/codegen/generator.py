"""From a Brian2 network to C++ source, by Brian2's own C++ standalone generator.

The generator is active as Brian2's device only while code objects are made. It keeps no values:
arrays stay with the device that owns them, so no value ever reaches the source, and a network
with other parameters has the same source. Names of objects do not reach it either.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from brian2 import EventMonitor, PopulationRateMonitor, SpikeGeneratorGroup, StateMonitor, prefs
from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.parsing.rendering import CPPNodeRenderer
from brian2.synapses.synapses import Synapses

from neuroanp.engine.build.compiler import Extra
from neuroanp.engine.build.template_cache import TemplateCache
from neuroanp.engine.codegen.code_object import InProcessCodeObject, make_code_objects
from neuroanp.engine.codegen.rows import Rows, by_rows, separable
from neuroanp.engine.codegen.source import External, Source, StaticArray, external
from neuroanp.engine.codegen.translation_unit import CLOCK
from neuroanp.engine.codegen.trimming import only_objects, plain_unit, with_plain_functions
from neuroanp.engine.codegen.words import renamed, true_name
from neuroanp.engine.operations.arrival_recorder import ArrivalRecorder

GROWING = (EventMonitor, StateMonitor, PopulationRateMonitor, SpikeGeneratorGroup, ArrivalRecorder)
"""Owners of dynamic arrays that a run, or new spikes, make longer."""


class _ArrayNames(dict):
    """Names of the variables that the source uses, given when first asked for."""

    def __init__(self, register: Any) -> None:
        super().__init__()
        self._register = register

    def __missing__(self, variable: Any) -> str:
        self._register(variable)
        return self[variable]


class _Files(dict):
    """Files that `CPPStandaloneDevice.generate_*` would write to disk."""

    def write(self, name: str, contents: Any) -> None:
        if name.endswith(".*"):
            self[name[:-1] + "cpp"], self[name[:-1] + "h"] = contents.cpp_file, contents.h_file
        else:
            self[name] = str(contents)


class SourceGenerator(CPPStandaloneDevice):
    """C++ standalone's generator, without its values, its main queue and its files."""

    def __init__(self, owner: Any) -> None:
        super().__init__()
        self.owner = owner
        self.defaultclock = owner.defaultclock
        self.network_schedule = owner.network_schedule
        self.arrays = _ArrayNames(self._register)
        self.dynamic_arrays = _ArrayNames(self._register)
        self.dynamic_arrays_2d = _ArrayNames(self._register)
        self._plain: list[tuple[Any, str]] = []
        self._plain_of: dict[str, str] = {}

    # --- values stay with the owner -------------------------------------------------------------
    def _register(self, variable: Any) -> None:
        owner = getattr(variable.owner, "name", "")
        name = f"{self._plain_of.get(owner, 'other')}_{variable.name}"
        names = set(self.arrays.values())
        suffix = ""
        while f"_array_{name}{suffix}" in names:
            suffix = f"_{int(suffix[1:] or 0) + 1}"
        dict.__setitem__(self.arrays, variable, f"_array_{name}{suffix}")
        if isinstance(variable, DynamicArrayVariable):
            dynamic = self.dynamic_arrays if variable.ndim == 1 else self.dynamic_arrays_2d
            dict.__setitem__(dynamic, variable, f"_dynamic_array_{name}{suffix}")

    def add_array(self, var: Any) -> None:
        var.device = self.owner
        self.owner.add_array(var)

    def init_with_zeros(self, var: Any, dtype: Any) -> None:
        self.owner.init_with_zeros(var, dtype)

    def init_with_arange(self, var: Any, start: int, dtype: Any) -> None:
        self.owner.init_with_arange(var, start, dtype)

    def fill_with_array(self, var: Any, arr: Any) -> None:
        self.owner.fill_with_array(var, arr)

    def resize(self, var: Any, new_size: Any) -> None:
        self.owner.resize(var, new_size)

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        return self.owner.get_value(var, access_data)

    def spike_queue(self, source_start: int, source_end: int) -> Any:
        return self.owner.spike_queue(source_start, source_end)

    # --- code objects ---------------------------------------------------------------------------
    def code_object_class(self, codeobj_class: Any = None, fallback_pref: Any = None) -> Any:
        return InProcessCodeObject

    def code_object(
        self,
        owner: Any,
        name: str,
        abstract_code: Any,
        variables: Any,
        template_name: str,
        variable_indices: Any,
        **kwds: Any,
    ) -> Any:
        name = f"{template_name}_{len(self.code_objects)}"
        code, variables, indices = renamed(abstract_code, variables, variable_indices)
        with self._plain_names():
            return super().code_object(owner, name, code, variables, template_name, indices, **kwds)

    @contextlib.contextmanager
    def _plain_names(self) -> Iterator[None]:
        """Call every object by its place in the network, whatever the user calls it.

        A name that is a word of C++, or that depends on which other objects are alive, would reach
        the source through Brian2's templates.
        """
        true_names = [(obj, obj._name) for obj, _ in self._plain]
        for obj, plain in self._plain:
            obj._name = plain
        self._plain_of = {name: name for _, name in self._plain}
        try:
            yield
        finally:
            for obj, name in true_names:
                obj._name = name

    def generate(self, net: Any, namespace: Mapping[str, Any], rows: Rows | None = None) -> Source:
        """Make the code objects of `net`, whose `rows` don't depend on others; return the whole source."""
        objects = net.sorted_objects
        clocks = sorted({obj.clock for obj in objects}, key=lambda clock: clock.name)
        self._plain = [(obj, f"object{index:04}") for index, obj in enumerate(objects)]
        self._plain += [(clock, f"clock{index:04}") for index, clock in enumerate(clocks)]
        self.networks, self.clocks = {net}, set(clocks)
        self.synapses = [obj for obj in objects if isinstance(obj, Synapses)]
        for pathway in (path for synapses in self.synapses for path in synapses._pathways):
            pathway._pushspikes_codeobj = None
        InProcessCodeObject.templater.env.bytecode_cache = TemplateCache()
        with self.active():
            make_code_objects(net, namespace)
            steps, owners = [], {}
            for obj in objects:
                for codeobj in obj._code_objects if obj.active else ():
                    steps.append((clocks.index(obj.clock), codeobj.name))
                    owners[codeobj.name] = obj.name
            net.after_run()
            used = {c.name: c for c in self.code_objects.values()}
            by_name = {obj.name: obj for obj in objects}
            externals = {
                (codeobj.name, key): external(true_name(key), codeobj.owner, namespace, by_name)
                for codeobj in used.values()
                for key in codeobj.variables
            }
            with self._plain_names():
                source = self._render(clocks, steps, used, externals, rows)
        source.owners, source.separable = owners, separable(objects, used.values(), rows)
        return source

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Make this the device that Brian2 generates code for."""
        # ``brian2.devices.device`` is a proxy object as an attribute; the module is behind it
        device_module: Any = sys.modules["brian2.devices.device"]
        previous, threads = device_module.active_device, prefs["devices.cpp_standalone.openmp_threads"]
        device_module.active_device = self
        prefs["devices.cpp_standalone.openmp_threads"] = 0
        try:
            yield
        finally:
            device_module.active_device = previous
            prefs["devices.cpp_standalone.openmp_threads"] = threads

    # --- text -----------------------------------------------------------------------------------
    def _render(
        self,
        clocks: list[Any],
        steps: list[tuple[int, str]],
        used: dict[str, Any],
        externals: dict[tuple[str, str], External | None],
        rows: Rows | None,
    ) -> Source:
        files = _Files()
        constants: dict[Any, tuple[int, External, float]] = {}
        functions: dict[str, Any] = {}
        for codeobj in used.values():
            lines = "\n".join(self._constant_lines(codeobj, externals, constants))
            for block in ("", *(f"{b}_" for b in codeobj.before_after_blocks)):
                text = getattr(codeobj.code, f"{block}cpp_file").replace("%CONSTANTS%", lines)
                unit = plain_unit(by_rows(text, codeobj, rows))
                files.write(f"code_objects/{block}{codeobj.name}.cpp", unit)
            for variable in codeobj.variables.values():
                if isinstance(variable, Function):
                    self._static(variable, codeobj, functions)
        static = [
            StaticArray(name, values, functions[name]) for name, values in sorted(self.static_arrays.items())
        ]
        specs = [(entry.name, c_data_type(entry.values.dtype), entry.values.size, "") for entry in static]
        pathways = sorted((path for s in self.synapses for path in s._pathways), key=lambda path: path.name)
        for variable in [path.synapse_sources for path in pathways] + [
            clock.variables[key] for clock in clocks for key in CLOCK if key in clock.variables
        ]:
            self.arrays[variable]  # registers what the templates below look up
        self.generate_objects_source(files, [], self.synapses, specs, [], {})
        self.generate_synapses_classes_source(files)
        files["objects.cpp"] = only_objects(files["objects.cpp"])
        text = with_plain_functions(files, used.values(), static)
        lists, tables = _by_name(self.dynamic_arrays), _by_name(self.dynamic_arrays_2d)
        dynamic = {variable for variable, _ in lists + tables}
        arrays = [item for item in _by_name(self.arrays) if item[0] not in dynamic]
        queued = [(func, args[0].name) for func, args in self.main_queue if func.endswith("run_code_object")]
        return Source(
            files=text,
            clocks=clocks,
            steps=steps,
            before=[name for func, name in queued if func.startswith("before")],
            after=[name for func, name in queued if func.startswith("after")],
            arrays=arrays,
            vectors=[item for item in lists if isinstance(item[0].owner, GROWING)],
            borrowed=[item for item in lists if not isinstance(item[0].owner, GROWING)],
            tables=tables,
            static=static,
            pathways=[(path, path.name) for path in pathways],
            constants=[(entry, value) for _, entry, value in constants.values()],
            queue_units={c.name for c in used.values() if c.template_name == "synapses_push_spikes"},
            external=list({entry.key: entry for entry in externals.values() if entry is not None}.values()),
            extra=self._extra(used),
        )

    def _constant_lines(
        self,
        codeobj: Any,
        externals: Mapping[tuple[str, str], External | None],
        constants: dict[Any, tuple[int, External, float]],
    ) -> list[str]:
        """Sizes, pointers to dynamic arrays, and constants; external ones come from a block of doubles."""
        lines = set()
        for key, variable in codeobj.variables.items():
            if isinstance(variable, DynamicArrayVariable):
                if variable.ndim == 1:
                    vector, pointer = self.dynamic_arrays[variable], self.arrays[variable]
                    first = f"{vector}.empty() ? 0 : &{vector}[0]"
                    lines.add(f"{c_data_type(variable.dtype)}* const {pointer} = {first};")
                    lines.add(f"const size_t _num{key} = {vector}.size();")
            elif isinstance(variable, ArrayVariable):
                lines.add(f"const size_t _num{key} = {variable.size};")
            elif isinstance(variable, Constant):
                ctype, outside = c_data_type(variable.dtype), externals[codeobj.name, key]
                value = CPPNodeRenderer().render_expr(repr(variable.value))
                if outside is not None:
                    entry = (len(constants), outside, float(variable.value))
                    value = f"({ctype})_neuroanp_constants[{constants.setdefault(outside.key, entry)[0]}]"
                lines.add(f"const {ctype} {key} = {value};")
        return sorted(lines)

    def _static(self, function: Any, codeobj: Any, functions: dict[str, Any]) -> None:
        arrays: dict[str, Any] = {}
        self._insert_func_namespace(function, codeobj, arrays)
        for array, values in arrays.items():
            self.static_arrays[array] = np.ascontiguousarray(values)
            functions[array] = function

    def _extra(self, used: Mapping[str, Any]) -> Extra:
        needs = [codeobj.compiler_kwds for codeobj in used.values() if codeobj.compiler_kwds]
        needed = bool(needs or prefs["codegen.cpp.headers"])

        def gather(key: str) -> list[Any]:
            usual = prefs[f"codegen.cpp.{key}"] if needed and key != "sources" else []
            return list(dict.fromkeys([*usual, *(entry for kwds in needs for entry in kwds.get(key, []))]))

        macros = [entry if isinstance(entry, tuple) else (entry, None) for entry in gather("define_macros")]
        return Extra(
            macros=[f"-D{name}" + ("" if value is None else f"={value}") for name, value in macros],
            **{
                key: gather(key)
                for key in (
                    "include_dirs", "library_dirs", "runtime_library_dirs", "libraries", "headers", "sources"
                )
            },
        )  # fmt: skip


def _by_name(names: dict[Any, str]) -> list[tuple[Any, str]]:
    return sorted(names.items(), key=lambda item: item[1])

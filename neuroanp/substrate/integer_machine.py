"""`IntegerMachine`: a network in fixed point, compiled or in NumPy, with the same bits."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuroanp.engine import find_compiler
from neuroanp.errors import InvalidValue
from neuroanp.rendering.statements import SPIKES
from neuroanp.substrate import in_numpy
from neuroanp.substrate.fixed_point import FixedPoint
from neuroanp.substrate.formats import BIT, Block
from neuroanp.substrate.in_cpp import CompiledBlocks
from neuroanp.substrate.integer_blocks import IntegerBlocks
from neuroanp.substrate.machine import Machine, Pass
from neuroanp.substrate.network import HIDDEN, READOUT, STEP, SynapticNetwork
from neuroanp.substrate.sums import GATES, broadcast_integers
from neuroanp.substrate.words import Counter, Source, Xorshift
from neuroanp.types import Array


class IntegerMachine(Machine):
    """Machine in integers.

    Parameters
    ----------
    network : SynapticNetwork
    numbers : FixedPoint
    blocks : IntegerBlocks
    seed : int
        Seed of noise and draws.
    compiled : bool
        True for C++, False for NumPy.

    Attributes
    ----------
    counts : dict
        Statistics by variable (`in_numpy.COUNTS`), summed over all blocks that ran.
    """

    kept_dtype = np.int32

    def __init__(
        self, network: SynapticNetwork, numbers: FixedPoint, blocks: IntegerBlocks, seed: int, compiled: bool
    ) -> None:
        super().__init__(network)
        self.blocks = blocks
        self.compiled: CompiledBlocks | None = None
        compiler = find_compiler() if compiled else None
        if compiler is not None:
            step: dict[str, tuple[Block, Sequence[str]]] = {
                f"{n}_{b}": (blocks.steps[n][b], network.kept(n)) for n in network.synapses for b in STEP[n]
            }
            step |= {
                group: (block, (*network.cells[group].states, SPIKES))
                for group, block in blocks.cells.items()
            }
            self.compiled = CompiledBlocks({n: b for n, b in step.items() if b[0].assignments}, compiler)
        library: ctypes.CDLL | None = self.compiled.library if self.compiled else None
        self.source: Source
        if numbers.noise == "counter":
            self.source = Counter(network, seed, library)
        else:
            if network.lanes > 1:
                expected = "1 with FixedPoint(noise='xorshift'), which is one chip"
                raise InvalidValue("IntegerChip.lanes", expected, network.lanes)
            words = {(n, b): blocks.steps[n][b].words for n in network.synapses for b in blocks.steps[n]}
            self.source = Xorshift(network, seed, words, library)
        self.counts: dict[str, Array] = {}
        self.trial_numbers: Mapping[str, Any] = {}
        self.load(network.weights)

    def load(self, weights: Mapping[str, Array]) -> None:
        """Take over weights, as the nearest integers."""
        for name, values in weights.items():
            self.synapses[name]["weight"][0] = self.blocks.formats[name]["weight"].quantized(values)

    def perturb_weights(self, index: int) -> None:
        for name in self.network.synapses:
            draw = self.source.on_weights(name, index)
            if draw is not None:
                format_ = self.blocks.formats[name]["weight_noise"]
                noise = draw if format_ == BIT else format_.quantized(draw * self.network.sigma(name))
                self.synapses[name]["weight_noise"][0] = noise

    def rest(self, shown: Pass) -> None:
        blocks, lanes, inputs = self.blocks, self.network.lanes, shown.inputs
        self.inputs = (
            np.rint(inputs).astype(np.int64) if blocks.input == BIT else blocks.input.quantized(inputs)
        )
        self.targets = blocks.formats["readout"]["y"].quantized(shown.targets)
        if not self.quiet:
            self.source.begin(
                shown.trial, len(inputs), ("plus", "minus", "clean").index(shown.name), shown.name
            )
        self.cells: dict[str, dict[str, Array]] = {}
        for group, size in (("hidden", self.network.model.hidden), ("readout", self.network.n_out)):
            declared, formats = self.network.cells[group], blocks.formats[group]
            self.cells[group] = {
                name: np.ones((lanes, size), np.int32) * formats[name].quantized(value).astype(np.int32)
                for name, value in declared.states.items()
            }
        self.cells["hidden"][SPIKES] = np.zeros((lanes, self.network.model.hidden), np.int32)
        self.heard: dict[str, Array] = {}
        self._transmitted = {name: self._transmit(name) for name in self.network.synapses}

    def _transmit(self, name: str) -> Array:
        """Weights in force (post, pre), as floats that hold whole numbers, for BLAS."""
        inputs = {n: v[0].astype(np.int64) for n, v in self.synapses[name].items() if len(v) == 1}
        inputs |= broadcast_integers(self.blocks.scalars[name], self.before)
        node = self.blocks.transmits[name].node
        weights = in_numpy.value(node, inputs)
        return np.broadcast_to(weights, self.network.sizes(name)).astype(float)

    def hear(self, name: str, step: int) -> None:
        if isinstance(self.source, Xorshift) and name != "W_rec" and not self.quiet:
            self.source.sweep(step, "hidden" if name == "W_in" else "output")
        source = self.inputs[step] if name == "W_in" else self.spikes
        self.heard[name] = (source.astype(float) @ self._transmitted[name].T).astype(np.int64)

    def move(self, group: str, step: int) -> None:
        layer = "hidden" if group == "hidden" else "output"
        kept, block = self.cells[group], self.blocks.cells[group]
        sums = HIDDEN if group == "hidden" else (READOUT,)
        inputs = {name: self.heard[name] for name in sums} | {"noise": self._noise(layer, step)}
        for name, value in self.network.cells[group].constants.items():
            if np.ndim(value):
                inputs[name] = self.blocks.parameter(value).quantized(value)
        size = (self.network.lanes, self.network.model.hidden if group == "hidden" else self.network.n_out)
        inputs = {name: np.broadcast_to(value, size) for name, value in inputs.items()}
        if self.compiled is not None:
            cells = {name: values[:, :, None] for name, values in kept.items()}
            counts = self.compiled.run(group, cells, {}, inputs, {}, _NO_WORDS)
        else:
            wide = {name: values.astype(np.int64) for name, values in kept.items()}
            results, counts = in_numpy.run(block, wide | inputs, _NO_WORDS, size)
            for name, values in results.items():
                kept[name][:] = values
        self._count(group, block, counts)

    @property
    def spikes(self) -> Array:
        """Spikes (L, N) of the last step, 0 or 1."""
        return self.cells["hidden"][SPIKES]

    def _noise(self, layer: str, step: int) -> Array:
        if self.quiet:
            return np.zeros((self.network.lanes, 1), np.int64)
        draw = self.source.on_nodes(layer, step)
        format_ = self.blocks.noise[layer]
        if format_ == BIT:
            return draw.astype(np.int64)
        return np.asarray(format_.quantized(draw * self.network.sigma(layer)))

    def outputs(self) -> Array:
        return np.asarray(self.cells["readout"]["y"] / self.blocks.formats["readout"]["y"].scale)

    def run(self, name: str, block: str, step: int, numbers: Mapping[str, Any]) -> None:
        statements = self.blocks.steps[name][block]
        if not statements.assignments:
            return
        lanes = self.network.lanes if block != "trial" else 1
        words = self.source.words(name, block, step, lanes, statements.words)
        scalars = broadcast_integers(statements.scalars, numbers)
        scalars |= {gate: np.asarray(numbers[gate]) for gate in GATES if gate in numbers}
        pre, post = ({}, {}) if block == "trial" else (self._pre(name, step), self._post(name, step))
        kept = self.synapses[name]
        if self.compiled is not None and block != "trial":
            counts = self.compiled.run(f"{name}_{block}", kept, pre, post, scalars, words)
        else:
            inputs: dict[str, Any] = {n: v[:lanes].astype(np.int64) for n, v in kept.items()}
            inputs |= {n: v.astype(np.int64)[:, None, :] for n, v in pre.items()}
            inputs |= {n: v.astype(np.int64)[:, :, None] for n, v in post.items()}
            inputs |= {n: np.reshape(v, (-1, 1, 1)) for n, v in scalars.items()}
            shape = (lanes, *self.network.sizes(name))
            results, counts = in_numpy.run(statements, inputs, words, shape)
            for variable, values in results.items():
                kept[variable][:] = values
        self._count(name, statements, counts)

    def _pre(self, name: str, step: int) -> dict[str, Array]:
        if name == "W_in":
            return {"trace_pre": np.ascontiguousarray(self.inputs[step])}
        return {f"{n}_pre": v for n, v in self.cells["hidden"].items()} | {"trace_pre": self.spikes}

    def _post(self, name: str, step: int) -> dict[str, Array]:
        group, layer = ("hidden", "hidden") if name in HIDDEN else ("readout", "output")
        values = {f"{n}_post": v for n, v in self.cells[group].items()}
        values["noise_post"] = self._noise(layer, step)
        if group == "readout":
            return values | {"target_post": self.targets[step]}
        return values | {"trace_post": self.spikes}

    def _count(self, place: str, block: Block, counts: Array) -> None:
        """Statistics of a trial that learns."""
        if self.quiet:
            return
        for line, row in zip(block.assignments, counts, strict=True):
            total = self.counts.setdefault(f"{place}.{line.target}", np.zeros(len(row)))
            total[:-1] += row[:-1]
            total[-1] = max(total[-1], row[-1])

    def mean(self, values: Array) -> Array:
        total = values.sum(axis=0, keepdims=True, dtype=np.int64)
        return np.asarray((total + len(values) // 2) // len(values))


_NO_WORDS = np.zeros((1, 0), np.uint32)

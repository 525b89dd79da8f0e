"""Blocks of integer statements of many synapses as C++, compiled once."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Mapping

import numpy as np

from neuroanp.engine.build.cache import build
from neuroanp.engine.build.compiler import Compiler, Extra
from neuroanp.substrate.formats import Block
from neuroanp.substrate.in_numpy import COUNTS
from neuroanp.substrate.nodes import Draw, Evaluation, Node
from neuroanp.substrate.sums import GATES
from neuroanp.types import Array

_HEAD = """
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include "noise.hpp"

extern "C" __attribute__((visibility("default")))
void counter_words(uint64_t seed, uint64_t stream, uint64_t trial, uint64_t step, uint64_t lanes,
                   uint64_t count, uint32_t* out) {
    using namespace neuroanp::noise_detail;
    uint64_t block[chunk], lane[chunk], at[chunk], words[4 * chunk];
    for (uint64_t l = 0; l < lanes; l++)
        for (uint64_t first = 0; first < count; first += 8 * chunk) {
            const uint64_t left = count - first;
            const std::size_t blocks = left < 8 * chunk ? (left + 7) / 8 : chunk;
            for (std::size_t i = 0; i < chunk; i++) block[i] = first / 8 + i, lane[i] = l, at[i] = step;
            philox(block, lane, at, (blocks + vector - 1) / vector * vector, seed, stream, trial, words);
            std::memcpy(out + l * count + first, words, (left < 8 * blocks ? left : 8 * blocks) * 4);
        }
}

extern "C" __attribute__((visibility("default")))
uint32_t xorshift_words(uint32_t x, uint64_t count, uint32_t* out) {
    for (uint64_t k = 0; k < count; k++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out[k] = x;
    }
    return x;
}
"""

_FUNCTION = """
extern "C" __attribute__((visibility("default")))
void {name}(int64_t lanes, int64_t posts, int64_t pres, const uint32_t* words, int32_t* const* kept,
            const int64_t* const* pre, const int64_t* const* post, const int64_t* scalars, double* counts) {{
    for (int64_t l = 0; l < lanes; l++)
        for (int64_t i = 0; i < posts; i++) {{
            const int64_t cell = l * posts + i;
            {cell}
            {sums}
            for (int64_t j = 0; j < pres; j++) {{
                {code}
            }}
            {ends}
        }}
}}
"""


class CppArithmetic:
    """Arithmetic as C++ text, a line a node, in 32 bits where they are enough."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def _line(self, node: Node, text: str) -> str:
        name = f"n{len(self.lines)}"
        self.lines.append(f"const {_type(node)} {name} = {text};")
        return name

    def number(self, node: Node, value: int) -> str:
        return f"(({_type(node)}){value}LL)"

    def binary(self, node: Node, operator: str, a: str, b: str) -> str:
        wide = (
            f"(int64_t){a} {operator} {b}" if operator in "+-*" and node.bits > 32 else f"{a} {operator} {b}"
        )
        return self._line(node, wide)

    def left(self, node: Node, a: str, places: int) -> str:
        return self._line(node, f"({_type(node)}){a} * ({_type(node)})(1LL << {places})")

    def right(self, node: Node, a: str, places: int) -> str:
        return self._line(node, f"({_type(node)})({a} >> {places})")

    def select(self, node: Node, condition: str, a: str, b: str) -> str:
        return self._line(node, f"{condition} ? ({_type(node)}){a} : ({_type(node)}){b}")

    def clip(self, node: Node, a: str) -> str:
        low, high = f"{node.low}LL", f"{node.high}LL"
        return self._line(node, f"({_type(node)})({a} < {low} ? {low} : {a} > {high} ? {high} : {a})")

    def bits(self, draw: Draw, places: int) -> str:
        return (
            f"(int32_t)(w{draw.word} >> {draw.first} & {(1 << places) - 1}u)"
            if places < 32
            else f"(int64_t)w{draw.word}"
        )


def _type(node: Node) -> str:
    return "int32_t" if node.bits <= 32 else "int64_t"


class CompiledBlocks:
    """Functions of blocks by name, over all synapses of a projection or all cells of a group.

    Parameters
    ----------
    blocks : mapping
        By name, each with its variables that are kept: int32 arrays (L, post, pre), or (L, post, 1) of cells.
    compiler : Compiler
    """

    def __init__(self, blocks: Mapping[str, tuple[Block, Collection[str]]], compiler: Compiler) -> None:
        self.signatures = {name: _Signature(*block) for name, block in blocks.items()}
        text = _HEAD + "".join(signature.text(name) for name, signature in self.signatures.items())
        self.library = ctypes.CDLL(str(build(text, compiler, Extra([], [], [], [], [], [], []), {})))
        self.library.counter_words.argtypes = [ctypes.c_uint64] * 6 + [ctypes.c_void_p]
        self.library.xorshift_words.argtypes = [ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p]
        self.library.xorshift_words.restype = ctypes.c_uint32

    def run(
        self, name: str, kept: Mapping[str, Array], pre: Mapping[str, Array], post: Mapping[str, Array],
        scalars: Mapping[str, Array], words: Array,
    ) -> Array:  # fmt: skip
        """Run a block in place on the `kept` variables; returns its statistics, one row an assignment."""
        signature = self.signatures[name]
        counts = np.zeros((len(signature.block.assignments), len(COUNTS)))
        arrays = [kept[variable] for variable in signature.kept]
        lanes, posts, pres = arrays[0].shape
        for array in arrays:
            if not array.flags.c_contiguous or array.dtype != np.int32:
                raise TypeError(f"{name}: arrays that are kept have to be contiguous int32")
        sources = [np.ascontiguousarray(pre[n], np.int64) for n in signature.pre]
        cells = [np.ascontiguousarray(post[n], np.int64) for n in signature.post]
        tables = [
            (ctypes.c_void_p * max(1, len(values)))(*[array.ctypes.data for array in values])
            for values in (arrays, sources, cells)
        ]
        numbers = np.array([np.broadcast_to(scalars[n], lanes) for n in signature.scalars], dtype=np.int64)
        size = ctypes.c_int64
        self.library[name](
            size(lanes), size(posts), size(pres), ctypes.c_void_p(words.ctypes.data), *tables,
            ctypes.c_void_p(numbers.ctypes.data), ctypes.c_void_p(counts.ctypes.data),
        )  # fmt: skip
        return counts


class _Signature:
    """Names that a block reads, by where they lie, and the function that runs it."""

    def __init__(self, block: Block, kept: Collection[str]) -> None:
        self.block = block
        self.inputs = inputs = block.inputs
        self.kept = [name for name in kept if name in inputs or name in block.results]
        self.pre = [name for name in inputs if name.endswith("_pre")]
        self.scalars = [name for name in inputs if name in block.scalars or name in GATES]
        others = {*self.kept, *self.pre, *self.scalars}
        self.post = [name for name in inputs if name not in others]

    def text(self, name: str) -> str:
        """C++ function of the block."""
        arithmetic = CppArithmetic()
        places = {n: f"k{i}" for i, n in enumerate(self.kept)}
        places |= {n: f"pre{i}" for i, n in enumerate(self.pre)}
        places |= {n: f"post{i}" for i, n in enumerate(self.post)}
        places |= {n: f"s{i}" for i, n in enumerate(self.scalars)}
        evaluate = Evaluation(arithmetic, places)
        load = [f"const int32_t k{i} = K{i}[j];" for i in range(len(self.kept))]
        load += [f"const {self._of(n)} pre{i} = ({self._of(n)})P{i}[j];" for i, n in enumerate(self.pre)]
        load += [f"const uint32_t w{i} = W[j * {self.block.words} + {i}];" for i in range(self.block.words)]
        cell = [f"int32_t* const __restrict K{i} = kept[{i}] + cell * pres;" for i in range(len(self.kept))]
        cell += [f"const int64_t* const __restrict P{i} = pre[{i}] + l * pres;" for i in range(len(self.pre))]
        cell += ["const uint32_t* const __restrict W = words + cell * pres * " + f"{self.block.words};"]
        cell += [
            f"const {self._of(n)} post{i} = ({self._of(n)})post[{i}][cell];" for i, n in enumerate(self.post)
        ]
        cell += [
            f"const {self._of(n)} s{i} = ({self._of(n)})scalars[{i} * lanes + l];"
            for i, n in enumerate(self.scalars)
        ]
        sums, ends = [], []
        for row, line in enumerate(self.block.assignments):
            value, exact = evaluate(line.value), evaluate(line.exact)
            errors = [(evaluate(n), evaluate(n.a), n.places) for n in line.roundings]
            low, high = f"{line.format.low}LL", f"{line.format.high}LL"
            arithmetic.lines.append(f"cut{row} += {exact} < {low} || {exact} > {high};")
            for e, (out, before, shift) in enumerate(errors):
                arithmetic.lines.append(f"err{row}_{e} += ((int64_t){out} << {shift}) - {before};")
                sums.append(f"int64_t err{row}_{e} = 0;")
            arithmetic.lines.append(f"top{row} = std::max<int32_t>(top{row}, std::abs({value}));")
            sums.append(f"int32_t cut{row} = 0, top{row} = 0;")
            total = (
                " + ".join(f"err{row}_{e} * {2.0**-shift!r}" for e, (_, _, shift) in enumerate(errors)) or "0"
            )
            ends += [
                f"counts[{4 * row}] += pres; counts[{4 * row + 1}] += cut{row};",
                f"counts[{4 * row + 2}] += {total};",
                f"if (top{row} > counts[{4 * row + 3}]) counts[{4 * row + 3}] = top{row};",
            ]  # fmt: skip
        results = self.block.results
        store = [
            f"K{i}[j] = (int32_t){evaluate(results[n])};" for i, n in enumerate(self.kept) if n in results
        ]
        join = " ".join
        return _FUNCTION.format(
            name=name,
            cell=join(cell),
            sums=join(sums),
            ends=join(ends),
            code="\n                ".join([*load, *arithmetic.lines, *store]),
        )

    def _of(self, name: str) -> str:
        return _type(self.inputs[name])

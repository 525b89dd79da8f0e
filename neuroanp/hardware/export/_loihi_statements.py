"""Statements of a synapse, read as what Loihi's learning has: traces, a tag, third factors and weights."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sympy
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str

from neuroanp.synapse import BROADCAST, NETWORK, Synapse, names

SPIKE = "trace_pre"
POST_SPIKE = "trace_post"
GATES = {"going": 1, "resting": 0}
"""Broadcasts that differ from this at the first step of a trial alone."""

LOCAL_RULE = "NodePerturbation with Modulator(baseline=RunningMean())"


class NotReadableError(Exception):
    """Statement that Loihi's learning has no place for, and the nearest variant that it has one for."""

    def __init__(self, quantity: str, variant: str = LOCAL_RULE) -> None:
        super().__init__(quantity)
        self.quantity, self.variant = quantity, variant


class PreTrace(NamedTuple):
    """Presynaptic trace: what is left of it after a step, and what a spike adds to it."""

    name: str
    memory: float
    gain: float


class Product(NamedTuple):
    """Term: a number times a presynaptic part, a part that is sent, and the tag."""

    coefficient: float
    pre: PreTrace | None
    sent: str
    """Expression of variables of the postsynaptic cell and of broadcasts; empty for none."""
    tag: bool = False


class Reading(NamedTuple):
    """Learning of a synapse as sums of products."""

    tag: str
    """Name of the eligibility; empty for a rule without."""
    memory: float
    """Part of the tag that is left after a step."""
    eligibility: tuple[Product, ...]
    credit: tuple[Product, ...]
    """Terms of the gradient times the number that the optimizer multiplies it with, without its rate."""
    each_step: bool
    """True where the modulator comes at each step, False where once a trial."""
    cell: tuple[str, ...]
    """Statements that the postsynaptic cell executes."""
    counts: tuple[str, ...]
    """Variables of the postsynaptic cell that are never negative."""


def read(synapse: Synapse, network: Mapping[str, float], discount: float) -> Reading:
    """Learning of a synapse as sums of products.

    Parameters
    ----------
    synapse : Synapse
    network : mapping
        Numbers of `NETWORK`.
    discount : float
        Value of ``decay`` after the first step.

    Raises
    ------
    NotReadableError
        For the first statement that has no place there.
    """
    if synapse.transmits != "weight":
        raise NotReadableError(
            f"the weight in force, {synapse.transmits}: a synapse there sends its weight alone, "
            "and draws no noise of its own"
        )
    return _Reader(synapse, network, discount).reading()


class _Reader:
    def __init__(self, synapse: Synapse, network: Mapping[str, float], discount: float) -> None:
        self.synapse = synapse
        constants = {name: float(value) for name, value in {**network, **synapse.constants}.items()}
        self.numbers = {**constants, **GATES, "decay": discount}
        self.sides = self._sides()
        self.traces: dict[str, PreTrace] = {SPIKE: PreTrace(SPIKE, 0.0, 1.0)}
        self.tag = self._tag()

    def reading(self) -> Reading:
        memory, eligibility, credit = 1.0, tuple[Product, ...](), tuple[Product, ...]()
        cell, counts = list[str](), [POST_SPIKE]
        for name, text in _statements(self.synapse.each_step):
            value = self._expression(text)
            if name == "gradient":
                credit = self._products(value - _symbol("gradient"), name)
            elif name == self.tag:
                if credit:
                    raise NotReadableError(f"{name}, which the gradient needs as it was a step before")
                memory, eligibility = self._recursion(value)
            elif "pre" in self.sides[name]:
                self.traces[name] = self._trace(name, value)
            else:
                cell.append(f"{name} = {text}")
                if _never_negative(value, {name, *counts}):
                    counts.append(name)
        each_step = bool(credit)
        credit = self._learned(credit)
        self._forgotten()
        return Reading(self.tag, memory, eligibility, credit, each_step, tuple(cell), tuple(counts))

    def _sides(self) -> dict[str, set[str]]:
        """Cells, and ``"synapse"`` for the weight, that each variable depends on."""
        sides = {name: set[str]() for name in ("gradient", *self.synapse.state)}
        statements = list(_statements(self.synapse.each_step))
        for _ in range(len(sides)):
            for name, text in statements:
                if name not in sides:
                    raise NotReadableError(f"{name} = {text}: an assignment to {name} at each step")
                sides[name] |= {side for other in names(text) for side in self._side(other, sides)}
        return sides

    def _side(self, name: str, sides: Mapping[str, set[str]]) -> set[str]:
        if name in sides:
            return sides[name]
        kind = self.synapse.kind(name)
        return {"pre", "post"} if name == "weight" else {kind} & {"pre", "post"}

    def _tag(self) -> str:
        pairs = [n for n, sides in self.sides.items() if sides >= {"pre", "post"} and n != "gradient"]
        if len(pairs) > 1:
            expected = "a synapse there has one variable beside its weight, the tag"
            raise NotReadableError(f"{' and '.join(pairs)}, variables of a synapse: {expected}")
        return pairs[0] if pairs else ""

    def _expression(self, text: str) -> Any:
        value = str_to_sympy(text)
        known = {s: self.numbers[str(s)] for s in value.free_symbols if str(s) in self.numbers}
        return sympy.expand(value.subs(known))

    def _trace(self, name: str, value: Any) -> PreTrace:
        own, spike = _symbol(name), _symbol(SPIKE)
        memory, gain = value.coeff(own, 1), value.coeff(spike, 1)
        aliases = [trace for other, trace in self.traces.items() if value == _symbol(other)]
        if aliases:
            return aliases[0]._replace(name=name)
        plain = sympy.simplify(value - memory * own - gain * spike) == 0
        if not (plain and memory.is_number and gain.is_number and 0 <= memory < 1 and gain > 0):
            text = sympy_to_str(value)
            raise NotReadableError(f"{name} = {text}: a presynaptic trace there counts spikes and fades")
        return PreTrace(name, float(memory), float(gain))

    def _recursion(self, value: Any) -> tuple[float, tuple[Product, ...]]:
        own = _symbol(self.tag)
        memory = value.coeff(own, 1)
        if not (memory.is_number and 0 <= memory <= 1):
            text = sympy_to_str(value)
            raise NotReadableError(f"{self.tag} = {text}: a tag there keeps a constant part of itself")
        return float(memory), self._products(sympy.expand(value - memory * own), self.tag)

    def _products(self, value: Any, target: str) -> tuple[Product, ...]:
        """Terms of a sum; what has the same presynaptic part and tag is sent as one expression."""
        grouped: dict[tuple[PreTrace | None, bool], Any] = {}
        for term in sympy.Add.make_args(value):
            key, sent = self._split(term, target)
            grouped[key] = grouped.get(key, 0) + sent
        return tuple(_product(pre, tag, sent) for (pre, tag), sent in grouped.items() if sent != 0)

    def _split(self, term: Any, target: str) -> tuple[tuple[PreTrace | None, bool], Any]:
        pre, tag, sent = None, False, sympy.Integer(1)
        for factor in sympy.Mul.make_args(term):
            base, power = factor.as_base_exp()
            name = str(base)
            sides: set[str] = set()
            for symbol in factor.free_symbols:
                sides |= self._side(str(symbol), self.sides)
            if "pre" not in sides:
                sent *= factor
            elif name == self.tag and power == 1 and not tag and target == "gradient":
                tag = True
            elif pre is None and self._is_trace(name, power):
                pre = self.traces[name]
            else:
                text = f"{target}: {sympy_to_str(factor)} in {sympy_to_str(term)}"
                raise NotReadableError(f"{text}, which is no product of a trace, a tag and a third factor")
        if tag and pre is not None:
            raise NotReadableError(f"{target}: {sympy_to_str(term)}, the tag times a presynaptic trace")
        return (pre, tag), sent

    def _is_trace(self, name: str, power: Any) -> bool:
        trace = self.traces.get(name)
        return trace is not None and (power == 1 or (trace.memory == 0 and power.is_Integer and power > 0))

    def _learned(self, credit: tuple[Product, ...]) -> tuple[Product, ...]:
        """Terms of the change of a weight, of the statements at the end of a trial."""
        gradient, weight = _symbol("gradient"), _symbol("weight")
        known, change = (
            {"gradient", "weight", *BROADCAST, *NETWORK, *self.synapse.constants},
            sympy.Integer(0),
        )
        for name, text in _statements(self.synapse.learn):
            value = self._expression(text)
            own = set(names(text)) - known - {self.tag}
            if own or name not in ("gradient", "weight"):
                variables = ", ".join(sorted(own | {name} - {"gradient", "weight"}))
                raise NotReadableError(
                    f"{variables} of the optimizer: a synapse there has no variables but weight and tag",
                    "SGD or ShiftSGD without momentum",
                )
            if name == "gradient":
                credit = self._products(value - gradient if "gradient" in names(text) else value, name)
            else:
                change += sympy.expand(value - weight)
        rate = change / (_symbol("learning_rate") * gradient) if change != 0 else sympy.Integer(0)
        if not sympy.simplify(rate).is_number:
            text = self.synapse.learn.splitlines()[-1]
            raise NotReadableError(
                f"`{text}`: the sum over a trial is kept nowhere, weights change at each step in proportion",
                "SGD or ShiftSGD without momentum, and no bounds",
            )
        factor = float(sympy.simplify(rate))
        return tuple(product._replace(coefficient=factor * product.coefficient) for product in credit)

    def _forgotten(self) -> None:
        for name, text in _statements(self.synapse.forget):
            if text != "0":
                raise NotReadableError(f"{name} = {text} at the end of a trial")


def _product(pre: PreTrace | None, tag: bool, sent: Any) -> Product:
    number, factors = sympy.factor(sent).as_independent(*sent.free_symbols, as_Add=False)
    if not number.is_number:
        number, factors = sympy.Integer(1), sent
    return Product(float(number), pre, "" if factors == 1 else sympy_to_str(factors), tag)


def _never_negative(value: Any, counts: set[str]) -> bool:
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(value)]
    return all(number > 0 and {str(s) for s in rest.free_symbols} <= counts for number, rest in terms)


def _statements(code: str) -> Iterator[tuple[str, str]]:
    """Name and expression of each assignment."""
    operators = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
    for line in ast.parse(code).body:
        if isinstance(line, ast.AugAssign) and type(line.op) in operators:
            name, value = ast.unparse(line.target), ast.unparse(line.value)
            yield name, f"{name} {operators[type(line.op)]} ({value})"
        elif isinstance(line, ast.Assign) and len(line.targets) == 1:
            yield ast.unparse(line.targets[0]), ast.unparse(line.value)
        else:
            raise NotReadableError(f"`{ast.unparse(line)}`")


@functools.cache
def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def time_constant(memory: float) -> float:
    """Time constant in steps of a trace of which `memory` is left after one, 0 for none."""
    return -1 / math.log(memory) if memory else 0.0

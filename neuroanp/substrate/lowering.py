"""Statements of synapses and cells, compiled to integer arithmetic."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Mapping
from functools import partial

from neuroanp.errors import UnsupportedConstruct
from neuroanp.substrate.formats import Assignment, Block, Fixed, Format
from neuroanp.substrate.nodes import (
    WIDEST,
    Draw,
    Node,
    Round,
    Rounding,
    binary,
    clip,
    left,
    number,
    rounded,
    select,
    variable,
)
from neuroanp.substrate.sums import (
    FUNCTIONS,
    ONE,
    Coefficient,
    Factors,
    Scalar,
    Sum,
    combined,
    constant,
    plus,
    times,
    value,
)

ALONE = 16
"""Bits of a constant that is added, where those that multiply are powers of two."""


class Lowering:
    """Compiler of the statements of one block.

    Parameters
    ----------
    owner : str
        Place to name in errors.
    names : mapping
        Sums of terms by the names in the statements, see `constant`, `broadcast` and `value`.
    formats : mapping
        Formats of the variables that are kept.
    rounding : {"stochastic", "nearest", "floor"}
    constants : int or None
        Bits of a constant; None for powers of two.
    scalar : callable
        Format of a broadcast expression.

    Raises
    ------
    UnsupportedConstruct
        For division by a variable, functions of one, and for numbers too wide.
    """

    def __init__(
        self,
        owner: str,
        names: Mapping[str, Sum],
        formats: Mapping[str, Format],
        rounding: Rounding,
        constants: int | None,
        scalar: Callable[[str], Format],
    ) -> None:
        self.owner, self.names, self.formats = owner, dict(names), formats
        self.rounding, self.constants, self.scalar_format = rounding, constants, scalar
        self.assignments: list[Assignment] = []
        self.scalars: dict[str, Format] = {}
        self.used = 0  # random bits
        self._fresh: list[Round] = []

    def block(self) -> Block:
        """Block of the statements so far."""
        return Block(tuple(self.assignments), -(-self.used // 32), dict(self.scalars))

    def run(self, code: str) -> None:
        """Statements, assignments one below the other."""
        for line in ast.parse(code).body:
            if isinstance(line, ast.AugAssign) and isinstance(line.target, ast.Name):
                old = ast.Name(line.target.id, ast.Load())
                self.assign(line.target.id, self.sum(ast.BinOp(old, line.op, line.value)))
            elif isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                self.assign(line.targets[0].id, self.sum(line.value))
            else:
                raise self._refused(line)

    def assign(self, name: str, terms: Sum, condition: Node | None = None) -> None:
        """Assignment of a sum to a variable, or to a name of this block alone."""
        if name not in self.formats:
            self.names[name] = terms
            return
        format_ = self.formats[name]
        exact = self._fitted(terms, format_.fraction)
        if condition is not None:
            exact = select(condition, exact, self._fitted(self.names[name], format_.fraction))
        self.assignments.append(Assignment(name, exact, format_, tuple(self._fresh)))
        self._fresh.clear()
        self.names[name] = value(Fixed(self.assignments[-1].value, format_.fraction))

    def expression(self, code: str) -> Sum:
        """Sum of terms of an expression."""
        return self.sum(ast.parse(code, mode="eval").body)

    def sum(self, node: ast.expr) -> Sum:
        """Sum of terms of a part of an expression."""
        match node:
            case ast.Constant(value=bool() | int() | float()):
                return constant(float(node.value))  # type: ignore[arg-type]
            case ast.Name():
                if node.id in ("True", "False"):
                    return constant(float(node.id == "True"))
                return self.names[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return times(constant(-1.0), self.sum(node.operand))
            case ast.UnaryOp(op=ast.Not()):
                return value(Fixed(select(self.condition(node.operand), number(0), number(1)), 0))
            case ast.BinOp():
                return self._operation(node)
            case ast.Compare(ops=[_], comparators=[other]):
                return self._comparison(node, other)
            case ast.BoolOp():
                return self._together([self.condition(part) for part in node.values], node.op)
            case ast.IfExp():
                return self.chosen(self.condition(node.test), self.sum(node.body), self.sum(node.orelse))
            case ast.Call(func=ast.Name(id=function)):
                return self._call(node, function)
        raise self._refused(node)

    def chosen(self, condition: Node, a: Sum, b: Sum) -> Sum:
        """One of two sums."""
        x, y = self._aligned(a, b)
        return value(Fixed(select(condition, x.node, y.node), x.fraction))

    def condition(self, node: ast.expr) -> Node:
        """Part of an expression as 0 or 1."""
        return self.fixed(self.sum(node)).node

    def fixed(self, terms: Sum) -> Fixed:
        """Exact sum of the terms, but for the rounding of their coefficients."""
        values = [self._term(factors, coefficient) for factors, coefficient in terms.items() if coefficient]
        return self._total(values) if values else Fixed(number(0), 0)

    def _fitted(self, terms: Sum, fraction: int) -> Node:
        """Sum with `fraction` places; terms that have no more of them need no rounding."""
        values = [self._term(factors, coefficient) for factors, coefficient in terms.items() if coefficient]
        whole = [left(v.node, fraction - v.fraction) for v in values if v.fraction <= fraction]
        finer = [v for v in values if v.fraction > fraction]
        if finer:
            total = self._total(finer)
            whole.append(self._round(total.node, total.fraction - fraction))
        return self._checked(functools.reduce(partial(binary, "+"), whole)) if whole else number(0)

    def _total(self, values: list[Fixed]) -> Fixed:
        fraction = max(v.fraction for v in values)
        nodes = (left(v.node, fraction - v.fraction) for v in values)
        return Fixed(self._checked(functools.reduce(partial(binary, "+"), nodes)), fraction)

    def _term(self, factors: Factors, coefficient: Coefficient) -> Fixed:
        gates, values = factors
        if isinstance(coefficient, float) and self.constants is None and len(values) == 1:
            result = self._shifted(values[0], coefficient)
        else:
            parts = [self._coefficient(coefficient, alone=not values), *values]
            node = parts[0].node
            for part in parts[1:]:
                node = self._checked(binary("*", node, part.node))
            result = Fixed(node, sum(part.fraction for part in parts))
        node = result.node
        for gate in gates:
            node = select(variable(gate, 0, 1), node, number(0))
        return Fixed(node, result.fraction)

    def _shifted(self, x: Fixed, coefficient: float) -> Fixed:
        """``x - x / 2^k`` for a coefficient between 1/2 and 1, else x times a power of two."""
        if 0.5 < coefficient < 1:
            part = self._round(x.node, round(-math.log2(1 - coefficient)))
            return Fixed(self._checked(binary("-", x.node, part)), x.fraction)
        power = self._coefficient(coefficient)
        return Fixed(self._checked(binary("*", x.node, power.node)), x.fraction + power.fraction)

    def _coefficient(self, coefficient: Coefficient, alone: bool = False) -> Fixed:
        if isinstance(coefficient, Scalar):
            format_ = self.scalars.setdefault(coefficient.source, self.scalar_format(coefficient.source))
            return Fixed(variable(coefficient.source, format_.low, format_.high), format_.fraction)
        sign, size = (1 if coefficient > 0 else -1), abs(coefficient)
        if self.constants is None and not alone:
            return Fixed(number(sign), -round(math.log2(size)))
        fraction = (self.constants or ALONE) - 2 - math.floor(math.log2(size))
        mantissa = round(size * 2.0**fraction)
        while mantissa % 2 == 0:
            mantissa, fraction = mantissa // 2, fraction - 1
        return Fixed(number(sign * mantissa), fraction)

    def _round(self, node: Node, places: int) -> Node:
        draw = None
        if self.rounding == "stochastic":
            if places > 32:
                node, places = rounded(node, places - 32, "floor", None), 32
            if self.used % 32 + places > 32:
                self.used += 32 - self.used % 32
            draw = Draw(self.used // 32, self.used % 32)
            self.used += places
        result = rounded(node, places, self.rounding, draw)
        if isinstance(result, Round):
            self._fresh.append(result)
        return result

    def _together(self, conditions: list[Node], operator: ast.boolop) -> Sum:
        result = conditions[0]
        for other in conditions[1:]:
            either = isinstance(operator, ast.Or)
            result = select(result, number(1) if either else other, other if either else number(0))
        return value(Fixed(result, 0))

    def _operation(self, node: ast.BinOp) -> Sum:
        a, b = self.sum(node.left), self.sum(node.right)
        match node.op:
            case ast.Add():
                return plus(a, b)
            case ast.Sub():
                return plus(a, times(constant(-1.0), b))
            case ast.Mult():
                return self._product(a, b)
            case ast.Div() if set(b) == {ONE}:
                return times(a, {ONE: combined("1 / {}", b[ONE])})
            case ast.Pow() if set(b) <= {ONE} and set(a) <= {ONE}:
                return {ONE: combined("{} ** {}", a.get(ONE, 0.0), b.get(ONE, 0.0))}
            case ast.Pow() if isinstance(node.right, ast.Constant) and node.right.value in (2, 3):
                square = self._product(a, a)
                return square if node.right.value == 2 else self._product(square, a)
        raise self._refused(node)

    def _product(self, a: Sum, b: Sum) -> Sum:
        """Product; a sum of several values becomes one value first, where that is exact."""
        if any(factors[1] for factors in a) and any(factors[1] for factors in b):
            a, b = self._gathered(a), self._gathered(b)
        return times(a, b)

    def _gathered(self, terms: Sum) -> Sum:
        exact = len(terms) > 1 and all(c in (1.0, -1.0) for c in terms.values())
        return value(self.fixed(terms)) if exact else terms

    def _aligned(self, a: Sum, b: Sum) -> tuple[Fixed, Fixed]:
        x, y = self.fixed(a), self.fixed(b)
        fraction = max(x.fraction, y.fraction)
        nodes = (left(v.node, fraction - v.fraction) for v in (x, y))
        return Fixed(next(nodes), fraction), Fixed(next(nodes), fraction)

    def _comparison(self, node: ast.Compare, other: ast.expr) -> Sum:
        symbols = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
        symbol = symbols.get(type(node.ops[0]))
        if symbol is None:
            raise self._refused(node)
        a, b = self.sum(node.left), self.sum(other)
        if set(a) <= {ONE} and set(b) <= {ONE}:
            return {ONE: combined("({} " + symbol + " {})", a.get(ONE, 0.0), b.get(ONE, 0.0))}
        x, y = self._aligned(a, b)
        return value(Fixed(binary(symbol, x.node, y.node), 0))

    def _call(self, node: ast.Call, function: str) -> Sum:
        arguments = [self.sum(argument) for argument in node.args]
        if function in FUNCTIONS and all(set(argument) <= {ONE} for argument in arguments):
            holes = ", ".join("{}" for _ in arguments)
            return {ONE: combined(f"{function}({holes})", *(a.get(ONE, 0.0) for a in arguments))}
        first = self.fixed(arguments[0])
        if function == "int" and (first.node.low, first.node.high) == (0, 1):
            return value(first)
        if function == "sign" and first.node.low < 0 < first.node.high:
            below = select(binary("<", first.node, number(0)), number(-1), number(0))
            return value(Fixed(select(binary(">", first.node, number(0)), number(1), below), 0))
        if function == "clip" and all(set(argument) <= {ONE} for argument in arguments[1:]):
            low, high = (self._bound(argument, first.fraction) for argument in arguments[1:])
            return value(Fixed(clip(first.node, low, high), first.fraction))
        raise self._refused(node)

    def _bound(self, terms: Sum, fraction: int) -> int:
        bound = terms.get(ONE, 0.0)
        if isinstance(bound, Scalar):
            raise UnsupportedConstruct(self.owner, f"a bound that is broadcast, {bound.source}")
        return round(max(-(2.0**WIDEST), min(2.0**WIDEST, bound * 2.0**fraction)))

    def _checked(self, node: Node) -> Node:
        if node.bits > WIDEST:
            raise UnsupportedConstruct(self.owner, f"a number of {node.bits} bits, more than {WIDEST}")
        return node

    def _refused(self, node: ast.AST) -> UnsupportedConstruct:
        return UnsupportedConstruct(self.owner, ast.unparse(node))

"""`render`: the operations of a step as a function on arrays, of NumPy or ``jax.numpy``."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.errors import InvalidValue, UnsupportedConstruct
from neuroanp.rendering.statements import SEEN, SPIKES, Assign, Operation, Program, Project, Source, program

Scope = dict[str, Any]
State = Mapping[str, Any]


class Ops(NamedTuple):
    """Operations of a step that a gradient replaces."""

    numpy: Any
    """Array module."""
    spike: Callable[[Any, Any], Any]
    """Spikes: 1 where the second argument holds, else 0. The first is the distance to the threshold, in units
    of the way there from reset."""
    bounded: Callable[[Callable[[Any], Any], Any], Any]
    """Value of a function at the potential; its derivative, unit by unit, is kept from -1 to 1."""
    project: Callable[[Any, Any], Any] = lambda x, weights: x @ weights.T
    """Product of traces (..., n) with weights (post, n)."""


PLAIN = Ops(np, lambda over, spikes: np.asarray(spikes, float), lambda f, v: f(v))
"""NumPy, where no gradient is asked for."""

Step = Callable[[Ops, Any, State, State, Any], Any]
"""Function ``step(ops, weights, constants, states, u)``: weights, constants and states by name, the states
(L, N) or (L, n_out), the input u (L, n_in). It returns the new states, the trace (L, N) and the outputs
(L, n_out); of a program with `watched` variables, a dict of these besides."""


def _exprel(jnp: Any, x: Any) -> Any:
    origin = abs(x) < 1e-5
    divisor = jnp.where(origin, 1.0, x)
    return jnp.where(origin, 1 + x / 2 + x**2 / 6, jnp.expm1(divisor) / divisor)


SAME = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "exp", "expm1", "log",
        "log10", "log1p", "sqrt", "ceil", "floor", "abs", "sign", "clip")  # fmt: skip
"""Brian2's functions that array modules call by the same name."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: lambda jnp, *values, name=name: getattr(jnp, name)(*values) for name in SAME},
    "int": lambda jnp, x: jnp.trunc(jnp.multiply(x, 1.0)),
    "timestep": lambda jnp, t, dt: jnp.trunc((t + 1e-3 * dt) / dt),
    "exprel": _exprel,
}

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
    ast.UAdd: operator.pos, ast.USub: operator.neg,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@functools.lru_cache(maxsize=64)
def render(source: Source, watched: tuple[str, ...] = ()) -> tuple[Step, Program]:
    """Step of a model; the same function for the same strings, as compiled code is kept by it.

    Parameters
    ----------
    source : Source
    watched : tuple of str
        Hidden variables that a step returns too, as thresholds see them.

    Raises
    ------
    UnsupportedConstruct
        For what has no meaning on arrays, by field and name.
    """
    steps = program(source, watched)
    for assign in (operation for operation in steps.operations if isinstance(operation, Assign)):
        for node in ast.walk(_tree(assign.expression)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") not in FUNCTIONS:
                raise UnsupportedConstruct(f"{source.owner}.{assign.field}", ast.unparse(node.func))

    def step(ops: Ops, weights: Any, constants: State, states: State, u: Any) -> Any:
        inputs = {"input.u": u[..., : weights["W_in"].shape[-1]], "input.direct": u}
        scope = {**constants, **states, **inputs}
        _Run(ops, weights, steps, scope).all(steps.operations)
        after = {
            name: ops.numpy.broadcast_to(ops.numpy.asarray(scope[name]).astype(old.dtype), old.shape)
            for name, old in states.items()
        }
        course = after, scope[steps.trace], scope[steps.outputs]
        return (*course, {name: scope[f"hidden.{SEEN}{name}"] for name in watched}) if watched else course

    return step, steps


def reach(steps: Program, values: Mapping[str, Any]) -> float:
    """Way of the potential from reset to threshold, in its unit: that of the unit with the longest.

    Parameters
    ----------
    steps : Program
        Of a model with a threshold.
    values : mapping
        Constants and variables at the start of a trial, a number or (N,) array each.

    Raises
    ------
    InvalidValue
        For a model without `potential`, or whose reset doesn't take it away from the threshold.
    """
    source, threshold, reset = steps.source, steps.block("threshold"), steps.block("reset")
    if source.potential is None:
        raise InvalidValue(f"{source.owner}.potential", "the variable that its threshold compares", None)
    potential = f"hidden.{source.potential}"
    units = {name: np.asarray(value, float) for name, value in {**steps.values, **values}.items()}

    def after(operations: Iterable[Operation], changes: State) -> _Run:
        run = _Run(PLAIN, {}, steps, {**units, **changes})
        run.all(operation for operation in operations if isinstance(operation, Assign))
        return run

    def over(node: ast.Compare, v: Any) -> Any:
        return _distance(node, after(threshold[:-1], {potential: v}).value("hidden"))

    units = after(steps.operations[: steps.operations.index(threshold[-1])], {}).scope
    v = units[potential]
    nodes = (node for assign in threshold for node in ast.walk(_tree(assign.expression)))
    for node in (node for node in nodes if isinstance(node, ast.Compare)):
        slope = over(node, v + 1) - over(node, v)
        if np.all(slope):
            limit = v - over(node, v) / slope
            low = after(reset, {potential: limit, f"hidden.{SPIKES}": np.float64(1)}).scope[potential]
            way = float(np.max(np.abs(over(node, low))))
            if way > 0:
                return way
    expected = f"a condition on {source.potential} that the reset takes it away from"
    raise InvalidValue(f"{source.owner}.threshold", expected, source.threshold)


def expression(text: str, field: str) -> Callable[[Any, Scope], Any]:
    """Value of an expression of the readout's variables, as a function of array module and these, by name.

    Raises
    ------
    UnsupportedConstruct
        For text and functions that have no meaning on arrays, with the field that they are from.
    """
    try:
        tree = _tree(text.strip())
    except SyntaxError:
        raise UnsupportedConstruct(field, text) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") not in FUNCTIONS:
            raise UnsupportedConstruct(field, ast.unparse(node.func))

    def value(jnp: Any, variables: Scope) -> Any:
        try:
            return _value(tree, "readout", variables, jnp)
        except KeyError as error:
            raise UnsupportedConstruct(field, error.args[0].partition(".")[2]) from None

    return value


@functools.cache
def _tree(expression: str) -> Any:
    return ast.parse(expression, mode="eval").body


class _Run:
    """Operations carried out on a scope of variables, which they change."""

    def __init__(self, ops: Ops, weights: Any, steps: Program, scope: Scope) -> None:
        self.ops, self.weights, self.scope = ops, weights, scope
        self.potential = f"hidden.{steps.source.potential}" if steps.source.threshold is not None else ""
        self.definitions: dict[str, Assign] = {}
        """Latest ones in a row."""
        self.before: Scope = {}
        """Scope before these."""
        self.open = False

    def all(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            if isinstance(operation, Project):
                self._project(operation)
                self.open = False
            else:
                self._assign(operation)
                self.open = operation.local

    def value(self, group: str) -> Callable[[Any], Any]:
        return lambda node: _value(node, group, self.scope, self.ops.numpy)

    def _project(self, project: Project) -> None:
        weights = self.weights[project.weights]
        if project.sign:
            weights = self.ops.numpy.maximum(project.sign * weights, 0)
        product = self.ops.project(self.scope[project.source], weights)
        self.scope[project.target] = self.scope[project.target] + product if project.add else product

    def _fire(self, node: Any, group: str) -> Any:
        again = functools.partial(self._fire, group=group)
        match node:
            case ast.Name() if f"{group}.{node.id}" in self.definitions:
                return again(_tree(self.definitions[f"{group}.{node.id}"].expression))
            case ast.BoolOp(op=ast.And()):
                return functools.reduce(operator.mul, map(again, node.values))
            case ast.BoolOp():
                return 1 - functools.reduce(operator.mul, (1 - again(value) for value in node.values))
            case ast.UnaryOp(op=ast.Not()):
                return 1 - again(node.operand)
            case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]):
                value = self.value(group)
                return self.ops.spike(_distance(node, value) / self.scope["way"], value(node))
        return self.ops.numpy.multiply(self.value(group)(node), 1.0)

    def _assign(self, assign: Assign) -> None:
        if assign.local and not self.open:
            self.definitions, self.before = {}, dict(self.scope)
        if assign.fires:
            new = self._fire(_tree(assign.expression), assign.group)
        elif assign.target == self.potential and assign.condition != SPIKES:
            new = self.ops.bounded(functools.partial(self._anew, assign), self.scope[assign.target])
        else:
            new = self.value(assign.group)(_tree(assign.expression))
        if assign.local:
            self.definitions[assign.target] = assign
        if assign.condition:
            holds, old = self.scope[f"{assign.group}.{assign.condition}"], self.scope[assign.target]
            if assign.condition == SPIKES and not assign.detached:
                new = holds * new + (1 - holds) * old
            else:
                new = self.ops.numpy.where(holds > 0, new, old)
        self.scope[assign.target] = new

    def _anew(self, assign: Assign, v: Any) -> Any:
        """Next value of the potential, were it v now: definitions in between follow it."""
        scope = {**self.scope, self.potential: v}
        if self.before.get(self.potential) is self.scope[self.potential]:
            earlier = {**self.before, self.potential: v}
            for name, definition in self.definitions.items():
                tree = _tree(definition.expression)
                earlier[name] = scope[name] = _value(tree, definition.group, earlier, self.ops.numpy)
        return _value(_tree(assign.expression), assign.group, scope, self.ops.numpy)


def _distance(node: ast.Compare, value: Callable[[Any], Any]) -> Any:
    over = value(node.left) - value(node.comparators[0])
    return over if isinstance(node.ops[0], (ast.Gt, ast.GtE)) else -over


def _value(node: Any, group: str, scope: Scope, jnp: Any) -> Any:
    """Value of an expression of Brian2's language."""
    again = functools.partial(_value, group=group, scope=scope, jnp=jnp)
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return scope[f"{group}.{node.id}"]
        case ast.UnaryOp(op=ast.Not()):
            return jnp.logical_not(again(node.operand))
        case ast.UnaryOp():
            return OPERATORS[type(node.op)](again(node.operand))
        case ast.BoolOp():
            join = jnp.logical_and if isinstance(node.op, ast.And) else jnp.logical_or
            return functools.reduce(join, map(again, node.values))
        case ast.BinOp():
            return OPERATORS[type(node.op)](again(node.left), again(node.right))
        case ast.Compare():
            return OPERATORS[type(node.ops[0])](again(node.left), again(node.comparators[0]))
        case ast.IfExp():
            return jnp.where(again(node.test), again(node.body), again(node.orelse))
    return FUNCTIONS[node.func.id](jnp, *map(again, node.args))

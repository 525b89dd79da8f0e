"""`program`: the operations that Brian2 makes of a model's strings, in the order of a step.

The inputs are ``input.u``, and ``input.direct`` with those of the steps before, as a direct connection sees.

Variables are named with their group: ``hidden.v``, ``readout.y``; expressions name those of their own group.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from brian2 import Equations, NeuronGroup
from brian2.codegen.optimisation import optimise_statements
from brian2.codegen.translation import analyse_identifiers, make_statements
from brian2.core.variables import ArrayVariable, AuxiliaryVariable, Constant
from brian2.devices.device import reset_device, set_device

from neuroanp.errors import UnsupportedConstruct

SPIKES = "_spikes"
"""Name of a group's spikes of this step, each 0 or 1."""

SEEN = "_seen_"
"""Start of the name of what thresholds saw of a hidden variable."""

SILENT, AGE = "timestep(t - lastspike, dt)", "_steps_since_spike"
"""Brian2's count of the steps since a spike, and the variable in its place: exact in any precision."""


class Source(NamedTuple):
    """Strings and roles of a model, as `Model` documents them; `owner` is the class to name in errors."""

    owner: str
    equations: str
    update: str
    threshold: str | None
    reset: str | None
    refractory: str | None
    method: str | None
    readout_equations: str
    readout_update: str
    drive: str
    synaptic: str
    inhibitory: str | None
    trace: str
    potential: str | None
    skip: bool = False
    """True where inputs reach the readout directly."""


class Assign(NamedTuple):
    """Assignment of an expression's value to a variable, of all units or of those where `condition` holds."""

    group: str
    name: str
    expression: str
    field: str
    """Field of the model that it is from."""
    condition: str = ""
    """Boolean variable, or `SPIKES`; empty for all units."""
    local: bool = False
    """True for a variable of Brian2's own, which is defined here."""
    fires: bool = False
    """True for the threshold: units spike where the expression holds."""
    detached: bool = False
    """True where gradients take spikes for given."""

    @property
    def target(self) -> str:
        return f"{self.group}.{self.name}"

    @property
    def overwrites(self) -> bool:
        return not self.condition

    @property
    def reads(self) -> set[str]:
        names = _names(self.expression) | ({self.condition, self.name} if self.condition else set())
        return {f"{self.group}.{name}" for name in names}


class Project(NamedTuple):
    """Projection of a source through weights onto a variable, which it sets or adds to."""

    weights: str
    source: str
    target: str
    add: bool
    sign: int = 0
    """Sign, 1 or -1, of weights that alone take part, by their size; 0 for all as they are."""

    @property
    def overwrites(self) -> bool:
        return not self.add

    @property
    def reads(self) -> set[str]:
        return {self.source} | ({self.target} if self.add else set())


Operation = Assign | Project


class Program(NamedTuple):
    """Step of a network with the input ``input.u``.

    Parameters
    ----------
    source : Source
    operations : tuple
        Those that `trace` and `outputs` depend on, in order.
    states, constants : tuple of str
        Variables that a step takes over from the one before, and those that none changes.
    values : mapping
        Of all variables and constants at the start, in base units: 0 where the model may say something else,
        and not a number for the length of a step, ``hidden.dt`` and ``readout.dt``.
    trace, outputs : str
        Variables that a step is asked for.
    """

    source: Source
    operations: tuple[Operation, ...]
    states: tuple[str, ...]
    constants: tuple[str, ...]
    values: Mapping[str, float]
    trace: str
    outputs: str = "readout.y"

    def block(self, field: str) -> list[Assign]:
        """Statements that are from one field of the model."""
        return [line for line in self.operations if isinstance(line, Assign) and line.field == field]


def program(source: Source, watched: tuple[str, ...] = ()) -> Program:
    """Operations of a model, which copies the `watched` hidden variables to names with `SEEN`.

    Raises
    ------
    UnsupportedConstruct
        For what has a meaning in Brian2's own run alone.
    """
    set_device("runtime")
    try:
        hidden = _Group(source, "hidden", source.equations, source.update, "", spiking_keywords(source))
        readout = _Group(source, "readout", source.readout_equations, source.readout_update, "readout_", {})
    finally:
        reset_device()
    copies = [Assign("hidden", SEEN + name, name, "") for name in watched]
    return _pruned(source, list(_step(source, hidden, readout, copies)), hidden.values | readout.values)


def spiking_keywords(model: Any) -> dict[str, Any]:
    """Keyword arguments of the `NeuronGroup` of a model or `Source`, those that it defines."""
    keys = ("threshold", "reset", "refractory", "method")
    return {key: getattr(model, key) for key in keys if getattr(model, key) is not None}


class _Group:
    """Brian2's statements of one group, by slot, and the values that its variables start with."""

    def __init__(
        self, source: Source, name: str, equations: str, update: str, prefix: str, spiking: Mapping[str, Any]
    ) -> None:
        self.owner, self.name, self.prefix = source.owner, name, prefix
        for noise in Equations(equations).stochastic_variables:
            raise UnsupportedConstruct(f"{source.owner}.{prefix}equations", noise)
        self.group = NeuronGroup(1, equations, namespace={}, **spiking)
        regular = self.group.run_regularly(update) if update else None
        self.group._network = name  # or Brian2 warns that it is in none
        self.values = {f"{name}.{AGE}": 1e9, f"{name}.t_in_timesteps": 0.0, f"{name}.dt": float("nan")}
        for variable in self.group.equations.names & self.group.variables.keys() - {"target"}:
            if isinstance(self.group.variables[variable], ArrayVariable):
                self.values[f"{name}.{variable}"] = float(self.group.variables[variable].get_value()[0])
        self.begin = self._block(self.group.subexpression_updater, "equations")
        self.update = self._block(regular, "update")
        try:
            self.equations = self._block(self.group.state_updater, "equations")
        except NotImplementedError:  # GSL where Brian2 itself would run on NumPy
            self.equations = []
        for _ in self.group.equations.diff_eq_names - {statement.name for statement in self.equations}:
            raise UnsupportedConstruct(f"{source.owner}.{prefix}equations", str(source.method))
        self.threshold = [
            line._replace(name=SPIKES, local=False, fires=True) if line.name == "_cond" else line
            for line in self._block(self.group.thresholder.get("spike"), "threshold")
        ]
        self.reset = [
            line if line.local else line._replace(condition=SPIKES, detached=line.name == source.potential)
            for line in self._block(self.group.resetter.get("spike"), "reset")
        ]

    def _block(self, runner: Any, field: str) -> list[Assign]:
        """Statements as Brian2 runs them: simplified, and with subexpressions before what they are in."""
        if runner is None:
            return []
        field, known = self.prefix + field, dict(self.group.variables)
        try:
            runner.update_abstract_code({})
            code = runner.abstract_code
            _, used, unknown = analyse_identifiers(code, known, recursive=True)
            names = used | unknown | {"dt"}
            variables = known | dict(self.group.resolve_all(names, {}, user_identifiers=set()))
        except KeyError as error:
            raise UnsupportedConstruct(f"{self.owner}.{field}", str(error.args[0])) from error
        for name, variable in variables.items():
            if isinstance(variable, Constant) and name not in known:
                self.values[f"{self.name}.{name}"] = float(variable.value)
        plain = make_statements(code, variables, np.float64, optimise=False)
        for line in itertools.chain(*plain):
            if line.op == ":=":
                variables[line.var] = AuxiliaryVariable(line.var, dtype=line.dtype, scalar=line.scalar)
        statements = itertools.chain(*optimise_statements(*plain, variables))
        return [self._assign(line, variables.get(line.var), field) for line in statements]

    def _assign(self, statement: Any, variable: Any, field: str) -> Assign:
        text, operator = statement.expr, statement.op[:-1]
        cases = list((statement.boolean_simplified_expressions or {}).items())
        if cases and statement.var != "_cond":
            text = cases[0][1]
            for when, simple in cases[1:]:
                holds = " and ".join(name if value else f"not {name}" for name, value in when)
                text = f"({simple}) if ({holds}) else ({text})"
        text = text.replace(SILENT, AGE)
        text = text if operator in ("", ":") else f"{statement.var} {operator} ({text})"
        if isinstance(variable, ArrayVariable) and variable.is_integer:
            text = f"int({text})"
        condition = getattr(variable, "conditional_write", None)
        return Assign(
            self.name,
            statement.var,
            text,
            field,
            condition=condition.name if condition is not None else "",
            local=operator == ":",
        )


def _step(source: Source, hidden: _Group, readout: _Group, copies: list[Assign]) -> Iterator[Operation]:
    """Operations in the order that `Assembly` runs them in."""
    spikes, trace, drive = f"hidden.{SPIKES}", f"hidden.{source.trace}", f"hidden.{source.drive}"
    for group in (hidden, readout):
        yield Assign(group.name, "t", "t_in_timesteps * dt", "")
        yield from group.begin
    yield Project("W_in", "input.u", drive, add=False)
    if source.threshold is None:
        yield Project("W_rec", trace, drive, add=True)
    yield from (*hidden.update, *hidden.equations, *readout.equations, *copies)
    if source.threshold is None:
        yield Project("W_out", trace, "readout.drive", add=False)
    else:
        yield from hidden.threshold
        for name, value in ((AGE, "0"), ("lastspike", "t"), ("not_refractory", "False")):
            yield Assign("hidden", name, value, "", condition=SPIKES, detached=True)
        yield Project("W_out", spikes, "readout.drive", add=True)
        split = source.inhibitory is not None
        yield Project("W_rec", spikes, f"hidden.{source.synaptic}", add=True, sign=1 if split else 0)
        if split:
            yield Project("W_rec", spikes, f"hidden.{source.inhibitory}", add=True, sign=-1)
        yield from hidden.reset
    if source.skip:
        yield Project("W_skip", "input.direct", "readout.drive", add=True)
    yield from readout.update
    for group in (hidden, readout):
        for count in (AGE, "t_in_timesteps"):
            yield Assign(group.name, count, f"{count} + 1", "")


def _pruned(source: Source, operations: list[Operation], values: Mapping[str, float]) -> Program:
    """Operations that trace and outputs need, with the states that these take over from step to step."""
    trace, outputs = f"hidden.{source.trace}", "readout.y"
    written = {operation.target for operation in operations}
    ends = {trace, outputs, *(name for name in written if name.startswith(f"hidden.{SEEN}"))}
    while True:
        live, needed = set(ends), list[Operation]()
        for operation in reversed(operations):
            if operation.target in live:
                needed.insert(0, operation)
                live -= {operation.target} if operation.overwrites else set()
                live |= operation.reads
        if live & written <= ends:
            break
        ends |= live & written
    for assign in (operation for operation in needed if isinstance(operation, Assign)):
        for name in sorted(assign.reads - written - values.keys()):
            raise UnsupportedConstruct(f"{source.owner}.{assign.field}", name.partition(".")[2])
    states, constants = sorted(live & written), sorted(live - written - {"input.u", "input.direct"})
    return Program(source, tuple(needed), tuple(states), tuple(constants), values, trace)


def _names(expression: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in functions}

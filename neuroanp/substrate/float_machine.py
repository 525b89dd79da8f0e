"""`FloatMachine`: the statements in floating point, to find the range of every variable."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from neuroanp.errors import UnsupportedConstruct
from neuroanp.rendering.statements import SPIKES
from neuroanp.substrate.cells import ARRIVED, DRIVE
from neuroanp.substrate.machine import Machine, Pass
from neuroanp.substrate.network import HIDDEN, SynapticNetwork
from neuroanp.substrate.noise import NodeNoise
from neuroanp.substrate.sums import FUNCTIONS
from neuroanp.types import Array


class FloatMachine(Machine):
    """Machine in float64, which notes the largest size of everything.

    Attributes
    ----------
    ranges : dict
        Largest size by variable: ``"W_rec.eligibility"``, ``"hidden.v"``, ``"input"``.
    history : dict of list
        Broadcast numbers by projection, a mapping for each block that ran.
    """

    kept_dtype = np.float64

    def __init__(self, network: SynapticNetwork, noise: NodeNoise) -> None:
        super().__init__(network)
        self.noise = noise
        self.ranges: dict[str, float] = defaultdict(float)
        self.history: dict[str, list[dict[str, Any]]] = {name: [] for name in network.synapses}
        for name, weights in network.weights.items():
            self.synapses[name]["weight"][0] = weights

    def rest(self, shown: Pass) -> None:
        network, lanes = self.network, shown.inputs.shape[1]
        self.inputs, self.targets = shown.inputs, shown.targets
        self._note("input", shown.inputs)
        self._note("readout.y", shown.targets)
        self.noise.draw(shown.trial, len(shown.inputs), "clean" if self.quiet else shown.name)
        self.cells: dict[str, dict[str, Any]] = {}
        for group, size in (("hidden", network.model.hidden), ("readout", network.n_out)):
            declared = network.cells[group]
            self.cells[group] = dict(declared.constants) | {
                name: np.broadcast_to(np.asarray(value, float), (lanes, size))
                for name, value in declared.states.items()
            }
        self.spikes = np.zeros((lanes, network.model.hidden))
        self.heard: dict[str, Array] = {}

    def perturb_weights(self, index: int) -> None:
        for name in self.network.synapses:
            draw = self.noise.on_weights(name, index)
            if draw is not None:
                self.synapses[name]["weight_noise"][0] = draw * self.network.sigma(name)
                self._note(f"{name}.weight_noise", self.synapses[name]["weight_noise"])

    def hear(self, name: str, step: int) -> None:
        source = self.inputs[step] if name == "W_in" else self.spikes
        self.heard[name] = source @ self._weights(name).T

    def _weights(self, name: str) -> Array:
        numbers = self.network.numbers(name) | dict(self.before)
        variables = {n: v[0] for n, v in self.synapses[name].items() if len(v) == 1}
        code = f"result = {self.network.synapses[name].transmits}"
        return np.asarray(_evaluated(code, variables | numbers)["result"])

    def move(self, group: str, step: int) -> None:
        network, values = self.network, self.cells[group]
        layer = "output" if group == "readout" else group
        names = values | {"noise": network.sigma(layer) * self.noise.on_nodes(layer, step)}
        if group == "hidden":
            names |= {ARRIVED: self.heard["W_rec"], DRIVE: self.heard["W_in"], SPIKES: self.spikes > 0}
        else:
            names |= {DRIVE: self.heard["W_out"]}
        self._note(f"noise.{layer}", names["noise"])
        for line in network.cells[group].lines:
            new = _evaluated(f"result = {line.expression}", names)["result"]
            if line.condition:
                new = np.where(names[line.condition], new, names[line.target])
            names[line.target] = new
            if line.target in network.cells[group].states:
                self._note(f"{group}.{line.target}", new)
        self.cells[group] = names
        if group == "hidden":
            self.spikes = np.asarray(names[SPIKES], float)

    def outputs(self) -> Array:
        return np.asarray(self.cells["readout"]["y"])

    def run(self, name: str, block: str, step: int, numbers: Mapping[str, Any]) -> None:
        network = self.network
        code = network.code(name, block)
        if not code:
            return
        shaped = {n: np.reshape(v, (-1, 1, 1)) for n, v in numbers.items()}
        names: dict[str, Any] = (
            network.numbers(name) | shaped | {"decay": network.discount * numbers.get("going", 1)}
        )
        names |= {n: v[:1] if block == "trial" else v for n, v in self.synapses[name].items()}
        names |= {f"{n}_pre": v[:, None, :] for n, v in self._pre(name, block, step).items()}
        names |= {f"{n}_post": v[:, :, None] for n, v in self._post(name, step).items()}
        self.history[name].append({n: shaped[n] for n in network.broadcasts(name) if n in shaped})
        after = _evaluated(code, names)
        for variable, values in self.synapses[name].items():
            values[:] = after[variable]
            self._note(f"{name}.{variable}", values)

    def _pre(self, name: str, block: str, step: int) -> dict[str, Array]:
        if block == "trial":
            return {}
        if name == "W_in":
            return {"trace": self.inputs[step]}
        hidden = {n: v for n, v in self.cells["hidden"].items() if np.ndim(v) == 2}
        return hidden | {"trace": self.spikes}

    def _post(self, name: str, step: int) -> dict[str, Array]:
        group = "hidden" if name in HIDDEN else "readout"
        layer = "hidden" if name in HIDDEN else "output"
        sigma = self.network.sigma(layer)
        values = {n: v for n, v in self.cells[group].items() if np.ndim(v) == 2}
        values["noise"] = sigma * self.noise.on_nodes(layer, step)
        if group == "readout":
            return values | {"target": self.targets[step], "activity": values["y"]}
        return values | {"trace": self.spikes, "activity": values[self.network.model.activity]}

    def mean(self, values: Array) -> Array:
        return np.asarray(values.mean(axis=0, keepdims=True))

    def _note(self, name: str, values: Array) -> None:
        self.ranges[name] = max(self.ranges[name], float(np.abs(values).max(initial=0)))


class _Elementwise(ast.NodeTransformer):
    """Conditions of Python as those of arrays, and assignments that leave the old array as it is."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        old = ast.Name(ast.unparse(node.target), ast.Load())
        return ast.Assign([node.target], ast.BinOp(old, node.op, node.value))

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("where", ast.Load()), [node.test, node.body, node.orelse], [])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        name = "logical_or" if isinstance(node.op, ast.Or) else "logical_and"
        result = node.values[0]
        for other in node.values[1:]:
            result = ast.Call(ast.Name(name, ast.Load()), [result, other], [])
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.Call(ast.Name("logical_not", ast.Load()), [node.operand], [])
        return node


_FUNCTIONS: dict[str, Any] = FUNCTIONS | {
    "where": np.where,
    "logical_or": np.logical_or,
    "logical_and": np.logical_and,
    "logical_not": np.logical_not,
    "__builtins__": {},
}


@lru_cache(maxsize=512)
def _compiled(code: str) -> Any:
    tree = ast.fix_missing_locations(_Elementwise().visit(ast.parse(code)))
    return compile(tree, "<statements>", "exec")


def _evaluated(code: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Names after statements."""
    values = dict(names)
    try:
        exec(_compiled(code), _FUNCTIONS, values)
    except NameError as error:
        raise UnsupportedConstruct(code.replace("\n", "; "), str(error)) from None
    return values

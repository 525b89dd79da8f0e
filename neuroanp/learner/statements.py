"""Places where a synapse's statements use its weight."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable, Variable
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str
from brian2.synapses.synapses import SummedVariableUpdater
from sympy import Expr, Symbol, diff

from neuroanp.errors import InvalidValue

WHERE = "Learner.learn"

TIMES = ("t", "t_in_timesteps")
"""Variables that are the same for all cells, and change."""


class Use(NamedTuple):
    """Term ``written += scale * weight * factor`` of a synapse."""

    written: Any
    """Variable of the target group."""
    factor: str | None
    """Variable of the synapse at an arrival, or of its source where the sum is formed at each step."""
    scale: float
    """Constant part, in base units."""
    pathway: Any
    """Pathway whose spikes add the term; None for a summed variable."""
    updater: Any
    """Object that forms the sum; None for spikes."""


def uses(synapses: Any, weight: str, namespace: Mapping[str, Any]) -> list[Use]:
    """Terms of `synapses` that its variable `weight` is a factor of.

    Raises
    ------
    InvalidValue
        For statements in which the weight is not a factor of an increment, or goes together with more than
        one variable.
    """
    terms = []
    for pathway in synapses._pathways:
        lines = statements(pathway.code)
        for position, (name, increment) in enumerate(lines):
            if _is_foreign(synapses, name) and weight in _names(increment):
                factor, scale = _split(synapses, weight, increment, namespace)
                if factor is not None and not _is_own(synapses, factor):
                    raise _not_one_variable(synapses, weight, increment)
                if factor in {other for other, _ in lines[position + 1 :]}:
                    expected = f"{factor} as it is when `{name} += ...` uses it, at the end of the statements"
                    raise InvalidValue(f"{WHERE}: '{synapses.name}'", expected, pathway.code.strip())
                terms.append(Use(synapses.variables[name], factor, scale, pathway, None))
    for summed in _summed(synapses):
        if weight in summed.expression.identifiers:
            factor, scale = _split(synapses, weight, summed.expression.code, namespace)
            terms.append(Use(summed.target_var, factor, scale, None, summed))
    return terms


def written_units(synapses: Any) -> dict[str, Any]:
    """Variables of other groups that the spikes of a synapse write, by the name used there."""
    names = [name for pathway in synapses._pathways for name, _ in statements(pathway.code)]
    return {name: synapses.variables[name] for name in names if _is_foreign(synapses, name)}


def statements(code: str) -> list[tuple[str, str]]:
    """Variable and increment, or new value, of each statement, in their order."""
    lines = "\n".join(line.strip() for line in code.replace(";", "\n").splitlines())
    found = []
    for node in ast.parse(lines).body:
        if isinstance(node, ast.AugAssign):
            text, name = ast.unparse(node.value), ast.unparse(node.target)
            if not isinstance(node.op, (ast.Add, ast.Sub)):
                text = f"{name} * ({text})"
            found.append((name, f"-({text})" if isinstance(node.op, ast.Sub) else text))
        elif isinstance(node, ast.Assign):
            found.append((ast.unparse(node.targets[0]), ast.unparse(node.value)))
    return found


def constant(owner: Any, expression: str, namespace: Mapping[str, Any]) -> float | None:
    """Value, in base units, of an expression of numbers, units and constants; None for any other."""
    values = {}
    for name in _names(expression):
        variable = _resolved(owner, name, namespace)
        if isinstance(variable, ArrayVariable) and not (variable.scalar and name not in TIMES):
            return None
        if isinstance(variable, (Constant, ArrayVariable)):
            values[name] = float(np.ravel(variable.get_value())[0])
        else:
            return None
    return float(str_to_sympy(expression).subs({Symbol(n, real=True): v for n, v in values.items()}))


def derivative(expression: str, name: str) -> str:
    """Derivative of an expression by one of its variables, as Brian2 code."""
    return str(sympy_to_str(diff(str_to_sympy(expression), Symbol(name, real=True))))


def _split(
    synapses: Any, weight: str, increment: str, namespace: Mapping[str, Any]
) -> tuple[str | None, float]:
    """Factor and constant that an increment has beside the weight."""
    coefficient: Expr = diff(str_to_sympy(increment), Symbol(weight, real=True))
    varying = [s for s in coefficient.free_symbols if constant(synapses, str(s), namespace) is None]
    fixed, rest = coefficient.as_independent(*varying, as_Add=False)
    scale = constant(synapses, sympy_to_str(fixed), namespace)
    if rest == 1 and scale is not None:
        return None, scale
    if isinstance(rest, Symbol) and rest.name != weight and scale is not None:
        return rest.name, scale
    raise _not_one_variable(synapses, weight, increment)


def _not_one_variable(synapses: Any, weight: str, increment: str) -> InvalidValue:
    expected = (
        f"{weight} times one variable of the synapse: give the rest of the product a name in the line "
        f"before, such as `r = u * x` and then `... += {weight} * r`"
    )
    return InvalidValue(f"{WHERE}: '{synapses.name}'", expected, increment)


def _is_own(synapses: Any, name: str) -> bool:
    """True for a variable with a value for each synapse."""
    variable = synapses.variables.get(name)
    return isinstance(variable, DynamicArrayVariable) and variable.owner.name == synapses.name


def _names(code: str) -> set[str]:
    tree = ast.parse(code.strip(), mode="eval")
    calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in calls}


def _resolved(owner: Any, name: str, namespace: Mapping[str, Any]) -> Variable | None:
    if name in owner.variables:
        return owner.variables[name]
    try:
        return owner.resolve_all({name}, run_namespace=namespace).get(name)
    except KeyError:
        return None


def _is_foreign(synapses: Any, name: str) -> bool:
    variable = synapses.variables.get(name)
    return variable is not None and variable.owner is not None and variable.owner.name != synapses.name


def _summed(synapses: Any) -> list[Any]:
    contained = synapses.contained_objects
    return [obj for obj in contained if isinstance(obj, SummedVariableUpdater)]

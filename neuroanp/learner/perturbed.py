"""`Perturbed`: a variable of a user's group, and the noise in it."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from brian2 import NeuronGroup, get_dimensions
from brian2.core.variables import ArrayVariable
from brian2.units.fundamentalunits import get_unit

from neuroanp.engine.operations import AddedNoise, Recorder
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.rules import NodeRule

WHERE = "Learner.perturb"


class Perturbed:
    """Noise in one variable of one group.

    It enters at the start of a step, before the group's equations: a variable that Brian2 integrates is
    kicked, as by a spike that arrived at the end of the step before; a parameter has, for the step, its
    value of before the trial and the noise.

    Parameters
    ----------
    group : NeuronGroup
    variable : str
        Integrated variable or parameter of the group, a number of its own for each cell.
    sigma : Quantity
        Standard deviation of the noise, in the variable's unit, above 0.
    rule : NodeRule
        Gives distribution and hold of the noise.
    stream : int
        Keeps apart the noises of one network.
    summed : set
        Variables that Synapses write anew at each step.

    Attributes
    ----------
    noise : AddedNoise
    activity : Recorder or None
        Record of the variable, where the rule reads it.
    sigma : float
        In base units.

    Raises
    ------
    InvalidValue
        For a variable that can't be perturbed, and a sigma of another unit.
    UnknownName
        For a variable that the group doesn't have.
    """

    def __init__(
        self, group: Any, variable: str, sigma: Any, *, rule: NodeRule, stream: int, summed: Set[Any]
    ) -> None:
        self.group, self.variable = group, variable
        self.integrated = _integrated(group, variable, summed)
        self.sigma = _deviation(group, variable, sigma)
        self.noise = AddedNoise(
            group, variable, integrated=self.integrated, distribution=rule.distribution,
            hold=rule.hold_steps or 1, stream=stream, when="start", order=1000,
            name=f"noise_{group.name}_{variable}*",
        )  # fmt: skip
        self.activity = None
        if "activity" in rule.recorded:
            self.activity = Recorder(
                group, variable, when="thresholds", order=-1, name=f"activity_{group.name}_{variable}*"
            )

    @property
    def objects(self) -> list[Any]:
        """Brian2 objects to be simulated."""
        return [self.noise] if self.activity is None else [self.noise, self.activity]


def _integrated(group: Any, variable: str, summed: Set[Any]) -> bool:
    """True for a variable that Brian2 integrates, False for a parameter; else an error."""
    if not isinstance(group, NeuronGroup):
        kind = type(group).__name__
        raise InvalidValue(WHERE, "tuples (NeuronGroup, variable, sigma)", f"a {kind}")
    equations = group.equations
    if variable not in equations:
        raise UnknownName(f"{WHERE}: variable of '{group.name}'", str(variable), sorted(equations.names))
    equation, stored = equations[variable], group.variables[variable]
    where = f"{WHERE}: '{group.name}'.{variable}"
    if equation.type == "subexpression":
        raise InvalidValue(where, "a parameter or an integrated variable", "a subexpression")
    if not isinstance(stored, ArrayVariable) or stored.scalar or equation.var_type != "float":
        raise InvalidValue(where, "a number for each cell", "a shared or whole number")
    if equation.type == "parameter" and "constant" in equation.flags:
        raise InvalidValue(where, "a variable that may change: without the flag (constant)", "a constant")
    if equation.type == "parameter" and stored in summed:
        expected = "a parameter of its own beside the summed variable, such as `noise : 1`"
        raise InvalidValue(where, expected, "a summed variable")
    return bool(equation.type == "differential equation")


def _deviation(group: Any, variable: str, sigma: Any) -> float:
    stored = group.variables[variable]
    unit = get_unit(stored.dim)
    expected = f"a standard deviation above 0 in {unit!r}, as '{group.name}'.{variable} has"
    if get_dimensions(sigma) is not stored.dim:
        raise InvalidValue(f"{WHERE}: sigma", expected, sigma)
    try:
        value = float(sigma)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value < float("inf"):
        raise InvalidValue(f"{WHERE}: sigma", expected, sigma)
    return value

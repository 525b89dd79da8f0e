"""Loss of a pass: of an expression of a readout's variables, or of a user's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from brian2 import DimensionMismatchError, NeuronGroup
from brian2.parsing.expressions import parse_expression_dimensions
from brian2.units.fundamentalunits import DIMENSIONLESS
from brian2.utils.stringtools import get_identifiers

from neuroanp.engine.operations import BlockMean
from neuroanp.errors import InvalidValue
from neuroanp.learner.statements import constant, derivative
from neuroanp.network.reward_monitor import RewardMonitor
from neuroanp.types import Array


class Loss:
    """Loss of each step of a pass.

    Parameters
    ----------
    loss : str or callable
        Dimensionless expression of the readout's variables, whose mean over its cells is the loss of a step;
        or a function of a trial's number that reads the user's monitors, which hold one pass, and returns
        the loss of the trial or of each of its steps.
    readout : NeuronGroup, optional
    namespace : mapping

    Attributes
    ----------
    objects : list
        Brian2 objects to be simulated.

    Raises
    ------
    InvalidValue
        For an expression without a readout, of unknown names, or with a unit.
    """

    def __init__(self, loss: str | Callable[[int], Any], readout: Any, namespace: Mapping[str, Any]) -> None:
        self.loss = loss
        self.objects: list[Any] = []
        if callable(loss):
            return
        if not isinstance(loss, str):
            raise InvalidValue("Learner.loss", "an expression or a function of the trial's number", loss)
        check_expression("Learner.loss", loss, readout, namespace)
        self.monitor = RewardMonitor(
            readout, n_out=len(readout), loss=f"({loss})", name=f"loss_{readout.name}*"
        )
        self.objects.append(self.monitor)

    def prepare(self, steps: int) -> None:
        """Make ready for a pass."""
        self._values = self.monitor.prepare((steps,)) if self.objects else np.zeros(steps)

    def total(self, losses: Array) -> float:
        """Loss of a trial, of that of its steps: their mean for an expression, their sum for a function."""
        return float(losses.sum() if callable(self.loss) else losses.mean())

    def losses(self, trial: int) -> Array:
        """Loss (T,) of each step of the pass that was run; that of a whole trial is at its last step."""
        if not callable(self.loss):
            return self._values.copy()
        result = self.loss(trial)
        try:
            values = np.asarray(result, float)
        except (TypeError, ValueError):
            raise InvalidValue("Learner.loss", "a function that returns numbers", repr(result)) from None
        steps = len(self._values)
        if values.shape not in ((), (steps,)):
            raise InvalidValue("Learner.loss", f"a number, or {steps} of them", f"shape {values.shape}")
        if values.shape:
            return values
        return np.append(np.zeros(steps - 1), values)


class Slope:
    """Derivative of the loss by a variable of each readout cell, for the delta rule.

    Parameters
    ----------
    loss : str
    readout : NeuronGroup
    variable : str
        Dimensionless variable that leaks with one rate, ``dy/dt = -y/tau + ...``.
    namespace : mapping

    Attributes
    ----------
    memory : float
        Part of the variable that is left after a step.
    """

    def __init__(self, loss: str, readout: Any, variable: str, namespace: Mapping[str, Any]) -> None:
        self.cells = len(readout)
        self.memory = _memory(readout, variable, namespace)
        slope = derivative(loss, variable)
        check_expression(f"Learner.loss: its derivative by '{variable}'", slope, readout, namespace)
        self.monitor = BlockMean(
            readout, f"({slope})", block=1, when="end", order=3, name=f"slope_{readout.name}*"
        )

    def prepare(self, steps: int) -> None:
        """Make ready for a pass."""
        self._values = self.monitor.prepare((steps, 1, self.cells))

    def values(self) -> Array:
        """Derivative (T, 1, n_out) of the mean over the readout's cells, in the pass that was run."""
        return self._values / self.cells


def check_expression(where: str, expression: str, group: Any, namespace: Mapping[str, Any]) -> None:
    """Check that an expression of a group's variables is dimensionless."""
    if not isinstance(group, NeuronGroup):
        raise InvalidValue("Learner.readout", f"the NeuronGroup of {where} '{expression}'", group)
    try:
        names = get_identifiers(expression)
        variables = group.resolve_all(names, run_namespace=dict(namespace), user_identifiers=names)
        dimensionless = parse_expression_dimensions(expression, variables).is_dimensionless
    except (KeyError, SyntaxError, ValueError, DimensionMismatchError) as error:
        message = " ".join(str(error.args[0] if error.args else error).split())
        raise InvalidValue(where, f"an expression of variables of '{group.name}'", message) from error
    if not dimensionless:
        raise InvalidValue(where, "a number without unit: divide by a unit", f"'{expression}'")


def _memory(readout: Any, variable: str, namespace: Mapping[str, Any]) -> float:
    where = f"Learner.rule: readout='delta' of '{readout.name}'.{variable}"
    expected = "a dimensionless variable that leaks with one time constant, d/dt = -y / tau"
    equation = readout.equations.get(variable)
    plain = readout.variables[variable].dim is DIMENSIONLESS
    if equation is None or equation.type != "differential equation" or not plain:
        raise InvalidValue(where, expected, "another")
    expressions = dict(readout.equations.get_substituted_expressions(readout.variables))
    rate = constant(readout, derivative(expressions[variable].code, variable), namespace)
    if rate is None or rate > 0:
        raise InvalidValue(where, expected, f"d/dt = {equation.expr}")
    return float(np.exp(rate * float(readout.clock.dt_)))

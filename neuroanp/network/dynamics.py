"""Dynamics of a model for rules and gradients: `Dynamics`, and two kinds of units, `Cells` and `Rates`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.engine.device import LOCK
from neuroanp.errors import UnsupportedConstruct
from neuroanp.rendering import Source, Step, reach, render
from neuroanp.types import Array

if TYPE_CHECKING:
    from neuroanp.network.model import Model


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Dynamics:
    """Step of a model and its readout on arrays, to be differentiated.

    Parameters
    ----------
    step : callable
        See `Step`. Compiled code is kept by it: the same function for the same equations.
    constants : mapping
        Numbers, or arrays of one a unit, by name.
    start : mapping
        States before the first step of a trial, likewise; those of outputs have names with ``readout.``.
    trace : str
        Name of the trace, which is a state of some models.
    """

    step: Step
    constants: Mapping[str, Any]
    start: Mapping[str, Any]
    trace: str

    @property
    def goes_on(self) -> bool:
        """True where the trace is the only state, so that a window can go on from the one before."""
        return set(self.start) == {self.trace}


def rendered(model: Model, dt: Any, watched: tuple[str, ...] = ()) -> Dynamics:
    """Dynamics of a model for steps of length `dt`, from its equations.

    Parameters
    ----------
    model : Model
    dt : Quantity
    watched : tuple of str
        Hidden variables that a step returns besides trace and outputs, as thresholds see them.

    Raises
    ------
    UnsupportedConstruct
        For constructs that only Brian2 itself can run, by field and name.
    InvalidValue
        For spiking models without a `potential`.
    """
    fields = (getattr(model, name) for name in Source._fields[1:])
    with LOCK:
        step, steps = render(Source(type(model).__name__, *fields), watched)
    groups = {"hidden": model.parameters() | model.initial_state(), "readout": model.readout_parameters()}
    values: dict[str, Any] = dict(steps.values)
    for group, parameters in groups.items():
        values[f"{group}.dt"] = float(dt)
        for name, value in parameters.items():
            if isinstance(value, str):
                raise UnsupportedConstruct(f"{type(model).__name__}.parameters", value)
            values[f"{group}.{name}"] = np.asarray(value, dtype=float)
    constants = {name: values[name] for name in steps.constants}
    if model.threshold is not None:
        constants["way"] = reach(steps, values)
    start = {name: values[name] for name in steps.states}
    return Dynamics(step=step, constants=constants, start=start, trace=steps.trace)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    r"""Leaky cells with a threshold, from step to step.

    .. math:: v_t = \alpha (v_{t-1} + W_{rec} z_{t-1}) + g \, W_{in} u_t, \qquad
              b_t = \rho (b_{t-1} + \beta z_{t-1}), \qquad z_t = [v_t > \theta + b_t]

    Parameters
    ----------
    memory : float
        :math:`\alpha`, part of a potential that is left after a step.
    drive : float
        :math:`g`, part of an input current that a step adds.
    threshold : float
        :math:`\theta`, above the potential that a spike resets to, 0.
    refractory : int
        Steps after a spike in which there can't be another.
    fading : float
        :math:`\rho`, part of a rise of the threshold that is left after a step.
    rise : float or (N,) array
        :math:`\beta`, rise of the threshold at a spike; 0 for cells that don't adapt.
    reset_arrivals : bool
        True for cells that lose, when they fire, the spikes that arrive in that step.
    """

    memory: float
    drive: float
    threshold: float = 1.0
    refractory: int = 0
    fading: float = 0.0
    rise: float | Array = 0.0
    reset_arrivals: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    r"""Tanh units that may leak, from step to step.

    .. math:: a_t = W_{in} u_t + W_{rec} x_{t-1}, \qquad x_t = m \, x_{t-1} + (1 - m) \tanh a_t

    Parameters
    ----------
    memory : float or (N,) array
        :math:`m`, part of a trace that is left after a step; 0 for units that don't leak.
    """

    memory: float | Array = 0.0

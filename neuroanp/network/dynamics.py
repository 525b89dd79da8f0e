"""What a rule has to know of units that looks into them: `Dynamics`, and two kinds, `Cells` and `Rates`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from neuroanp.types import Array


class Ops(NamedTuple):
    """What a step on arrays works with, handed over by who takes its gradient."""

    numpy: Any
    """The array module: ``jax.numpy``, or NumPy where no gradient is asked for."""
    spike: Callable[[Any], Any]
    """1 where positive, else 0; of a potential in units of the way from reset to threshold."""
    held: Callable[[Any], Any]
    """The value itself, which no gradient goes through."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Dynamics:
    """The equations of a model's hidden units once more, as one step on arrays that can be differentiated.

    Parameters
    ----------
    step : callable
        A function of the module, as compiled code is kept by it: ``step(ops, weights, k, state, u)`` with
        `Ops`, ``W_in`` and ``W_rec`` by name, the constants k, a tuple of states (L, N) and the input u
        (L, n_in). It returns the new states and the trace (L, N).
    constants : mapping
        Numbers, or (N,) arrays, by name.
    start : tuple
        States before the first step of a trial: a number or (N,) array each.
    goes_on : bool
        Whether the trace is the only state, so that a window can go on from the one before.
    """

    step: Callable[[Ops, Any, Any, Any, Any], tuple[tuple[Any, ...], Any]]
    constants: Mapping[str, Any]
    start: tuple[Any, ...] = (0.0,)
    goes_on: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    r"""Leaky cells with a threshold, from step to step.

    .. math:: v_t = \alpha (v_{t-1} + W_{rec} z_{t-1}) + g \, W_{in} u_t, \qquad
              b_t = \rho (b_{t-1} + \beta z_{t-1}), \qquad z_t = [v_t > \theta + b_t]

    Parameters
    ----------
    memory : float
        :math:`\alpha`, what is left of a potential after a step.
    drive : float
        :math:`g`, what a step adds of an input current.
    threshold : float
        :math:`\theta`, above the potential that a spike resets to, 0.
    refractory : int
        Steps after that of a spike in which there can't be another.
    fading : float
        :math:`\rho`, what is left of a rise of the threshold after a step.
    rise : float or (N,) array
        :math:`\beta`, rise of the threshold at a spike; 0 for cells that don't adapt.
    start : float or (N,) array
        Potential before the first step of a trial.
    """

    memory: float
    drive: float
    threshold: float = 1.0
    refractory: int = 0
    fading: float = 0.0
    rise: float | Array = 0.0
    start: float | Array = 0.0

    def dynamics(self) -> Dynamics:
        """These cells from step to step."""
        k = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Dynamics(step=_spiking_step, constants=k, start=(k.pop("start"), 0.0, 0.0))


def _spiking_step(ops: Ops, weights: Any, k: Any, state: Any, u: Any) -> tuple[tuple[Any, ...], Any]:
    """Potential v, rise b of the threshold, and steps of silence left."""
    v, b, silent = state
    awake = (silent <= 0).astype(v.dtype)
    v = awake * (k["memory"] * v + k["drive"] * (u @ weights["W_in"].T)) + (1 - awake) * v
    b = k["fading"] * b
    z = awake * ops.spike(v - k["threshold"] - b)
    v = (v + z @ weights["W_rec"].T) * (1 - ops.held(z))
    b = b + k["rise"] * z
    silent = ops.numpy.maximum(ops.held(z) * k["refractory"], silent - 1)
    return (v, b, silent), z


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    r"""Tanh units that may leak, from step to step.

    .. math:: a_t = W_{in} u_t + W_{rec} x_{t-1}, \qquad x_t = m \, x_{t-1} + (1 - m) \tanh a_t

    Parameters
    ----------
    memory : float or (N,) array
        :math:`m`, what is left of a trace after a step; 0 for units that don't leak.
    """

    memory: float | Array = 0.0

    def dynamics(self) -> Dynamics:
        """These units from step to step."""
        return Dynamics(step=_rate_step, constants={"memory": self.memory}, goes_on=True)


def _rate_step(ops: Ops, weights: Any, k: Any, state: Any, u: Any) -> tuple[tuple[Any, ...], Any]:
    (x,) = state
    a = u @ weights["W_in"].T + x @ weights["W_rec"].T
    x = k["memory"] * x + (1 - k["memory"]) * ops.numpy.tanh(a)
    return (x,), x

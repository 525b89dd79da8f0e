"""Constants of units that a rule has to know which looks into them: `Cells` spike, `Rates` don't."""

from __future__ import annotations

import dataclasses
from typing import Any

from numpy.typing import NDArray


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
    rise: float | NDArray[Any] = 0.0
    start: float | NDArray[Any] = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    r"""Tanh units that may leak, from step to step.

    .. math:: a_t = W_{in} u_t + W_{rec} x_{t-1}, \qquad x_t = m \, x_{t-1} + (1 - m) \tanh a_t

    Parameters
    ----------
    memory : float or (N,) array
        :math:`m`, what is left of a trace after a step; 0 for units that don't leak.
    """

    memory: float | NDArray[Any] = 0.0

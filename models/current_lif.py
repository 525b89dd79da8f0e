"""Leaky integrate-and-fire cells as chips and other simulators have them: spikes arrive as a current."""

from __future__ import annotations

import dataclasses
from typing import Any

from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models.lif import LIF
from neuroanp.network.dynamics import Cells


class CurrentLIF(LIF):
    r"""LIF cells whose recurrent spikes arrive as a current in the next step; they start from rest.

    A cell that fires keeps what arrives in that step for the next one, where `LIF` loses it, and may fire
    again at once. So these cells are, to the last spike, those of the Neuromorphic Intermediate
    Representation:

    .. math:: v_t = v_{t-1} + (1 - \alpha) \big(W_{in} u_t + \xi_t + W' z_{t-1} - v_{t-1}\big),
              \quad \alpha = e^{-dt / \tau}, \quad W' = \frac{\alpha}{1 - \alpha} W_{rec}

    A weight is what a spike adds to a potential, as `LIF` has it, whatever the step: the current of a step
    that does so is larger by :math:`1 / (e^{dt / \tau} - 1)`. The networks start with the same weights.

    Examples
    --------
    >>> CurrentLIF(hidden=50).refractory_period
    0. * second
    """

    name = "current-lif"
    equations = """
        dv/dt = (drive + noise + recurrent - v) / tau : 1 (unless refractory)
        drive : 1
        noise : 1
        recurrent : 1
        arrived : 1
        spiked : 1
        tau : second (shared)
        refractory_period : second (shared)
    """
    update = """
        spiked = 0
        recurrent = arrived / (exp(dt / tau) - 1)
        arrived = 0
    """
    synaptic = "arrived"

    refractory_period: Any = option(0 * ms, "time after a spike without another", unit="ms", least=0)
    v_spread: float = option(0.0, "cells start at potentials from 0 to this, not to fire together", least=0)

    def cells(self, dt: Any) -> Cells | None:
        plain = super().cells(dt)
        return None if plain is None else dataclasses.replace(plain, reset_arrivals=False)

"""Leaky integrate-and-fire cells with conductance-based synapses."""

from __future__ import annotations

from typing import Any

from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models.lif import LIF
from neuroanp.network.dynamics import Cells


class ConductanceLIF(LIF):
    r"""LIF cells whose synapses open conductances, so that what a spike does depends on the potential.

    .. math::
        \tau \dot v &= -v + g_e (E_e - v) + g_i (E_i - v) + W_{in} u + \xi \\
        \tau_e \dot g_e &= -g_e \quad (+ \max(W_{rec}, 0) \text{ column for every spike}) \\
        \tau_i \dot g_i &= -g_i \quad (+ \max(-W_{rec}, 0) \text{ column for every spike})

    Potentials are in units of the way from rest, 0, to threshold, 1: with 15 mV between, excitation
    reverses 70 mV above rest and inhibition 10 mV below. Conductances are in units of the leak.
    """

    name = "conductance-lif"
    equations = """
        dv/dt = (ge * (e_e - v) + gi * (e_i - v) + drive + noise - v) / tau : 1 (unless refractory)
        dge/dt = -ge / tau_e : 1
        dgi/dt = -gi / tau_i : 1
        drive : 1
        noise : 1
        spiked : 1
        e_e : 1 (shared)
        e_i : 1 (shared)
        tau : second (shared)
        tau_e : second (shared)
        tau_i : second (shared)
        refractory_period : second (shared)
    """
    method = "exponential_euler"
    synaptic = "ge"
    inhibitory = "gi"

    tau_e: Any = option(5 * ms, "time constant of excitatory conductances", unit="ms", above=0)
    tau_i: Any = option(10 * ms, "time constant of inhibitory conductances", unit="ms", above=0)
    e_e: float = option(14 / 3, "reversal potential of excitation, above the threshold, 1", above=1)
    e_i: float = option(-2 / 3, "reversal potential of inhibition, below the threshold, 1", below=1)
    recurrent_gain: float = option(
        0.3, "recurrent weights have standard deviation gain / sqrt(density * hidden)"
    )

    def parameters(self) -> dict[str, Any]:
        synaptic = {"tau_e": self.tau_e, "tau_i": self.tau_i, "e_e": self.e_e, "e_i": self.e_i}
        return super().parameters() | synaptic

    def cells(self, dt: Any) -> Cells | None:
        return None

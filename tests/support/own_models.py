"""Models as a user would write them: equations alone."""

import numpy as np
from brian2 import ms, mV

from neuroanp.config.option import option
from neuroanp.network.model import Model, gaussian_weights


class Toy(Model):
    """Random weights."""

    hidden: int = option(12, "number of hidden units")
    gain: float = option(1.0, "recurrent weights have standard deviation gain / sqrt(hidden)")

    def initial_weights(self, rng, n_in, n_out):
        return gaussian_weights(rng, self.hidden, n_in, n_out, (1.0, self.gain, 1.0))

    def apart(self, first, other):
        """One value for the first third of the units, another for the rest."""
        return np.where(np.arange(self.hidden) < self.hidden // 3, first, other)


class TwoPopulations(Toy):
    """Slow cells that adapt and fast ones that don't, in volts; the readout saturates."""

    name = "two-populations"
    equations = """
        dv/dt = (E - v + slope * exp((v - V_T) / slope) + current) / tau : volt (unless refractory)
        ds/dt = -s / (4*ms) : 1
        dw/dt = -w / tau_w : volt
        current = R * (drive + s) + noise * mV : volt
        limit = V_T + w : volt
        slope = 2*mV : volt
        drive : 1
        noise : 1
        spiked : 1
        E : volt (shared)
        V_T : volt
        R : volt
        jump : volt
        tau : second
        tau_w : second (shared)
        rest : second
    """
    update = "spiked = 0"
    threshold = "v > limit and v > V_T"
    reset = "v = E - 5*mV; w += jump; spiked = 1"
    refractory = "rest"
    method = "euler"
    readout_equations = "y : 1\nz : 1\ndrive : 1\nnoise : 1\ntarget : 1\ntau : second"
    readout_update = "z = z * exp(-dt / tau) + drive + noise; drive = 0; y = tanh(z / 3)"
    synaptic = "s"
    activity = "v"
    trace = "spiked"
    potential = "v"

    def parameters(self):
        return {
            "E": -70 * mV, "V_T": self.apart(-50, -55) * mV, "R": 40 * mV, "jump": self.apart(3, 0) * mV,
            "tau": self.apart(20, 8) * ms, "tau_w": 50 * ms, "rest": self.apart(4, 2) * ms,
        }  # fmt: skip

    def initial_state(self):
        return {"v": np.linspace(-70, -56, self.hidden) * mV}

    def readout_parameters(self):
        return {"tau": 10 * ms}


class TwoRates(Toy):
    """Units whose gain follows their own past, on a rhythm; the readout is not linear."""

    name = "two-rates"
    equations = """
        dx/dt = (tanh(a) - x) / tau : 1
        dm/dt = (x - exprel(m) * m) / (15*ms) : 1
        gain = clip(1 + 0.5 * m, 0.2, 2) : 1
        early = t < 10*ms : boolean
        a : 1
        beats : integer
        drive : 1
        noise : 1
        tau : second
    """
    update = """
        beats = int(t / (7*ms)) % 3
        rhythm = 0.3 * sin(2*pi*t / (20*ms)) - 0.1 * beats ** 2 + 0.2 * int(early and not (x > 5))
        a = gain * drive + noise + rhythm
    """
    method = "rk4"
    readout_equations = "y : 1\nz : 1\ndrive : 1\nnoise : 1\ntarget : 1"
    readout_update = "z = 0.7 * z + drive + noise; y = z + 0.2 * z**2"

    def parameters(self):
        return {"tau": self.apart(5, 30) * ms}

    def initial_state(self):
        return {"m": 0.1, "x": self.apart(0.2, -0.1)}

"""Inhibitory synapses that keep each cell at its rate by STDP of their own, beside synapses that learn a task.

Equations, parameters and the rule of the inhibitory synapses (their published eta is 1e-2 too) are those of
Vogels, Sprekeler, Zenke, Clopath and Gerstner, Science 334, 1569 (2011). There are fewer cells, with stronger
synapses. Lines with "learning" are those that the script did not have, or had otherwise.
"""

import sys

from brian2 import *

from neuroanp import Learner, rules  # learning

set_device("neuroanp")  # learning
seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
defaultclock.dt = 0.5 * ms

C, g_leak, E_leak, E_inh = 200 * pF, 10 * nS, -60 * mV, -80 * mV
tau_ampa, tau_gaba, tau_stdp = 5 * ms, 10 * ms, 20 * ms
eta, gmax, rho = 1e-2, 100.0, 20 * Hz
alpha = 2 * rho * tau_stdp
length = 150 * ms

cells = NeuronGroup(
    200,
    """
    dv/dt = (g_leak * (E_leak - v) - g_ampa * v + g_gaba * (E_inh - v) + 100*pA) / C : volt (unless refractory)
    dg_ampa/dt = -g_ampa / tau_ampa : siemens
    dg_gaba/dt = -g_gaba / tau_gaba : siemens
    """,
    threshold="v > -50*mV",
    reset="v = E_leak",
    refractory=5 * ms,
    method="exponential_euler",
)
cells.v = "E_leak + 10*mV * rand()"
excitatory, inhibitory = cells[:160], cells[160:]

inputs = PoissonGroup(50, "200*Hz * exp(-((t - i * length / 50) / (10*ms))**2)")
from_inputs = Synapses(inputs, cells, "w : siemens", on_pre="g_ampa += w")  # learning
from_inputs.connect(p=0.3)
from_inputs.w = "6*nS * rand()"  # learning
excite = Synapses(excitatory, cells, on_pre="g_ampa += 1*nS")
excite.connect(p=0.1)
inhibit = Synapses(inhibitory, inhibitory, on_pre="g_gaba += 10*nS")
inhibit.connect(p=0.2)
plastic = Synapses(
    inhibitory,
    excitatory,
    """
    w : 1
    dseen_source/dt = -seen_source / tau_stdp : 1 (event-driven)
    dseen_target/dt = -seen_target / tau_stdp : 1 (event-driven)
    """,
    on_pre="seen_source += 1; w = clip(w + eta * (seen_target - alpha), 0, gmax); g_gaba += w * nS",
    on_post="seen_target += 1; w = clip(w + eta * seen_source, 0, gmax)",
)
plastic.connect(p=0.3)
plastic.w = 5

readout = NeuronGroup(1, "dy/dt = -y / (20*ms) : 1", method="exact")
out = Synapses(excitatory, readout, "w : 1", on_pre="y += w")  # learning
out.connect()
out.w = 0.02  # learning
monitor = StateMonitor(readout, "y", record=True)
net = Network(collect())

learner = Learner(net, duration=length, perturb=[(cells, "g_ampa", 1 * nS)], readout=readout,  # learning
    learn=[(from_inputs, "w", 6 * nS), (out, "w", 0.02)], loss="(y - 2 * exp(-((t - 75*ms) / (25*ms))**2))**2",  # learning
    rule=rules.NodePerturbation(hold=10, readout="delta"), trials=2, updates=200, keep_signs=[from_inputs, out])  # fmt: skip  # learning
losses = [learner.step() for update in range(200)]  # learning

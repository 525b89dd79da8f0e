"""Cells with conductance-based synapses, 160 excitatory and 40 inhibitory, that follow a sweep of inputs.

Equations, time constants and potentials are those of the COBA benchmark of Brette et al., J. Comput. Neurosci.
23, 349 (2007), after Vogels and Abbott, J. Neurosci. 25, 10786 (2005). There are fewer cells here, which get more
of their drive from outside. Lines with "learning" are those that the script did not have, or had otherwise.
"""

import sys

from brian2 import *

from neuroanp import Learner, rules  # learning

set_device("neuroanp")  # learning
seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
defaultclock.dt = 0.5 * ms

C, g_leak, E_leak = 200 * pF, 10 * nS, -60 * mV
E_exc, E_inh, tau_exc, tau_inh = 0 * mV, -80 * mV, 5 * ms, 10 * ms
length = 150 * ms

cells = NeuronGroup(
    200,
    """
    dv/dt = (g_leak * (E_leak - v) + ge * (E_exc - v) + gi * (E_inh - v)) / C : volt (unless refractory)
    dge/dt = -ge / tau_exc : siemens
    dgi/dt = -gi / tau_inh : siemens
    """,
    threshold="v > -50*mV",
    reset="v = -60*mV",
    refractory=5 * ms,
    method="exponential_euler",
)
cells.v = "E_leak + 10*mV * rand()"
excitatory, inhibitory = cells[:160], cells[160:]

# Each of the inputs is active for some 20 ms, one after the other.
inputs = PoissonGroup(50, "200*Hz * exp(-((t - i * length / 50) / (10*ms))**2)")
from_inputs = Synapses(inputs, cells, "w : siemens", on_pre="ge += w")  # learning
from_inputs.connect(p=0.3)
from_inputs.w = "6*nS * rand()"  # learning
excite = Synapses(excitatory, cells, on_pre="ge += 2*nS")
excite.connect(p=0.2)
inhibit = Synapses(inhibitory, cells, on_pre="gi += 20*nS")
inhibit.connect(p=0.2)

# A readout that leaks sums the spikes of the excitatory cells.
readout = NeuronGroup(1, "dy/dt = -y / (20*ms) : 1", method="exact")
out = Synapses(excitatory, readout, "w : 1", on_pre="y += w")  # learning
out.connect()
out.w = 0.02  # learning
monitor = StateMonitor(readout, "y", record=True)
net = Network(collect())

learner = Learner(net, duration=length, perturb=[(cells, "ge", 1 * nS)], readout=readout,  # learning
    learn=[(from_inputs, "w", 6 * nS), (out, "w", 0.02)], loss="(y - 1 + cos(2*pi*t / (75*ms)))**2",  # learning
    rule=rules.NodePerturbation(hold=10, readout="delta"), trials=2, updates=200, keep_signs=[from_inputs, out])  # fmt: skip  # learning
losses = [learner.step() for update in range(200)]  # learning

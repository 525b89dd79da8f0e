"""Current-based excitatory and inhibitory cells whose spikes need 1 to 15 ms to arrive.

Equations, time constants and potentials are those of the CUBA benchmark of Brette et al., J. Comput. Neurosci.
23, 349 (2007), after Vogels and Abbott (2005), with fewer cells, and delays. Lines with "learning" are those
that the script did not have, or had otherwise.
"""

import sys

from brian2 import *

from neuroanp import Learner, rules  # learning

set_device("neuroanp")  # learning
seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
defaultclock.dt = 0.5 * ms

tau, tau_exc, tau_inh, E_leak = 20 * ms, 5 * ms, 10 * ms, -60 * mV
length = 150 * ms

cells = NeuronGroup(
    200,
    """
    dv/dt = (ge + gi - (v - E_leak)) / tau : volt (unless refractory)
    dge/dt = -ge / tau_exc : volt
    dgi/dt = -gi / tau_inh : volt
    """,
    threshold="v > -50*mV",
    reset="v = E_leak",
    refractory=5 * ms,
    method="exact",
)
cells.v = "E_leak + 10*mV * rand()"
excitatory, inhibitory = cells[:160], cells[160:]

# Each of the inputs is active for some 20 ms, one after the other.
inputs = PoissonGroup(50, "200*Hz * exp(-((t - i * length / 50) / (10*ms))**2)")
from_inputs = Synapses(inputs, cells, "w : volt", on_pre="ge += w")  # learning
from_inputs.connect(p=0.3)
from_inputs.w = "20*mV * rand()"  # learning
from_inputs.delay = "1*ms + 14*ms * rand()"
excite = Synapses(excitatory, cells, "w : volt", on_pre="ge += w")
excite.connect(p=0.2)
excite.w = "4*mV * rand()"
excite.delay = "1*ms + 14*ms * rand()"
inhibit = Synapses(inhibitory, cells, on_pre="gi -= 6*mV")
inhibit.connect(p=0.2)
inhibit.delay = "1*ms + 4*ms * rand()"

readout = NeuronGroup(1, "dy/dt = -y / (20*ms) : 1", method="exact")
out = Synapses(excitatory, readout, "w : 1", on_pre="y += w")  # learning
out.connect()
out.w = 0.02  # learning
monitor = StateMonitor(readout, "y", record=True)
net = Network(collect())

learner = Learner(net, duration=length, perturb=[(cells, "ge", 1 * mV)], readout=readout,  # learning
    learn=[(from_inputs, "w", 15 * mV), (excite, "w", 3 * mV), (out, "w", 0.02)], loss="(y - 1 + cos(2*pi*t / (75*ms)))**2",  # learning
    rule=rules.NodePerturbation(hold=10, readout="delta"), trials=2, updates=200, keep_signs=[from_inputs, excite, out])  # fmt: skip  # learning
losses = [learner.step() for update in range(200)]  # learning

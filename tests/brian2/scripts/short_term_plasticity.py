"""Cells whose inputs come through synapses that tire, or gather strength, from spike to spike.

The synapses are those of Tsodyks, Pawelzik and Markram, Neural Computation 10, 821 (1998), with u as it is just
after a spike; the cells are leaky integrate-and-fire ones. Lines with "learning" are those that the script did
not have, or had otherwise.
"""

import sys

from brian2 import *

from neuroanp import Learner, rules  # learning

set_device("neuroanp")  # learning
seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
defaultclock.dt = 0.5 * ms

tau, tau_syn, E_leak, resistance = 20 * ms, 5 * ms, -60 * mV, 100 * Mohm
length = 150 * ms

cells = NeuronGroup(
    200,
    """
    dv/dt = (E_leak - v + resistance * I) / tau : volt (unless refractory)
    dI/dt = -I / tau_syn : amp
    """,
    threshold="v > -50*mV",
    reset="v = E_leak",
    refractory=3 * ms,
    method="exact",
)
cells.v = "E_leak + 10*mV * rand()"

# Bursts: each input fires for some 20 ms, one after the other.
inputs = PoissonGroup(50, "200*Hz * exp(-((t - i * length / 50) / (10*ms))**2)")
dynamic = """
    U : 1
    tau_rec : second
    tau_facil : second
    du/dt = -u / tau_facil : 1 (event-driven)
    dx/dt = (1 - x) / tau_rec : 1 (event-driven)
    r : 1
"""
release = "u += U * (1 - u); r = u * x; x -= r"
from_inputs = Synapses(inputs, cells, dynamic + "A : amp", on_pre=release + "; I += A * r")  # learning
from_inputs.connect(p=0.3)
from_inputs.A = "500*pA * rand()"  # learning
recurrent = Synapses(cells, cells, dynamic, on_pre=release + "; I += 60*pA * r")
recurrent.connect(p=0.1)
for synapses in (from_inputs, recurrent):
    synapses.x = 1
    synapses.U = "0.1 + 0.4 * rand()"
    synapses.tau_rec, synapses.tau_facil = "100*ms + 700*ms * rand()", "10*ms + 500*ms * rand()"

readout = NeuronGroup(1, "dy/dt = -y / (20*ms) : 1", method="exact")
out = Synapses(cells, readout, "w : 1", on_pre="y += w")  # learning
out.connect()
out.w = 0.02  # learning
monitor = StateMonitor(readout, "y", record=True)
net = Network(collect())

learner = Learner(net, duration=length, perturb=[(cells, "I", 20 * pA)], readout=readout,  # learning
    learn=[(from_inputs, "A", 500 * pA), (out, "w", 0.02)], loss="(y - 1 + cos(2*pi*t / (75*ms)))**2",  # learning
    rule=rules.NodePerturbation(hold=10, readout="delta"), trials=2, updates=200, keep_signs=[from_inputs, out])  # fmt: skip  # learning
losses = [learner.step() for update in range(200)]  # learning

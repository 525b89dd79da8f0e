"""Plain Brian2 networks: two that do what a model of ours does, and one of several kinds of synapses."""

import types

import brian2 as b2
import numpy as np
from brian2 import ms, nS

from neuroanp.learner import Learner


def lif(weights, wiring, trial, model):
    """LIF cells with the recurrent synapses of a wiring, or all; inputs as currents, a leaky readout.

    Returns
    -------
    Network, cells, their synapses (input, recurrent, readout), readout, and names of the equations.
    """
    hidden = len(weights["W_in"])
    source, names = _shown(trial)
    cells = b2.NeuronGroup(
        hidden, "dv/dt = (drive + noise - v) / (20*ms) : 1\ndrive : 1\nnoise : 1",
        threshold="v > 1", reset="v = 0", method="exact",
    )  # fmt: skip
    cells.v = model.initial_state()["v"]
    readout = b2.NeuronGroup(trial.targets.shape[2], "dy/dt = -y / (20*ms) : 1", method="exact")
    shown = b2.Synapses(source, cells, "w : 1\ndrive_post = w * u_pre : 1 (summed)")
    recurrent = b2.Synapses(cells, cells, "w : 1", on_pre="v += w")
    out = b2.Synapses(cells, readout, "w : 1", on_pre="y += w")
    _connect(shown, weights["W_in"])
    if wiring is None:
        _connect(recurrent, weights["W_rec"])
    else:
        pre = np.repeat(np.arange(hidden), wiring.targets.shape[1])
        recurrent.connect(i=pre, j=wiring.targets.ravel())
        recurrent.w = weights["W_rec"]
        recurrent.delay = wiring.delays[pre] * b2.defaultclock.dt
    _connect(out, weights["W_out"])
    net = b2.Network(source, cells, readout, shown, recurrent, out)
    return net, cells, (shown, recurrent, out), readout, names


def tanh(weights, trial):
    """Tanh units in discrete time with a linear readout; as `lif`."""
    source, names = _shown(trial)
    cells = b2.NeuronGroup(len(weights["W_in"]), "x : 1\nfrom_input : 1\nfrom_cells : 1\nnoise : 1")
    cells.run_regularly("x = tanh(from_input + from_cells + noise)", when="groups", order=1)
    readout = b2.NeuronGroup(trial.targets.shape[2], "y : 1\nsum_of_cells : 1\nnoise : 1", order=3)
    readout.run_regularly("y = sum_of_cells + noise", when="end")
    shown = b2.Synapses(source, cells, "w : 1\nfrom_input_post = w * u_pre : 1 (summed)")
    recurrent = b2.Synapses(cells, cells, "w : 1\nfrom_cells_post = w * x_pre : 1 (summed)")
    out = b2.Synapses(cells, readout, "w : 1\nsum_of_cells_post = w * x_pre : 1 (summed)")
    for synapses, name in ((shown, "W_in"), (recurrent, "W_rec"), (out, "W_out")):
        _connect(synapses, weights[name])
    net = b2.Network(source, cells, readout, shown, recurrent, out)
    return net, cells, (shown, recurrent, out), readout, names


def _shown(trial):
    """Group that shows a trial's inputs, and the names of its arrays."""
    dt = b2.defaultclock.dt
    names = {
        "shown": b2.TimedArray(trial.inputs[:, 0], dt=dt),
        "target": b2.TimedArray(trial.targets[:, 0], dt=dt),
    }
    source = b2.NeuronGroup(trial.inputs.shape[2], "u : 1")
    source.run_regularly("u = shown(t, i)", when="start")
    return source, names


def _connect(synapses, weights):
    """All synapses, with weights (post, pre)."""
    post, pre = np.indices(weights.shape)
    synapses.connect(i=pre.ravel(), j=post.ravel())
    synapses.w = weights.ravel()


def circuit(delay=5 * ms):
    """Excitatory and inhibitory cells with synapses of many kinds, which an input drives.

    Inputs reach the cells through synapses that tire, with delays, two of them a pair; excitatory cells each
    other with weights that learn, inhibitory ones the excitatory by STDP, and all a readout.
    """
    b2.seed(4)
    cells = b2.NeuronGroup(
        12,
        """
        dv/dt = (10*nS * (-60*mV - v) - ge * v + gi * (-80*mV - v) + current) / (200*pF) : volt
        dge/dt = -ge / (5*ms) : siemens
        dgi/dt = -gi / (10*ms) : siemens
        current : amp
        shared_current : amp (shared)
        fixed : 1 (constant)
        doubled = 2 * v : volt
        """,
        threshold="v > -50*mV", reset="v = -60*mV", method="exponential_euler", name="cells",
    )  # fmt: skip
    cells.v, cells.current = "-60*mV + 10*mV*rand()", 90 * b2.pA
    inputs = b2.PoissonGroup(6, 100 * b2.Hz, name="inputs")
    tiring = b2.Synapses(
        inputs, cells,
        "dx/dt = (1 - x) / (50*ms) : 1 (event-driven)\nr : 1\nw : siemens",
        on_pre="r = 0.5 * x; x -= r; ge += w * r", name="tiring",
    )  # fmt: skip
    tiring.connect(p=0.6, n=2)
    tiring.w, tiring.x, tiring.delay = "20*nS * rand()", 1, delay * np.random.rand(len(tiring))
    excite = b2.Synapses(cells[:9], cells, "w : 1\nidle : 1", on_pre="ge += w * nS", name="excite")
    excite.connect(p=0.5)
    excite.w = "10 * rand()"
    fixed = b2.Synapses(cells[9:], cells[9:], on_pre="gi += 2*nS", name="fixed")
    fixed.connect()
    stdp = b2.Synapses(
        cells[9:], cells[:9], "w : 1\ndseen/dt = -seen / (20*ms) : 1 (event-driven)",
        on_pre="seen += 1; w += 0.1; gi += w * nS", on_post="w = clip(w + 0.1 * seen, 0, 50)", name="stdp",
    )  # fmt: skip
    stdp.connect()
    stdp.w = 3
    readout = b2.NeuronGroup(2, "dy/dt = -y / (20*ms) : 1", method="exact", name="readout")
    out = b2.Synapses(cells[:9], readout, "w : 1", on_pre="y += w", name="out")
    out.connect()
    out.w = "0.3 * rand()"
    spikes = b2.SpikeMonitor(cells)
    output = b2.StateMonitor(readout, "y", record=True, when="end", order=4)
    net = b2.Network(cells, inputs, tiring, excite, fixed, stdp, readout, out, spikes, output)
    return types.SimpleNamespace(
        net=net, cells=cells, inputs=inputs, tiring=tiring, excite=excite, fixed=fixed, stdp=stdp,
        readout=readout, out=out, spikes=spikes, output=output,
    )  # fmt: skip


def learner(c, **settings):
    """Learner of a circuit, with other settings than those here where they are given."""
    defaults = {
        "duration": 40 * ms, "perturb": [(c.cells, "ge", 2 * nS)], "loss": "(y - 1)**2", "readout": c.readout,
        "learn": [(c.tiring, "w", 1 * nS), (c.excite, "w", 1), (c.out, "w", 0.1)], "seed": 3,
    }  # fmt: skip
    return Learner(c.net, **defaults | settings)

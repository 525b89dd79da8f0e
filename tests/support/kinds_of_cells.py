"""Networks of one kind of cell, with synapses and without."""

import brian2 as b2
import numpy as np
from brian2 import ms, mV, nS, pA, pF, uS

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def positions(n, seed=0):
    return np.random.default_rng(seed).random(n)


@kind
def conductance_based():
    """COBA: two exponential conductances, connections by an expression, refractory cells."""
    names = {"taum": 20 * ms, "taue": 5 * ms, "taui": 10 * ms, "El": -49 * mV, "Ee": 0 * mV, "Ei": -80 * mV}
    cells = b2.NeuronGroup(
        50,
        """dv/dt = (ge*(Ee - v) + gi*(Ei - v) - (v - El))/taum : volt (unless refractory)
           dge/dt = -ge/taue : 1
           dgi/dt = -gi/taui : 1""",
        threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method="exponential_euler",
        namespace=names, name="coba",
    )  # fmt: skip
    cells.v = -60 * mV + 10 * mV * positions(50)
    exc = b2.Synapses(cells[:40], cells, on_pre="ge_post += 0.6", name="coba_exc")
    inh = b2.Synapses(cells[40:], cells, on_pre="gi_post += 6.7", name="coba_inh")
    exc.connect("(i + 3*j) % 7 == 0")
    inh.connect("(2*i + j) % 5 == 0 and i != j")
    spikes = b2.SpikeMonitor(cells, name="coba_spikes")
    return [cells, exc, inh, spikes], {
        "v": lambda: cells.v_[:],
        "ge": lambda: cells.ge[:],
        "i": lambda: spikes.i[:],
        "t": lambda: spikes.t_[:],
    }


@kind
def current_based():
    """CUBA: linear equations, integrated exactly."""
    names = {"taum": 20 * ms, "taus": 5 * ms, "El": -49 * mV}
    cells = b2.NeuronGroup(
        40,
        """dv/dt = (I + El - v)/taum : volt (unless refractory)
           dI/dt = -I/taus : volt""",
        threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method="exact",
        namespace=names, name="cuba",
    )  # fmt: skip
    cells.v = -60 * mV + 10 * mV * positions(40, 1)
    synapses = b2.Synapses(
        cells, cells, "w : volt", on_pre="I_post += w", delay=1.5 * ms, name="cuba_synapses"
    )
    synapses.connect(j="k for k in range(N_post) if (i + k) % 3 == 0")
    synapses.w = "(1.62 - 9*int(i % 5 == 0))*mV"
    spikes = b2.SpikeMonitor(cells, variables="I", name="cuba_spikes")
    rate = b2.PopulationRateMonitor(cells, name="cuba_rate")
    return [cells, synapses, spikes, rate], {
        "v": lambda: cells.v_[:],
        "t": lambda: spikes.t_[:],
        "recorded": lambda: spikes.I_[:],
        "count": lambda: spikes.count[:],
        "rate": lambda: rate.rate_[:],
        "rate_t": lambda: rate.t_[:],
    }


@kind
def spike_timing_dependent_plasticity():
    """STDP: event-driven traces, weights clipped, spikes from a list."""
    rng = np.random.default_rng(2)
    times = np.sort(rng.choice(390, 60, replace=False)) * 0.1 * ms
    source = b2.SpikeGeneratorGroup(10, rng.integers(0, 10, 60), times, name="stdp_source")
    cells = b2.NeuronGroup(
        3, "dv/dt = -v/(10*ms) : 1", threshold="v > 0.6", reset="v = 0", method="exact", name="stdp_cells"
    )
    synapses = b2.Synapses(
        source,
        cells,
        """w : 1
           dapre/dt = -apre/(20*ms) : 1 (event-driven)
           dapost/dt = -apost/(20*ms) : 1 (event-driven)""",
        on_pre="""v_post += w
                  apre += 0.01
                  w = clip(w + apost, 0, 1)""",
        on_post="""apost -= 0.0105
                   w = clip(w + apre, 0, 1)""",
        name="stdp",
    )
    synapses.connect()
    synapses.w = "0.1 + 0.02*i + 0.01*j"
    weights = b2.StateMonitor(synapses, ["w", "apre"], record=[0, 7, 29], dt=1 * ms, name="stdp_weights")
    spikes = b2.SpikeMonitor(cells, name="stdp_spikes")
    return [source, cells, synapses, weights, spikes], {
        "w": lambda: synapses.w[:],
        "apre": lambda: synapses.apre[:],
        "course": lambda: weights.w,
        "traces": lambda: weights.apre,
        "t": lambda: spikes.t_[:],
    }


@kind
def adaptive_threshold():
    """A threshold that jumps at a spike and decays; another that depends on the state."""
    cells = b2.NeuronGroup(
        20,
        """dv/dt = (drive - v)/(10*ms) : volt
           dvt/dt = (10*mV - vt)/(15*ms) : volt
           drive : volt""",
        threshold="v > vt + 0.05*v*int(i % 2)", reset="v = 0*mV; vt += 3*mV", method="exact",
        name="threshold_cells",
    )  # fmt: skip
    cells.drive = "(15 + i)*mV"
    cells.vt = 10 * mV
    course = b2.StateMonitor(cells, ["v", "vt"], record=True, name="threshold_course")
    return [cells, course], {"v": lambda: course.v_, "vt": lambda: course.vt_, "t": lambda: course.t_[:]}


@kind
def refractoriness():
    """A constant period, one of each cell's own, and one given by a condition."""
    equations = "dv/dt = (3 - v)/(10*ms) : 1 (unless refractory)\nheld : second\n"
    common = {"threshold": "v > 1", "reset": "v = 0", "method": "exact"}
    constant = b2.NeuronGroup(2, equations, refractory=4 * ms, name="refractory_constant", **common)
    variable = b2.NeuronGroup(5, equations, refractory="held", name="refractory_variable", **common)
    variable.held = "(1 + i)*ms"
    condition = b2.NeuronGroup(
        2, "dv/dt = (3 - v)/(10*ms) : 1", threshold="v > 1", refractory="v > 0.7", reset="v = 1.2 - 0.3*i",
        method="exact", name="refractory_condition",
    )  # fmt: skip
    groups = [constant, variable, condition]
    spikes = [b2.SpikeMonitor(group, name=f"{group.name}_spikes") for group in groups]
    return [*groups, *spikes], {
        **{f"v{k}": lambda g=g: g.v[:] for k, g in enumerate(groups)},
        **{f"t{k}": lambda s=s: s.t_[:] for k, s in enumerate(spikes)},
        "lastspike": lambda: variable.lastspike_[:],
        "not_refractory": lambda: variable.not_refractory[:],
    }


@kind
def heterogeneous_delays():
    """A delay of each synapse's own, on both sides, beside a pathway with one for all."""
    source = b2.SpikeGeneratorGroup(4, [0, 1, 2, 3, 0], [1, 2, 3, 4, 20] * ms, name="delay_source")
    cells = b2.NeuronGroup(
        5, "dv/dt = -v/(10*ms) : 1\nx : 1", threshold="v > 1.1", reset="v = 0", method="exact", name="late"
    )
    synapses = b2.Synapses(
        source,
        cells,
        "w : 1",
        on_pre={"slow": "v_post += w", "fast": "x_post += 1"},
        on_post="w *= 0.9",
        delay={"fast": 0.7 * ms},
        name="delays",
    )
    synapses.connect()
    synapses.w = "0.3 + 0.1*i"
    synapses.slow.delay = "(i + 5*j)*0.5*ms"
    synapses.post.delay = "(1 + i)*ms"
    course = b2.StateMonitor(cells, ["v", "x"], record=True, name="delay_course")
    return [source, cells, synapses, course], {
        "v": lambda: course.v,
        "x": lambda: course.x,
        "w": lambda: synapses.w[:],
        "delay": lambda: synapses.slow.delay_[:],
    }


@kind
def several_clocks():
    """Groups and monitors on steps of 0.1, 0.25 and 1 ms that drive each other."""
    fast = b2.NeuronGroup(2, "dx/dt = (y - x)/(5*ms) : 1\ny : 1 (linked)", method="exact", name="clock_in")
    slow = b2.NeuronGroup(
        2, "dy/dt = (1 + 0.3*i - y)/(7*ms) : 1", dt=0.25 * ms, method="exact", name="clock_slow"
    )
    fast.y = b2.linked_var(slow, "y")
    slow.run_regularly("y *= 0.8", dt=3 * ms, when="end", name="clock_jumps")
    coarse = b2.StateMonitor(fast, "x", record=True, dt=1 * ms, name="clock_coarse")
    fine = b2.StateMonitor(slow, "y", record=[1], name="clock_fine")
    return [fast, slow, coarse, fine], {
        "x": lambda: coarse.x,
        "t": lambda: coarse.t_[:],
        "y": lambda: fine.y,
        "fine_t": lambda: fine.t_[:],
    }


@kind
def timed_input():
    """TimedArrays of one and two dimensions, read past their end too."""
    names = {
        "stimulus": b2.TimedArray(np.sin(np.arange(12)) * pA, dt=2 * ms),
        "pattern": b2.TimedArray(np.cos(np.arange(60)).reshape(20, 3), dt=1.3 * ms),
        "C": 10 * pF,
    }
    cells = b2.NeuronGroup(
        3,
        """dv/dt = stimulus(t)/C + pattern(t, i)*mV/ms : volt
           seen = stimulus(t) : amp""",
        method="euler", namespace=names, name="timed",
    )  # fmt: skip
    course = b2.StateMonitor(cells, ["v", "seen"], record=True, name="timed_course")
    return [cells, course], {"v": lambda: course.v_, "seen": lambda: course.seen_}


@kind
def hodgkin_huxley():
    """Stiff equations with rates that have removable singularities."""
    names = {"C": 200 * pF, "gl": 10 * nS, "gNa": 20 * uS, "gK": 6 * uS}
    names |= {"El": -65 * mV, "ENa": 50 * mV, "EK": -90 * mV, "VT": -63 * mV}
    cells = b2.NeuronGroup(
        3,
        """dv/dt = (gl*(El - v) - gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK) + drive)/C : volt
           dm/dt = alpham*(1 - m) - betam*m : 1
           dn/dt = alphan*(1 - n) - betan*n : 1
           dh/dt = alphah*(1 - h) - betah*h : 1
           alpham = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
           betam = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
           alphan = 0.032*5/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
           betan = 0.5*exp((10*mV - v + VT)/(40*mV))/ms : Hz
           alphah = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
           betah = 4/(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
           drive : amp""",
        threshold="v > -40*mV", refractory="v > -40*mV", method="exponential_euler", namespace=names,
        dt=0.02 * ms, name="hh",
    )  # fmt: skip
    cells.v, cells.drive = -65 * mV, "(300 + 200*i)*pA"
    spikes = b2.SpikeMonitor(cells, name="hh_spikes")
    return [cells, spikes], {"v": lambda: cells.v_[:], "m": lambda: cells.m[:], "t": lambda: spikes.t_[:]}


@kind
def adaptive_exponential():
    """Brette-Gerstner cells: an exponential and a second variable."""
    names = {"C": 281 * pF, "gL": 30 * nS, "EL": -70.6 * mV, "VT": -50.4 * mV, "DeltaT": 2 * mV}
    cells = b2.NeuronGroup(
        4,
        """dvm/dt = (gL*(EL - vm) + gL*DeltaT*exp((vm - VT)/DeltaT) + drive - w)/C : volt
           dw/dt = (4*nS*(vm - EL) - w)/(144*ms) : amp
           drive : amp""",
        threshold="vm > -40*mV", reset="vm = -70.6*mV; w += 0.08*nA", method="euler",
        namespace=names, name="adex",
    )  # fmt: skip
    cells.vm, cells.drive = -70.6 * mV, "(0.8 + 0.3*i)*nA"
    spikes = b2.SpikeMonitor(cells, name="adex_spikes")
    return [cells, spikes], {"vm": lambda: cells.vm_[:], "w": lambda: cells.w_[:], "t": lambda: spikes.t_[:]}


@kind
def firing_rate_units():
    """Rate units that are coupled through synapses, with Heun's method."""
    units = b2.NeuronGroup(6, "dr/dt = (tanh(drive) - r)/(10*ms) : 1\ndrive : 1", method="heun", name="rates")
    units.r = "0.1*i - 0.2"
    coupling = b2.Synapses(units, units, "w : 1\ndrive_post = w*r_pre : 1 (summed)", name="rates_coupling")
    coupling.connect("i != j")
    coupling.w = "0.8*cos(i - 2*j)"
    return [units, coupling], {"r": lambda: units.r[:], "drive": lambda: units.drive[:]}


@kind
def multicompartment():
    """A branched cable with a current injected at one end (SpatialNeuron)."""
    soma = b2.Soma(30 * b2.um)
    soma.dendrite = b2.Cylinder(length=200 * b2.um, diameter=2 * b2.um, n=10)
    soma.dendrite.left = b2.Cylinder(length=100 * b2.um, diameter=1 * b2.um, n=5)
    soma.dendrite.right = b2.Cylinder(length=150 * b2.um, diameter=1 * b2.um, n=5)
    neuron = b2.SpatialNeuron(
        morphology=soma,
        model="""Im = gL*(EL - v) : amp/meter**2
                 I : amp (point current)""",
        Cm=1 * b2.uF / b2.cm**2, Ri=150 * b2.ohm * b2.cm, method="exponential_euler",
        namespace={"gL": 1e-4 * b2.siemens / b2.cm**2, "EL": -70 * mV}, name="cable",
    )  # fmt: skip
    neuron.v = -70 * mV
    neuron.I[0] = 0.1 * b2.nA
    course = b2.StateMonitor(neuron, "v", record=[0, 10, 20], name="cable_course")
    return [neuron, course], {"v": lambda: neuron.v_[:], "course": lambda: course.v_}

"""Small networks, one of each kind that Brian2's documentation shows, written for these tests.

Each returns its objects and what to compare. They are deterministic. A run is 40 ms: short enough that
rounding, which the compiled engine's fast arithmetic does in another order, is not amplified beyond 1e-12,
and long enough that every cell that can spike does.
"""

import brian2 as b2
import numpy as np
from brian2 import ms, mV, nS, pA, pF, uS

from support.synapse_kinds import SYNAPSES

DURATION = 40 * ms


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


def custom_events():
    """Events that are not spikes: a monitor, a reaction, synapses that listen to them."""
    cells = b2.NeuronGroup(
        4,
        "dv/dt = (2 - v)/(6*ms) : 1\nseen : 1\nheard : 1",
        threshold="v > 1.5", reset="v = 0", events={"half": "v > 0.75 and v < 0.8"},
        method="exact", name="events",
    )  # fmt: skip
    cells.v = "0.2*i"
    cells.run_on_event("half", "seen += 1; v += 0.06")
    heard = b2.Synapses(cells, cells, on_pre="heard_post += 1 + i", on_event="half", name="events_heard")
    heard.connect("j == (i + 1) % N_pre")
    log = b2.EventMonitor(cells, "half", variables=["v"], name="events_log")
    return [cells, heard, log], {
        "seen": lambda: cells.seen[:],
        "heard": lambda: cells.heard[:],
        "v": lambda: log.v[:],
        "t": lambda: log.t_[:],
    }


def linked_variables():
    """A variable of another group, one for one and through an index."""
    shared = b2.NeuronGroup(3, "dz/dt = (1 + i - z)/(4*ms) : 1", method="exact", name="linked_from")
    cells = b2.NeuronGroup(
        6,
        """dv/dt = (z - v)/(10*ms) : 1
           z : 1 (linked)""",
        method="rk4", name="linked_to",
    )  # fmt: skip
    cells.z = b2.linked_var(shared, "z", index=np.array([0, 0, 1, 1, 2, 2]))
    return [shared, cells], {"v": lambda: cells.v[:], "z": lambda: cells.z[:]}


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


def regular_operations():
    """run_regularly, on each cell's own clock and a slower one; whole and true-false variables."""
    cells = b2.NeuronGroup(
        4,
        """dv/dt = -v/(5*ms) : 1
           n : integer
           high : boolean
           limit : 1 (shared)""",
        method="exact", name="regular",
    )  # fmt: skip
    cells.v, cells.limit = "1 + i", 0.5
    cells.run_regularly("n += int(v > limit); high = v > 2*limit", when="start", name="regular_each")
    cells.run_regularly("limit = 0.9*limit; v += 1 + n % 3", dt=4 * ms, name="regular_slow")
    course = b2.StateMonitor(cells, ["v", "n", "high"], record=True, name="regular_course")
    return [cells, course], {
        "v": lambda: course.v,
        "n": lambda: course.n,
        "high": lambda: course.high,
        "limit": lambda: cells.limit[:],
    }


@b2.implementation("cpp", "static inline double squashed(double x, int n) { return x/(1 + fabs(x))*n; }")
@b2.implementation("numpy", discard_units=True)
@b2.check_units(x=1, n=1, result=1)
def squashed(x, n):
    return x / (1 + np.abs(x)) * n


def functions_of_the_user():
    """A function with an implementation in C++, beside many of Brian2's own."""
    cells = b2.NeuronGroup(
        5,
        """dv/dt = (squashed(v, 3) + sin(2*pi*100*Hz*t) + exprel(v) + sqrt(abs(v)) - v**3)/(10*ms) : 1
           step : integer""",
        method="euler", namespace={"squashed": squashed}, name="functions",
    )  # fmt: skip
    cells.v = "0.1 + 0.2*i"
    cells.run_regularly("step = timestep(t, dt) + sign(v)*int(floor(v*10))", name="functions_step")
    course = b2.StateMonitor(cells, ["v", "step"], record=True, name="functions_course")
    return [cells, course], {"v": lambda: course.v, "step": lambda: course.step}


CELLS = (
    adaptive_threshold,
    refractoriness,
    adaptive_exponential,
    hodgkin_huxley,
    multicompartment,
    custom_events,
    linked_variables,
    timed_input,
    several_clocks,
    regular_operations,
    functions_of_the_user,
)

KINDS = {function.__name__: function for function in (*CELLS, *SYNAPSES)}

"""Networks whose objects refer to one another or to functions: links, parts, sums, gap junctions, events."""

import brian2 as b2
import numpy as np
from brian2 import ms

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def positions(n, seed=0):
    return np.random.default_rng(seed).random(n)


@kind
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


@kind
def subgroups():
    """Synapses between parts of groups, and monitors of parts."""
    cells = b2.NeuronGroup(
        12, "dv/dt = (1.5 - v)/(8*ms) : 1", threshold="v > 1", reset="v = 0.1*v", method="exact", name="parts"
    )
    cells.v = positions(12, 3)
    front, back = cells[:5], cells[7:]
    synapses = b2.Synapses(
        front, back, on_pre="v_post += 0.05*(1 + i)", on_post="v_pre -= 0.01*j", name="parts_link"
    )
    synapses.connect("i != j")
    spikes = b2.SpikeMonitor(back, name="parts_spikes")
    rate = b2.PopulationRateMonitor(front, name="parts_rate")
    course = b2.StateMonitor(back, "v", record=[0, 4], name="parts_course")
    return [cells, synapses, spikes, rate, course], {
        "v": lambda: cells.v[:],
        "i": lambda: spikes.i[:],
        "rate": lambda: rate.rate_[:],
        "course": lambda: course.v,
    }


@kind
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


@kind
def spike_generator():
    """Spikes from a list, repeated with a period, seen by a monitor and by cells."""
    source = b2.SpikeGeneratorGroup(3, [0, 1, 1, 2], [0, 1.2, 4, 6.9] * ms, period=7 * ms, name="list")
    cells = b2.NeuronGroup(3, "x : 1", name="list_cells")
    synapses = b2.Synapses(source, cells, on_pre="x_post += 1 + t/(10*ms)", name="list_synapses")
    synapses.connect("i == j")
    spikes = b2.SpikeMonitor(source, name="list_spikes")
    return [source, cells, synapses, spikes], {
        "x": lambda: cells.x[:],
        "i": lambda: spikes.i[:],
        "t": lambda: spikes.t_[:],
    }


@kind
def summed_variables():
    """Synapses that vary continuously, summed over all that reach a cell (NMDA-like)."""
    source = b2.SpikeGeneratorGroup(4, [0, 1, 2, 3, 1], [1, 3, 5, 7, 15] * ms, name="summed_source")
    cells = b2.NeuronGroup(
        3, "dv/dt = (total - v)/(10*ms) : 1\ntotal : 1", method="euler", name="summed_cells"
    )
    synapses = b2.Synapses(
        source,
        cells,
        """ds/dt = -s/(30*ms) + a*(1 - s)/ms : 1 (clock-driven)
           da/dt = -a/(2*ms) : 1 (clock-driven)
           total_post = w*s : 1 (summed)
           w : 1""",
        on_pre="a += 0.5", method="rk2", name="summed",
    )  # fmt: skip
    synapses.connect()
    synapses.w = "0.2 + 0.1*i*j"
    course = b2.StateMonitor(cells, ["v", "total"], record=True, name="summed_course")
    return [source, cells, synapses, course], {
        "v": lambda: course.v,
        "total": lambda: course.total,
        "s": lambda: synapses.s[:],
    }


@kind
def gap_junctions():
    """Electrical synapses."""
    cells = b2.NeuronGroup(
        8,
        """dv/dt = (drive - v + Igap)/(10*ms) : 1
           drive : 1
           Igap : 1""",
        threshold="v > 1", reset="v = 0", method="euler", name="gap",
    )  # fmt: skip
    cells.drive, cells.v = "1.05 + 0.1*i", positions(8, 4)
    junctions = b2.Synapses(
        cells, cells, "w : 1\nIgap_post = w*(v_pre - v_post) : 1 (summed)", name="gap_junctions"
    )
    junctions.connect("abs(i - j) == 1")
    junctions.w = 0.2
    spikes = b2.SpikeMonitor(cells, name="gap_spikes")
    return [cells, junctions, spikes], {
        "v": lambda: cells.v[:],
        "Igap": lambda: cells.Igap[:],
        "t": lambda: spikes.t_[:],
    }


@kind
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


@kind
def several_synapses_of_a_pair():
    """More than one synapse between two cells, told apart by a number."""
    source = b2.SpikeGeneratorGroup(2, [0, 1, 0], [1, 5, 9] * ms, name="multi_source")
    cells = b2.NeuronGroup(2, "x : 1", name="multi_cells")
    synapses = b2.Synapses(
        source, cells, "w : 1", on_pre="x_post += w", multisynaptic_index="k", name="multi"
    )
    synapses.connect(n=3)
    synapses.w, synapses.delay = "1 + k + 10*i", "k*2*ms"
    course = b2.StateMonitor(cells, "x", record=True, name="multi_course")
    return [source, cells, synapses, course], {"x": lambda: course.x}


@b2.implementation("cpp", "static inline double squashed(double x, int n) { return x/(1 + fabs(x))*n; }")
@b2.implementation("numpy", discard_units=True)
@b2.check_units(x=1, n=1, result=1)
def squashed(x, n):
    return x / (1 + np.abs(x)) * n


@kind
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

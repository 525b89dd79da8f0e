"""Networks of cells and synapses, for `support.kinds`."""

import brian2 as b2
import numpy as np
from brian2 import ms, mV


def positions(n, seed=0):
    return np.random.default_rng(seed).random(n)


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


def firing_rate_units():
    """Rate units that are coupled through synapses, with Heun's method."""
    units = b2.NeuronGroup(6, "dr/dt = (tanh(drive) - r)/(10*ms) : 1\ndrive : 1", method="heun", name="rates")
    units.r = "0.1*i - 0.2"
    coupling = b2.Synapses(units, units, "w : 1\ndrive_post = w*r_pre : 1 (summed)", name="rates_coupling")
    coupling.connect("i != j")
    coupling.w = "0.8*cos(i - 2*j)"
    return [units, coupling], {"r": lambda: units.r[:], "drive": lambda: units.drive[:]}


SYNAPSES = (
    conductance_based,
    current_based,
    spike_timing_dependent_plasticity,
    heterogeneous_delays,
    subgroups,
    spike_generator,
    summed_variables,
    gap_junctions,
    several_synapses_of_a_pair,
    firing_rate_units,
)

"""What a user does between runs, on Brian2's own runtime and on both engines: the same numbers."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from support.circuits import NAMES, assert_same, circuit

pytestmark = pytest.mark.usefixtures("own_scope")

PROTOCOLS = {}


def protocol(function):
    PROTOCOLS[function.__name__] = function
    return function


@protocol
def written_values():
    """Values written by index, slice, mask and string expression."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.cells.v[1] = 0.9
    c.cells.v[2:4] = [0.1, 0.2]
    c.cells.v["v < 0.15"] = "0.3 + 0.01*i"
    c.cells.drive = 1.3
    c.recurrent.w["i == 2"] = "w + 0.1*j"
    c.recurrent.w[0, 1] = 0.7
    c.net.run(3 * ms, namespace=NAMES)
    c.cells.drive[4:] *= 0.5
    c.net.set_states({"cells": {"v": np.linspace(0, 0.5, 6)}})
    c.net.run(3 * ms, namespace=NAMES)
    return c.result() | {"states": c.net.get_states(units=False)["recurrent"]["w"]}


@protocol
def object_added_and_removed():
    """A monitor, a group and a part of a group come between runs; the first two go again."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.cells.run_regularly("v += 0.05", dt=1 * ms, name="push")
    late = b2.NeuronGroup(2, "dy/dt = (1 - y)/(2*ms) : 1", method="euler", name="late")
    rate = b2.PopulationRateMonitor(c.cells, name="rate")
    c.net.add(late, rate)
    c.net.run(3 * ms, namespace=NAMES)
    c.net.remove(late, c.course)
    c.net.run(3 * ms, namespace=NAMES)
    return c.result() | {"y": np.array(late.y), "rate": np.array(rate.rate_)}


@protocol
def connected_again():
    """More synapses while spikes of the old ones are in flight."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.recurrent.connect(i=[0, 1], j=[0, 1])
    c.recurrent.w[0, 0] = 1.5
    c.feed.connect("i == j")
    c.feed.w[18:], c.feed.delay[18:] = 0.4, "(5 + i)*0.1*ms"
    c.net.run(6 * ms, namespace=NAMES)
    return c.result() | {"n": np.array([len(c.feed), *c.recurrent.N_outgoing])}


@protocol
def new_spikes():
    """Other spikes from a generator, more and fewer than before."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.source.set_spikes([2, 1, 0, 0, 1, 2, 2, 1, 0], [3.3, 3.5, 3.7, 4, 4.1, 4.2, 4.5, 5, 5.5] * ms)
    c.net.run(3 * ms, namespace=NAMES)
    c.source.set_spikes([0], [6.5] * ms)
    c.net.run(3 * ms, namespace=NAMES)
    return c.result()


@protocol
def delays_changed():
    """Longer, shorter and single delays, with spikes in flight."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.feed.delay = "(2 - 0.1*i)*ms"
    c.net.run(2 * ms, namespace=NAMES)
    c.feed.delay[0, :] = 0.2 * ms
    c.recurrent.pre.delay = 2.3 * ms
    c.net.run(3 * ms, namespace=NAMES)
    c.feed.pre.delay[3:5] = [0.1, 3] * ms
    c.net.run(3 * ms, namespace=NAMES)
    return c.result()


@protocol
def step_changed():
    """A finer dt while spikes are in flight (Brian2 loses some of them when dt grows: `test_state.py`)."""
    c = circuit()
    for dt in (0.1, 0.05):
        b2.defaultclock.dt = dt * ms
        c.net.run(3.2 * ms, namespace=NAMES)
    return c.result()


@protocol
def switched_off_and_on():
    """Synapses and monitors that rest for a run."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.recurrent.active = c.course.active = False
    c.net.run(3 * ms, namespace=NAMES)
    c.recurrent.active = c.course.active = True
    c.net.run(3 * ms, namespace=NAMES)
    return c.result()


@protocol
def other_constants():
    """Numbers, and a TimedArray, that mean something else in the next run."""
    c = circuit()
    tau, limit, gain, stimulus = 5 * ms, 1.0, 0.3, b2.TimedArray([0.2, 0.4, 0.3], dt=2 * ms)
    c.net.run(3 * ms)
    tau, limit = 7 * ms, 0.9
    c.net.run(3 * ms)
    gain, stimulus = 1, b2.TimedArray([0.0, 0.3, 0.6, 0.1], dt=1 * ms)
    c.net.run(3 * ms, namespace={"tau": tau, "limit": 0.8, "gain": gain, "stimulus": stimulus})
    stimulus.values[:] += 0.2
    tau = 4 * ms
    c.net.run(3 * ms)
    return c.result() | {"tau": np.array(float(tau)), "limit": np.array(limit)}


@protocol
def other_schedule():
    """A schedule that shows spikes to synapses before thresholds are looked at."""
    c = circuit()
    c.net.run(3 * ms, namespace=NAMES)
    c.net.schedule = ["start", "synapses", "groups", "thresholds", "resets", "end"]
    c.net.run(3 * ms, namespace=NAMES)
    c.cells.resetter["spike"].when = "end"
    c.net.run(3 * ms, namespace=NAMES)
    return c.result()


@protocol
def time_set_back():
    """The next trial starts at 0 again."""
    c = circuit()
    for _ in range(3):
        c.net.run(2.5 * ms, namespace=NAMES)
        c.net.t_ = 0.0
        c.source.set_spikes([0, 2], [0.4, 2] * ms)
    return c.result()


@protocol
def stored_and_restored():
    """Back to a point with spikes in flight, twice, the second time with another step in between."""
    c = circuit()
    c.net.store("start")
    c.net.run(3.3 * ms, namespace=NAMES)
    c.net.store("flight")
    c.net.run(3 * ms, namespace=NAMES)
    first = c.result()
    c.net.restore("flight")
    c.net.run(3 * ms, namespace=NAMES)
    assert_same(c.result(), first, rtol=0)
    c.net.restore("start")
    c.net.run(6.3 * ms, namespace=NAMES)
    assert_same(c.result(), first, rtol=0)
    return first


@protocol
def monitors_read_in_many_ways():
    """By name, index, slice, mask, cell and as trains."""
    c = circuit()
    found = {"nothing": np.array([len(c.spikes.t), c.spikes.num_spikes, *c.course.v.shape])}
    for k in range(2):
        c.net.run(4 * ms, namespace=NAMES)
        trains, values = c.spikes.spike_trains(), c.spikes.all_values()["t"]
        found |= {
            f"one{k}": np.array(c.course[2].v),
            f"part{k}": np.array(c.spikes.t_[1:3]),
            f"late{k}": np.array(c.spikes.i["t > 2.7*ms"]),
            f"train{k}": np.concatenate([np.asarray(trains[cell]) for cell in range(6)]),
            f"values{k}": np.concatenate([np.asarray(values[cell]) for cell in range(6)]),
            f"number{k}": np.array([len(c.spikes.t), len(c.course.t), c.spikes.num_spikes, c.spikes.N[:]]),
            f"states{k}": c.net.get_states(units=False)["spikes"]["t"],
            f"synapses{k}": np.array([*c.recurrent.w[:, 3], *c.recurrent.w["i > j"], len(c.recurrent)]),
        }
    return found


@protocol
def nothing_to_do():
    """Networks without objects, without code, without synapses, without records; names of a caller above."""
    b2.Network().run(1 * ms)
    cells = b2.NeuronGroup(3, "v : 1\nu = height*v : 1", threshold="v > 1", reset="v = 0", name="idle")
    synapses = b2.Synapses(cells, cells, on_pre="v += 1", name="never")
    synapses.connect("i == 100")
    course = b2.StateMonitor(cells, "u", record=False, name="empty")
    one = b2.StateMonitor(cells, "u", record=[1], name="one")
    count = b2.SpikeMonitor(cells, record=False, name="count")
    net = b2.Network(cells, synapses, course, one, count)
    cells.v = 2
    height = 3.0

    def inner():
        net.run(1 * ms, level=1)

    inner()
    net.run(0 * ms)
    return {"count": np.array(count.count), "empty": np.array(course.u), "one": np.array(one.u) * height / 3}


@protocol
def magic_network():
    """`run` finds the objects: the same ones go on, new ones start at 0."""
    found = {}
    for k in range(2):
        cells = b2.NeuronGroup(3, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0", method="euler")
        spikes = b2.SpikeMonitor(cells)
        tau = (5 + k) * ms
        b2.run(9 * ms)
        b2.store()
        b2.run(6 * ms)
        b2.restore()
        tau = 3 * ms
        b2.run(6 * ms)
        found |= {f"v{k}": np.array(cells.v), f"t{k}": np.array(spikes.t_)}
        del tau
    return found


def run(function, device):
    b2.set_device(device)
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * ms
    b2.prefs.codegen.target = "numpy"
    return function()


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_same_as_brian2(name):
    expected = run(PROTOCOLS[name], "runtime")
    assert len(expected.get("spike_t", "any"))
    assert_same(run(PROTOCOLS[name], "neuroanp"), expected)


@pytest.mark.parametrize("name", ["other_constants", "stored_and_restored", "magic_network"])
def test_same_on_the_runtime_engine(name):
    """Which is Brian2's own runtime: what our device adds are names, stored points and the magic network."""
    assert_same(run(PROTOCOLS[name], "neuroanp_runtime"), run(PROTOCOLS[name], "runtime"))

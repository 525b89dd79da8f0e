"""Networks after users' reports, with the right values: Python code in them, kept arrays, names, times."""

import gc

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.errors import NoImplementation

pytestmark = pytest.mark.usefixtures("own_scope")

DT = b2.defaultclock.dt


@pytest.fixture(params=["neuroanp", "neuroanp_runtime"])
def either(request, device):
    b2.set_device(request.param)


class Robot(b2.BrianObject):
    """A plant in Python, as a part of the network."""

    def __init__(self, group):
        super().__init__(when="end", name="robot")
        self.group, self.calls = group, 0

    def run(self):
        self.calls += 1
        self.group.v = self.group.v[:] + 1


class Stimulus(b2.NeuronGroup):
    """A group that prepares each run in Python."""

    runs = 0

    def before_run(self, run_namespace):
        self.runs += 1
        self.x = self.runs
        super().before_run(run_namespace)


def test_python_code_of_an_object_is_run(either):
    group = b2.NeuronGroup(2, "v : 1", name="cells")
    robot, seen = Robot(group), []
    net = b2.Network(group, robot, b2.NetworkOperation(lambda: seen.append(group.v[0]), when="start"))
    net.run(3 * DT)
    net.run(2 * DT)
    assert robot.calls == 5
    assert seen == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(group.v, [5, 5])


def test_python_code_added_after_a_run(device):
    """All moves to Brian2's runtime: what monitors recorded, and spikes in flight."""
    source = b2.SpikeGeneratorGroup(2, [0, 1, 0, 1], [0, 0, 0.5, 0.5] * ms, name="source")
    cells = b2.NeuronGroup(2, "v : 1", name="cells")
    synapses = b2.Synapses(source, cells, on_pre="v_post += 1 + i", delay=0.3 * ms, name="synapses")
    synapses.connect(j="i")
    spikes, trace = (
        b2.SpikeMonitor(source, name="spikes"),
        b2.StateMonitor(cells, "v", record=True, name="trace"),
    )
    net = b2.Network(source, cells, synapses, spikes, trace)
    net.run(0.1 * ms)
    moves = b2.NetworkOperation(lambda: setattr(cells, "v", cells.v[:] + 10), when="end")
    net.add(moves)
    net.run(0.5 * ms)
    net.remove(moves)
    net.run(0.4 * ms)
    np.testing.assert_array_equal(trace.v[1], [0, 0, 10, 20, 32, 42, 52, 52, 52, 54])
    np.testing.assert_array_equal(spikes.i, [0, 1, 0, 1])
    np.testing.assert_allclose(spikes.t / ms, [0, 0, 0.5, 0.5])


@pytest.mark.slow
def test_an_error_after_a_run_leaves_the_network_runnable(device):
    cells = b2.NeuronGroup(1, "v : 1", name="cells")
    cells.run_regularly("v += 1")
    trace = b2.StateMonitor(cells, "v", record=True, name="trace")
    net = b2.Network(cells, trace)
    net.run(DT)
    other = b2.NeuronGroup(1, "v : 1", threshold="v > missing", name="other")
    more = [b2.NetworkOperation(lambda: None), other]
    net.add(more)
    with pytest.raises(b2.core.base.BrianObjectException, match="other"):
        net.run(DT)
    net.remove(more)
    net.run(2 * DT)
    np.testing.assert_array_equal(trace.v[0], [1, 2, 3])


def test_python_code_before_each_run(either):
    group = Stimulus(2, "x : 1\ntotal : 1", name="cells")
    group.run_regularly("total += x")
    net = b2.Network(group)
    for _ in range(3):
        net.run(DT)
    assert group.runs == 3
    np.testing.assert_array_equal(group.total, [6, 6])


@b2.check_units(x=1, result=1)
def raised(x):
    return np.tanh(x) + 1


@pytest.mark.parametrize("engine", ["auto", "compiled"])
def test_a_function_that_only_python_has(device, engine):
    b2.set_device("neuroanp", engine=engine)
    try:
        group = b2.NeuronGroup(2, "v : 1", name="cells", namespace={"raised": raised})
        group.run_regularly("v = raised(v)", name="cells_step")
        if engine == "compiled":
            with pytest.raises(
                NoImplementation, match="'cells_step' uses a function without an implementation"
            ):
                b2.Network(group).run(DT)
        else:
            b2.Network(group).run(2 * DT)
            np.testing.assert_allclose(group.v, np.tanh(1) + 1)
    finally:
        b2.get_device().engine = "auto"


def test_arrays_taken_before_the_first_run_stay_alive(either):
    source = b2.SpikeGeneratorGroup(2, [0, 1] * 3, np.repeat([0, 1, 2], 2) * ms, name="source")
    cells = b2.NeuronGroup(2, "v : 1", name="cells")
    synapses = b2.Synapses(source, cells, "w : 1", on_pre="v_post += w; w += gain", name="synapses")
    synapses.connect(j="i")
    synapses.w = 1
    w, v, delays = synapses.w[:], cells.v[:], synapses.pre.delay_[:]
    net = b2.Network(source, cells, synapses)
    net.run(1 * ms, namespace={"gain": 1})
    np.testing.assert_array_equal(w, [2, 2])
    w[:], v[:] = 10, 0
    net.run(1 * ms, namespace={"gain": 0.5})  # another type: compiled anew
    gc.collect()
    np.testing.assert_array_equal(v, [10, 10])
    np.testing.assert_array_equal(w, [10.5, 10.5])
    w[:], delays[:] = 100, 1.5e-3
    net.run(1 * ms, namespace={"gain": 0.5})
    np.testing.assert_array_equal(synapses.w, [100, 100])
    net.run(1 * ms, namespace={"gain": 0.5})
    np.testing.assert_array_equal(synapses.w, [100.5, 100.5])
    np.testing.assert_array_equal(cells.v, [110, 110])


def test_spikes_due_while_their_generator_was_inactive(either):
    """As Brian2 has it they come at once, if there is room for them."""
    source = b2.SpikeGeneratorGroup(3, [0, 1, 0, 1, 2], [0, 0.2, 0.3, 0.4, 0.5] * ms, name="source")
    spikes = b2.SpikeMonitor(source, name="spikes")
    net = b2.Network(source, spikes)
    net.run(0.2 * ms)
    net.store()
    for pause, times in ((0.2, [0, 0.4, 0.4, 0.4]), (0.3, None)):
        source.active = False
        net.run(pause * ms)
        source.active = True
        if times is None:
            for _ in range(2):
                with pytest.raises(
                    ValueError, match="'source' has 4 spikes due at once, more than its 3 cells"
                ):
                    net.run(DT)
        else:
            net.run(DT)
            np.testing.assert_allclose(spikes.t / ms, times)
        net.restore()


def test_synapses_added_between_runs(either):
    """The memory that the library works on has moved."""
    source = b2.SpikeGeneratorGroup(2, [0, 1, 0, 1], [0, 0, 1, 1] * ms, name="source")
    cells = b2.NeuronGroup(2, "v : 1", name="cells")
    synapses = b2.Synapses(source, cells, "w : 1", on_pre="v_post += w", name="synapses")
    synapses.connect(i=0, j=0)
    synapses.w = 1
    net = b2.Network(source, cells, synapses)
    net.run(1 * ms)
    synapses.connect(i=[1] * 500, j=1)
    synapses.w = "i + 1"
    net.run(1 * ms)
    np.testing.assert_array_equal(cells.v, [2, 1000])


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_whole_numbers_are_divided_as_python_does(either):
    group = b2.NeuronGroup(
        3,
        "n : integer\nm : integer\nx : 1\ny : 1\nz : 1\nrest : 1\nwhole : 1\nleft : integer\nrate : 1",
        name="cells",
    )
    group.n, group.m, group.left, group.rate = [20000001, 33554433, -7], [3, 0, 5], [-7, 7, -1], 7.25
    group.run_regularly(
        "x = n/1; y = n/(i + 3); z = abs(n)/(i + 3.0); rest = n % m; whole = n // m; left %= 3; rate %= 2"
    )
    b2.Network(group).run(DT)
    np.testing.assert_array_equal(group.x, [20000001, 33554433, -7])
    np.testing.assert_array_equal(group.y, [20000001 / 3, 33554433 / 4, -7 / 5])
    np.testing.assert_array_equal(group.z, np.abs(group.y))
    np.testing.assert_array_equal(group.rest, [0, 0, 3])
    np.testing.assert_array_equal(group.whole, [6666667, 0, -2])
    np.testing.assert_array_equal(group.left, [2, 1, 2])
    np.testing.assert_array_equal(group.rate, 1.25)


@b2.implementation("cpp", "static inline double risen(double x) { return x + 1; }")
@b2.check_units(x=1, result=1)
def risen(x):
    return x + 1


def test_functions_under_other_names(either):
    names = {"up": risen, "size": b2.DEFAULT_FUNCTIONS["abs"], "power": b2.DEFAULT_FUNCTIONS["exp"]}
    group = b2.NeuronGroup(2, "v : 1", namespace=names, name="cells")
    group.run_regularly("v = up(size(-3.5)) + power(0)")
    b2.Network(group).run(DT)
    np.testing.assert_array_equal(group.v, 5.5)


def test_names_that_are_words_of_cpp(either):
    equations = "dswitch/dt = (new - switch)/(5*ms) : 1\ndouble : 1\nlinux : integer\nM_E : 1\nEIO : 1"
    group = b2.NeuronGroup(
        2, equations, method="euler", threshold="switch > 1", reset="switch = 0; double += 1", name="cells"
    )
    group.run_regularly("linux = 3 + i; M_E += size_t; EIO = M_E")
    trace = b2.StateMonitor(group, "switch", record=True, name="trace")
    b2.Network(group, trace).run(20 * ms, namespace={"new": 2.0, "size_t": 1})
    expected, count, value = [], 0, 0.0
    for _ in range(200):
        expected.append(value)
        value += (2.0 - value) / 50
        if value > 1:
            value, count = 0.0, count + 1
    np.testing.assert_allclose(trace.switch[1], expected, atol=1e-12)
    np.testing.assert_array_equal(getattr(group, "double"), [count, count])  # noqa: B009
    np.testing.assert_array_equal(group.linux, [3, 4])
    np.testing.assert_array_equal(group.EIO, 200)


def test_a_single_step_is_recorded_after_a_run(either):
    group = b2.NeuronGroup(2, "dv/dt = slope : 1", method="euler", name="cells")
    trace = b2.StateMonitor(group, "v", record=True, name="trace")
    net = b2.Network(group, trace)
    net.run(0.3 * ms, namespace={"slope": 1 / ms})
    trace.record_single_timestep()
    net.run(0.2 * ms, namespace={"slope": 1 / ms})
    np.testing.assert_allclose(trace.t / ms, [0, 0.1, 0.2, 0.3, 0.3, 0.4], atol=1e-12)
    np.testing.assert_allclose(trace.v[0], [0, 0.1, 0.2, 0.3, 0.3, 0.4], atol=1e-12)


def test_times_of_objects(either):
    group = b2.NeuronGroup(
        2, "dv/dt = -v/ms : 1", method="exact", threshold="v > 1", reset="v = 0", name="cells"
    )
    net = b2.Network(group)
    net.run(1 * ms, profile=True)
    times = dict(net.profiling_info)
    assert {"cells_stateupdater", "cells_spike_thresholder", "cells_spike_resetter"} <= set(times)
    assert all(seconds > 0 * ms for name, seconds in times.items() if name != "cells")
    net.run(1 * ms)
    with pytest.raises(ValueError, match="profil"):
        net.profiling_info  # noqa: B018


@pytest.mark.skipif(not hasattr(b2, "EventClock"), reason="this Brian2 has no EventClock")
def test_operations_at_given_times(either):
    group = b2.NeuronGroup(1, "v : 1\nn : integer", name="cells")
    group.run_regularly("v += 1", clock=b2.EventClock([0.3, 1, 2.05, 7] * ms), name="events")
    group.run_at("n += 10", times=[1, 3] * ms)
    group.run_regularly("n += 1", dt=0.5 * ms)
    trace = b2.StateMonitor(
        group, ["v", "n"], record=0, when="end", clock=b2.EventClock([0, 1, 2.5] * ms), name="trace"
    )
    net = b2.Network(group, trace)
    for duration in (0.5, 0.5, 2.5):
        net.run(duration * ms)
    assert (group.v[0], group.n[0]) == (3, 27)
    np.testing.assert_array_equal(trace.v[0], [0, 2, 3])
    np.testing.assert_array_equal(trace.n[0], [1, 13, 16])

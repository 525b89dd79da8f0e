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
    w, v = synapses.w[:], cells.v[:]
    net = b2.Network(source, cells, synapses)
    net.run(1 * ms, namespace={"gain": 1})
    np.testing.assert_array_equal(w, [2, 2])
    w[:], v[:] = 10, 0
    net.run(1 * ms, namespace={"gain": 0.5})  # another type: compiled anew
    gc.collect()
    np.testing.assert_array_equal(v, [10, 10])
    np.testing.assert_array_equal(w, [10.5, 10.5])
    w[:] = 100
    net.run(1 * ms, namespace={"gain": 0.5})
    np.testing.assert_array_equal(synapses.w, [100.5, 100.5])
    np.testing.assert_array_equal(cells.v, [110, 110])


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


def test_whole_numbers_are_divided_in_double_precision(either):
    group = b2.NeuronGroup(3, "n : integer\nx : 1\ny : 1\nz : 1", name="cells")
    group.n = [20000001, 33554433, 7]
    group.run_regularly("x = n/1; y = n/(i + 3); z = n/(i + 3.0)")
    b2.Network(group).run(DT)
    np.testing.assert_array_equal(group.x, [20000001, 33554433, 7])
    np.testing.assert_array_equal(group.y, [20000001 / 3, 33554433 / 4, 7 / 5])
    np.testing.assert_array_equal(group.z, group.y)


def test_names_that_are_words_of_cpp(either):
    equations = "dswitch/dt = (new - switch)/(5*ms) : 1\ndouble : 1\nlinux : integer"
    group = b2.NeuronGroup(
        2, equations, method="euler", threshold="switch > 1", reset="switch = 0; double += 1", name="cells"
    )
    group.run_regularly("linux = 3 + i")
    trace = b2.StateMonitor(group, "switch", record=True, name="trace")
    b2.Network(group, trace).run(20 * ms, namespace={"new": 2.0})
    expected, count, value = [], 0, 0.0
    for _ in range(200):
        expected.append(value)
        value += (2.0 - value) / 50
        if value > 1:
            value, count = 0.0, count + 1
    np.testing.assert_allclose(trace.switch[1], expected, atol=1e-12)
    np.testing.assert_array_equal(getattr(group, "double"), [count, count])  # noqa: B009
    np.testing.assert_array_equal(group.linux, [3, 4])


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

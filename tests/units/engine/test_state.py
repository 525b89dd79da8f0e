"""State between runs: views, stored points, several networks, and what is freed."""

import gc
import importlib.util
import weakref
from pathlib import Path

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.build.cache import cache_folder
from neuroanp.engine.program.library import Library
from support.circuits import NAMES, assert_same, circuit

pytestmark = pytest.mark.usefixtures("own_scope")


def go(c, milliseconds=3):
    c.net.run(milliseconds * ms, namespace=NAMES)


@pytest.mark.usefixtures("device")
class TestViews:
    """Arrays that show what the library works on."""

    def test_a_view_shows_every_run(self):
        c = circuit()
        v = c.cells.variables["v"].get_value()
        go(c)
        w = c.recurrent.variables["w"].get_value()
        for _ in range(2):
            before = v.copy(), w.copy()
            go(c)
            assert not np.array_equal(v, before[0])
            assert not np.array_equal(w, before[1])
            np.testing.assert_array_equal(v, c.cells.v[:])
            np.testing.assert_array_equal(w, c.recurrent.w[:])

    def test_writing_to_a_view_is_writing_to_the_network(self):
        c = circuit()
        go(c)
        c.recurrent.variables["w"].get_value()[:] = 0.25
        c.cells.variables["v"].get_value()[:] = 0.125
        np.testing.assert_array_equal(c.recurrent.w[:], 0.25)
        c.net.run(0.1 * ms, namespace=NAMES | {"tau": 1e9 * b2.second})
        np.testing.assert_allclose(c.cells.v[:], 0.125, atol=1e-9)

    def test_a_view_stays_good_while_another_network_runs(self):
        c, other = circuit(), circuit("_other")
        go(c)
        w = c.recurrent.variables["w"].get_value()
        go(other)
        go(c)
        np.testing.assert_array_equal(w, c.recurrent.w[:])

    @pytest.mark.skipif(
        importlib.util.find_spec("brian2.memory.cythondynamicarray") is not None,
        reason="Brian2 from 2.10 on frees the memory that a view shows when synapses are added",
    )
    def test_an_old_view_outlives_new_synapses_and_the_network(self):
        c = circuit()
        go(c)
        w = c.recurrent.variables["w"].get_value()
        before = w.copy()
        c.recurrent.connect(i=0, j=0)
        np.testing.assert_array_equal(w, before)
        assert len(c.recurrent.w) == len(before) + 1
        del c
        gc.collect()
        np.testing.assert_array_equal(w, before)

    def test_what_monitors_recorded_is_a_copy(self):
        c = circuit()
        go(c)
        v, t = c.course.v, c.spikes.t_[:]
        kept = v.copy(), t.copy()
        go(c)
        np.testing.assert_array_equal(v, kept[0])
        np.testing.assert_array_equal(t, kept[1])
        assert c.course.v.shape[1] == 2 * v.shape[1]


def assert_continues_alike(c, state, **kwds):
    go(c)
    first = c.result()
    c.net.restore(state, **kwds)
    go(c)
    assert_same(c.result(), first, rtol=0)


@pytest.mark.usefixtures("device")
class TestStoredPoints:
    """`store` and `restore`: everything, to the bit."""

    @pytest.mark.parametrize("before", [0, 3.3])
    def test_random_numbers_are_restored(self, before):
        c = circuit(noise=True)
        if before:
            go(c, before)
        c.net.store("here")
        assert_continues_alike(c, "here", restore_random_state=True)
        c.net.restore("here")
        go(c)
        other = c.result()["v"]
        c.net.restore("here", restore_random_state=True)
        go(c)
        assert not np.array_equal(c.result()["v"], other)

    def test_a_stored_file_brings_a_new_network_to_the_same_point(self, tmp_path):
        c = circuit(noise=True)
        go(c)
        c.net.store(filename=str(tmp_path / "stored"))
        go(c)
        expected = c.result()
        del c
        gc.collect()
        again = circuit(noise=True)
        again.net.restore(filename=str(tmp_path / "stored"), restore_random_state=True)
        go(again)
        assert_same(again.result(), expected, rtol=0)

    def test_restoring_makes_monitors_shorter(self):
        c = circuit()
        go(c)
        c.net.store()
        before = c.result()
        go(c, 6)
        c.net.restore()
        assert_same(c.result(), before, rtol=0)

    def test_another_step_in_between(self):
        c = circuit()
        go(c, 3.3)
        c.net.store("here")
        go(c)
        first = c.result()
        b2.defaultclock.dt = 0.05 * ms
        go(c)
        c.net.restore("here")
        go(c)
        assert_same(c.result(), first, rtol=0)

    def test_a_stored_point_of_another_object_is_refused(self):
        c = circuit()
        c.net.store()
        c.net.add(b2.PopulationRateMonitor(c.cells, name="rate"))
        with pytest.raises(KeyError, match="rate"):
            c.net.restore()


def test_no_spike_in_flight_is_lost_when_the_step_grows(device):
    """Brian2's own queue loses every other one: where two steps become one, the later list wins."""
    b2.defaultclock.dt = 0.05 * ms
    source = b2.SpikeGeneratorGroup(8, range(8), 0.05 * np.arange(8) * ms)
    cells = b2.NeuronGroup(8, "heard : second")
    synapses = b2.Synapses(source, cells, on_pre="heard_post = t", delay=1 * ms)
    synapses.connect("i == j")
    net = b2.Network(source, cells, synapses)
    net.run(0.4 * ms)
    b2.defaultclock.dt = 0.1 * ms
    net.run(2 * ms)
    np.testing.assert_allclose(cells.heard_[:], 1e-3 + 0.05e-3 * np.arange(8), atol=0.051e-3)


def test_two_networks_that_take_turns_do_not_meet(device):
    one, two = circuit("_one"), circuit("_two")
    noisy = circuit("_noisy", noise=True)
    two.cells.drive = 1.1
    for _ in range(3):
        for c in (one, two, noisy):
            go(c)
    alone = {}
    for c, drive in ((one, None), (two, 1.1)):
        again = circuit("_again")
        if drive:
            again.cells.drive = drive
        go(again, 9)
        alone[c.net.name] = again.result()
        assert_same(c.result(), again.result())
    assert not np.array_equal(alone["net_one"]["v"], alone["net_two"]["v"])


def mapped():
    """The compiled networks in this process's memory, where the system tells."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().split("\n") if maps.exists() else []
    return {line.split(maxsplit=5)[5] for line in lines if str(cache_folder()) in line}


def test_dropped_networks_are_freed(device):
    gc.collect()
    before = mapped()
    loaded = [weakref.ref(library) for library in gc.get_objects() if isinstance(library, Library)]
    c = circuit()
    go(c)
    go(c)
    libraries = [
        weakref.ref(library)
        for library in gc.get_objects()
        if isinstance(library, Library) and not any(ref() is library for ref in loaded)
    ]
    refs = [weakref.ref(c.net), weakref.ref(c.cells), weakref.ref(c.recurrent), *libraries]
    assert len(libraries) == 1
    del c
    gc.collect()
    assert [ref() for ref in refs] == [None] * 4
    assert mapped() == before


def test_a_network_with_names_of_the_caller_is_freed(device):
    def caller():
        net, tau, limit, gain, stimulus = circuit().net, 5 * ms, 1.0, 0.3, NAMES["stimulus"]
        net.run(1 * ms)
        assert tau and limit and gain and stimulus
        return weakref.ref(net)

    ref = caller()
    gc.collect()
    assert ref() is None


def test_objects_of_a_magic_network_are_freed(device):
    def caller():
        cells = b2.NeuronGroup(2, "dv/dt = -v/(5*ms) : 1", method="exact")
        b2.run(1 * ms)
        b2.run(1 * ms)
        return weakref.ref(cells)

    ref = caller()
    gc.collect()
    assert ref() is None


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_fifty_networks_leave_little_memory(device):
    sizes = []
    for _ in range(50):
        c = circuit()
        go(c)
        c.net.store()
        c.net.restore()
        del c
        gc.collect()
        sizes.append(resident())
    assert sizes[-1] - sizes[9] < 40 * 2**20, sizes


def test_runs_alone_leave_no_memory(device):
    c = circuit()
    c.net.remove(c.course, c.spikes)
    for k in range(1000):
        if k == 500:
            before = resident()
        c.source.set_spikes([0], [0.1 * ms])
        c.net.t_ = 0.0
        c.net.run(0.2 * ms, namespace=NAMES)
    assert resident() - before < 2**20

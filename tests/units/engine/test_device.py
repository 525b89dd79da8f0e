"""The device as Brian2 knows it: alone, switched on and off, without a compiler, in single precision."""

import sys
import warnings

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import device_for
from support.circuits import NAMES, assert_same, circuit
from support.processes import python

pytestmark = pytest.mark.usefixtures("own_scope")

devices = sys.modules["brian2.devices.device"]

ALONE = """
import sys
import brian2
before = set(sys.modules)
import neuroanp.engine
import neuroanp.engine.operations
ours = sorted(name for name in sys.modules if name.startswith(("neuroanp", "models", "tasks")))
wrong = [name for name in ours if name.split(".")[1:2] not in ([], ["engine"], ["errors"], ["types"])]
assert not wrong, wrong
heavy = {"matplotlib", "sklearn", "pandas", "jax", "torch", "tqdm"} & (set(sys.modules) - before)
assert not heavy, heavy
assert brian2.get_device() is brian2.all_devices["runtime"]
"""


def test_the_engine_can_be_used_alone():
    done = python(ALONE)
    assert done.stdout == done.stderr == ""


SCRIPT = """
import warnings
warnings.simplefilter("always")
import brian2 as b2
import neuroanp.engine
from support.circuits import NAMES, circuit
b2.set_device("neuroanp")
values = []
for k in range(2):
    c = circuit(f"_{k}")
    for _ in range(2):
        c.net.run(2*b2.ms, namespace=NAMES)
    values.append(float(c.cells.v[2]))
print(values, b2.get_device().resolved_engine())
"""


def test_without_a_compiler_it_says_so_once_and_runs(device):
    done = python(SCRIPT, CXX="", PATH="")
    assert done.stderr.count("no C++ compiler found") == 1, done.stderr
    assert "the same numbers, slower" in done.stderr
    c = circuit()
    c.net.run(4 * ms, namespace=NAMES)
    values, engine = done.stdout.rsplit(" ", 1)
    assert engine == "runtime\n"
    np.testing.assert_allclose(eval(values), c.cells.v[2], rtol=1e-12)


def test_quiet(device, recwarn, caplog):
    """No warning and no message beyond Brian2's own."""
    warnings.simplefilter("always")
    c = circuit()
    c.net.run(2 * ms, namespace=NAMES)
    c.net.run(2 * ms, namespace=NAMES)
    said = [warning for warning in recwarn if "pyparsing" not in str(warning.category)]
    assert [str(warning.message) for warning in said] == []
    assert [r.getMessage() for r in caplog.records if r.levelname in ("WARNING", "ERROR", "INFO")] == []


def test_brian2s_ways_of_starting_anew():
    results = []
    for prepare in (
        lambda: b2.set_device("neuroanp"),
        lambda: (b2.device.reinit(), b2.device.activate()),
        lambda: b2.start_scope(),
        lambda: (b2.set_device("runtime"), b2.set_device("neuroanp", build_on_run=False)),
        lambda: (b2.set_device("cpp_standalone", directory=None), devices.reset_device()),
        lambda: (b2.device.reinit(), b2.device.activate(build_on_run=False)),
    ):
        prepare()
        b2.defaultclock.dt = 0.1 * ms
        c = circuit()
        c.net.run(2 * ms, namespace=NAMES)
        c.net.run(2 * ms, namespace=NAMES)
        b2.device.build(directory=None)
        results.append(c.result())
        assert_same(results[-1], results[0], rtol=0)


def test_an_old_network_runs_on_after_reinit(device):
    c, whole = circuit(), circuit("_whole")
    c.net.run(2 * ms, namespace=NAMES)
    b2.device.reinit()
    b2.device.activate()
    c.net.run(2 * ms, namespace=NAMES)
    whole.net.run(4 * ms, namespace=NAMES)
    assert_same(c.result(), whole.result(), rtol=0)


def test_engines_by_name(device):
    assert device_for("auto") is device_for("compiled") is device
    assert device_for("runtime") is b2.all_devices["neuroanp_runtime"]
    assert device_for("runtime").resolved_engine() == "runtime"
    before = b2.get_device(), b2.defaultclock.dt
    with device_for("runtime").active():
        assert b2.get_device() is device_for("runtime")
    assert (b2.get_device(), b2.defaultclock.dt) == before


def test_a_network_stays_on_its_engine(device):
    c, whole = circuit(), circuit("_whole")
    c.net.run(2 * ms, namespace=NAMES)
    b2.set_device("neuroanp", engine="runtime")
    try:
        late = b2.NeuronGroup(1, "v : 1", name="late")
        c.net.add(late)
        c.net.run(2 * ms, namespace=NAMES)
        other = circuit("_other")
        other.net.run(4 * ms, namespace=NAMES)
    finally:
        b2.set_device("neuroanp", engine="auto")
    whole.net.run(4 * ms, namespace=NAMES)
    assert_same(c.result(), whole.result(), rtol=0)
    assert_same(other.result(), whole.result())


@pytest.mark.slow
def test_single_precision(device):
    results = {}
    for dtype in (np.float64, np.float32):
        b2.prefs.core.default_float_dtype = dtype
        try:
            c = circuit()
            c.net.run(4 * ms, namespace=NAMES)
        finally:
            b2.prefs.core.default_float_dtype = np.float64
        assert c.cells.v[:].dtype == dtype
        results[dtype] = c.result()
    assert_same(results[np.float32], results[np.float64], rtol=1e-5)


def test_threads_of_standalone_are_left_out(device):
    b2.prefs.devices.cpp_standalone.openmp_threads = 4
    try:
        c = circuit()
        c.net.run(1 * ms, namespace=NAMES)
        assert b2.prefs.devices.cpp_standalone.openmp_threads == 4
    finally:
        b2.prefs.devices.cpp_standalone.openmp_threads = 0


def test_a_run_of_nothing_is_quick(device):
    """The fixed cost of a run; the benchmark measures it, this only sees a regression by a magnitude."""
    import time

    c = circuit()
    c.net.run(0 * ms, namespace=NAMES)
    nothing, costs = 0 * ms, []
    for _ in range(200):
        start = time.perf_counter()
        c.net.run(nothing, namespace=NAMES)
        costs.append(time.perf_counter() - start)
    assert min(costs) < 200e-6

"""Long runs that are stopped: by hand, by a report, by an error. The next run goes on from a step."""

import contextlib
import os
import signal
import threading

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import device as device_module
from support.circuits import NAMES, assert_same, circuit

pytestmark = pytest.mark.usefixtures("own_scope")


@contextlib.contextmanager
def ctrl_c(after):
    """Press it once, `after` seconds from now."""
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@pytest.fixture
def long(device, monkeypatch):
    """A circuit without records, looked at often, and how long it takes for 0.5 s of wall time."""
    monkeypatch.setattr(device_module, "SLICE", 0.01)
    c = circuit()
    c.net.remove(c.course)
    c.net.run(1 * ms, namespace=NAMES)
    return c


#: Far more than is run before somebody stops it.
FOREVER = 3600 * b2.second


def assert_goes_on(c):
    """Its time is at a step, and it reaches the same point as one that was never stopped."""
    steps = c.net.t_ / 1e-4
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert 10 < steps < 36e6
    rest = (-c.net.t_ % 1e-3 + 2e-3) * b2.second
    c.net.run(rest, namespace=NAMES)
    whole = circuit("_whole")
    whole.net.remove(whole.course)
    whole.net.run(c.net.t, namespace=NAMES)
    expected = whole.result()
    assert_same(c.result(), expected, rtol=1e-9)
    np.testing.assert_array_equal(c.result()["spike_i"], expected["spike_i"])


def test_the_first_ctrl_c_ends_the_run(long):
    """As on Brian2's runtime: the step is finished, `run` returns, the script goes on."""
    with ctrl_c(0.2):
        long.net.run(FOREVER, namespace=NAMES)
    assert_goes_on(long)


def test_ctrl_c_as_an_exception(long):
    b2.prefs.core.stop_on_keyboard_interrupt = False
    try:
        with pytest.raises(KeyboardInterrupt), ctrl_c(0.2):
            long.net.run(FOREVER, namespace=NAMES)
    finally:
        b2.prefs.core.stop_on_keyboard_interrupt = True
    assert_goes_on(long)


def test_stop_in_a_report(long):
    told = []

    def report(elapsed, completed, start, duration):
        told.append((float(elapsed), completed, float(start), float(duration)))
        if len(told) == 3:
            long.net.stop()

    long.net.run(FOREVER, report=report, report_period=0.02 * b2.second, namespace=NAMES)
    assert len(told) == 4
    assert told[0] == (0, 0, pytest.approx(1e-3), 3600)
    elapsed, completed = zip(*(entry[:2] for entry in told), strict=True)
    assert list(elapsed) == sorted(elapsed)
    assert list(completed) == sorted(completed)
    assert 0 < completed[2] <= completed[3] < 1
    assert_goes_on(long)


def test_an_error_in_a_report(long):
    def report(elapsed, completed, start, duration):
        if completed > 0:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        long.net.run(FOREVER, report=report, report_period=0.02 * b2.second, namespace=NAMES)
    assert_goes_on(long)


def test_report_in_words(long, capsys):
    long.net.run(2 * ms, report="text", namespace=NAMES)
    assert "Starting simulation at t=1. ms for a duration of 2. ms" in capsys.readouterr().out
    long.net.run(2 * ms, report="stderr", namespace=NAMES)
    assert "Starting simulation at t=3. ms" in capsys.readouterr().err


def test_several_clocks_stop_at_a_common_time(device, monkeypatch):
    monkeypatch.setattr(device_module, "SLICE", 0.01)
    fast = b2.NeuronGroup(1, "n : integer", dt=0.1 * ms)
    slow = b2.NeuronGroup(1, "n : integer", dt=0.35 * ms)
    for group in (fast, slow):
        group.run_regularly("n += 1")
    net = b2.Network(fast, slow)
    net.run(0 * ms)
    with ctrl_c(0.2):
        net.run(FOREVER)
    reached = net.t_
    net.run(7 * ms)
    assert net.t_ == pytest.approx(reached + 7e-3)
    for group, dt in ((fast, 1e-4), (slow, 3.5e-4)):
        assert group.n[0] == np.ceil(round(net.t_ / dt, 6))


def test_a_runtime_network_is_stopped_too():
    b2.set_device("neuroanp_runtime")
    group = b2.NeuronGroup(1, "n : integer")
    group.run_regularly("n += 1")

    @b2.network_operation(when="end")
    def enough():
        if group.n[0] == 7:
            b2.stop()

    net = b2.Network(group, enough)
    net.run(10 * b2.second)
    assert group.n[0] == 7
    assert net.t_ == pytest.approx(7e-4)
    net.run(0.5 * ms)
    assert group.n[0] == 12

"""What cannot be run is refused by name, before anything is compiled; compile errors are explained."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import CompileError, UnsupportedObject, device_for
from neuroanp.errors import InvalidValue
from support.circuits import NAMES, circuit

pytestmark = pytest.mark.usefixtures("own_scope")


@pytest.fixture
def nothing_compiled(device, compiles):
    yield
    assert compiles == []


def cells(name="cells", **kwds):
    return b2.NeuronGroup(2, "dv/dt = -v/(5*ms) : 1", name=name, **{"method": "exact", **kwds})


@pytest.mark.usefixtures("nothing_compiled")
class TestRefused:
    """By name, and what to do instead."""

    def test_network_operation(self):
        @b2.network_operation
        def peek():
            pass

        b2.set_device("neuroanp", engine="compiled")
        try:
            with pytest.raises(
                UnsupportedObject, match=r"\(peek\) is a network operation: .* engine='runtime'"
            ):
                b2.Network(cells(), peek).run(1 * ms)
        finally:
            b2.get_device().engine = "auto"

    def test_gsl(self):
        with pytest.raises(UnsupportedObject, match="'cells' uses a GSL integrator"):
            b2.Network(cells(method="gsl_rkf45")).run(1 * ms)

    def test_objects_of_another_device(self):
        b2.set_device("runtime")
        group = cells()
        b2.set_device("neuroanp")
        message = r"'cells' was made under .* 'runtime': call set_device\('neuroanp'\)"
        with pytest.raises(UnsupportedObject, match=message):
            b2.Network(group).run(1 * ms)

    def test_durations(self):
        net = b2.Network(cells())
        for duration in (-1 * ms, np.nan * ms, np.inf * ms):
            with pytest.raises(ValueError, match="expected a duration of 0 s or more"):
                net.run(duration)
        for duration in (5, 5 * b2.mV):
            with pytest.raises(b2.DimensionMismatchError, match="duration"):
                net.run(duration)
        assert net.t_ == 0

    def test_reports(self):
        for report in ("loud", 3):
            with pytest.raises(TypeError, match=f"report: expected .* got {report!r}"):
                b2.Network(cells()).run(1 * ms, report=report)

    def test_names_that_are_given_twice(self):
        with pytest.raises(ValueError, match="unique"):
            b2.Network(cells("twice"), cells("twice")).run(1 * ms)

    def test_synapses_without_a_source(self):
        group = cells(threshold="v > 1", reset="v = 0")
        synapses = b2.Synapses(group, group, on_pre="v += 1", name="lost")
        with pytest.raises(ValueError, match=r"'lost.* not the object on which it depends"):
            b2.Network(synapses).run(1 * ms)

    def test_engines(self):
        with pytest.raises(InvalidValue, match="engine: expected auto, compiled or runtime, got fast"):
            device_for("fast")
        with pytest.raises(ValueError, match="engine: expected 'auto', 'compiled' or 'runtime', got 'fast'"):
            b2.set_device("neuroanp", engine="fast")


def test_synapses_that_were_never_connected(device):
    group = cells(threshold="v > 1", reset="v = 0")
    idle = b2.Synapses(group, group, on_pre="v_post += 0", name="idle")
    net = b2.Network(group, idle)
    with pytest.raises(TypeError, match="'idle' does not do anything"):
        net.run(1 * ms)


def broken(code):
    @b2.implementation("cpp", code)
    @b2.check_units(x=1, result=1)
    def squared(x):
        return x**2

    return b2.NeuronGroup(1, "v = squared(t/ms) : 1\nu : 1", namespace={"squared": squared}, name="sick")


def test_compile_error_in_a_function_of_the_user(device):
    group = broken("double squared(double x) { return x*nonsense; }")
    group.run_regularly("u = v", name="sick_update")
    net = b2.Network(group)
    for _ in range(2):
        with pytest.raises(CompileError) as error:
            net.run(1 * ms)
        text = str(error.value)
        assert text.startswith("the C++ compiler refused the code of Brian2 object 'sick_update'")
        assert "nonsense" in text
        assert b2.get_device() is device_for("auto")
    well = circuit()
    well.net.run(1 * ms, namespace=NAMES)
    assert len(well.course.t) == 10


def test_link_error(device):
    group = broken("double squared(double); double squared(double x, int);")
    group.run_regularly("u = v", name="sick_update")
    with pytest.raises((CompileError, OSError), match="squared"):
        b2.Network(group).run(1 * ms)


def test_an_error_while_preparing_leaves_everything_usable(device):
    c = circuit()
    with pytest.raises(b2.BrianObjectException):
        c.net.run(1 * ms, namespace={})
    assert b2.get_device() is device
    assert type(b2.defaultclock.dt_) is float
    c.net.run(1 * ms, namespace=NAMES)
    assert len(c.course.t) == 10


def test_functions_with_files_of_their_own(device, compiles, tmp_path):
    """Headers and sources of the user's: compiled with the network, and again when their text changes."""
    (tmp_path / "scale.h").write_text("const double scale = 3; double shifted(double x);")
    (tmp_path / "shifted.cpp").write_text("double shifted(double x) { return x + SHIFT; }")

    def run():
        @b2.implementation(
            "cpp",
            "static double through(double x) { return scale*shifted(x); }",
            headers=['"scale.h"'],
            include_dirs=[str(tmp_path)],
            sources=[str(tmp_path / "shifted.cpp")],
            define_macros=[("SHIFT", "0.5")],
        )
        @b2.check_units(x=1, result=1)
        def through(x):
            return x

        group = b2.NeuronGroup(2, "u : 1", namespace={"through": through})
        group.run_regularly("u = through(i)")
        b2.Network(group).run(0.1 * ms)
        return list(group.u[:])

    assert run() == [1.5, 4.5]
    assert run() == [1.5, 4.5]
    made = len(compiles)
    (tmp_path / "scale.h").write_text("const double scale = 2; double shifted(double x);")
    assert run() == [1, 3]
    assert len(compiles) == made + 1

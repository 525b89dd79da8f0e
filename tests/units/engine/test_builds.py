"""What is compiled, and what is not: only sizes and equations are."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.codegen.generator import SourceGenerator
from support.circuits import NAMES, assert_same, circuit

pytestmark = pytest.mark.usefixtures("own_scope")


@pytest.fixture
def generated(monkeypatch):
    """A list that grows by every network whose source is made."""
    done = []
    generate = SourceGenerator.generate

    def noted(self, net, namespace, rows=None):
        done.append(net.name)
        return generate(self, net, namespace, rows)

    monkeypatch.setattr(SourceGenerator, "generate", noted)
    return done


@pytest.fixture
def built(device):
    """A circuit that has run."""
    c = circuit()
    c.net.run(1 * ms, namespace=NAMES)
    return c


def test_another_network_of_the_same_equations(built, compiles):
    again = circuit("_with_other_names")
    again.net.run(1 * ms, namespace=NAMES)
    other = circuit("_and_a_timed_array_of_its_own")
    other.net.run(1 * ms, namespace=NAMES | {"stimulus": b2.TimedArray([3.0, 2.0, 1.0], dt=2 * ms)})
    assert compiles == []
    assert_same(again.result(), built.result(), rtol=0)
    assert not np.array_equal(other.result()["v"], built.result()["v"])


def test_objects_in_another_order_in_the_network(built, compiles):
    c = circuit("_back")
    backwards = b2.Network(c.spikes, c.recurrent, c.course, c.feed, c.cells, c.source)
    backwards.run(1 * ms, namespace=NAMES)
    assert compiles == []
    np.testing.assert_array_equal(c.course.v, built.course.v)


def test_parameters_weights_delays_and_initial_values(built, compiles, generated):
    built.cells.drive, built.cells.v = 1.7, "rand()"
    built.recurrent.w, built.feed.delay = "randn()", "rand()*ms"
    built.recurrent.pre.delay = 0.4 * ms
    built.net.run(1 * ms, namespace=NAMES)
    assert compiles == generated == []


@pytest.mark.parametrize(
    "changed",
    [
        {"tau": 6 * ms},
        {"gain": 0.1},
        {"tau": 6 * ms, "limit": 0.7, "gain": 0.2},
        {"stimulus": b2.TimedArray([1.0, 2.0, 3.0], dt=2 * ms)},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_constants_of_the_run(built, compiles, generated, changed):
    before = built.cells.v[:]
    built.net.store()
    built.net.run(6 * ms, namespace=NAMES)
    usual = built.result()
    built.net.restore()
    np.testing.assert_array_equal(built.cells.v[:], before)
    built.net.run(6 * ms, namespace=NAMES | changed)
    assert compiles == generated == []
    assert not np.array_equal(built.result()["v"], usual["v"])


def test_constants_of_a_group(device, compiles, generated):
    names = dict(NAMES)
    c, expected = circuit(namespace=names), circuit("_other")
    c.net.run(1 * ms, namespace={"tau": 1 * ms})
    names["tau"] = 8 * ms
    del compiles[:], generated[:]
    c.net.run(2 * ms, namespace={"tau": 2 * ms})
    assert compiles == generated == []
    expected.net.run(1 * ms, namespace=NAMES)
    expected.net.run(2 * ms, namespace=names)
    assert_same(c.result(), expected.result(), rtol=0)


def test_a_constant_of_another_unit_is_refused(built):
    with pytest.raises(b2.BrianObjectException) as error:
        built.net.run(1 * ms, namespace=NAMES | {"tau": 5 * b2.mV})
    assert isinstance(error.value.__cause__, b2.DimensionMismatchError)
    built.net.run(1 * ms, namespace=NAMES)


def test_a_missing_name_is_refused_in_a_later_run_too(built):
    with pytest.raises(b2.BrianObjectException) as error:
        built.net.run(1 * ms, namespace={k: v for k, v in NAMES.items() if k != "gain"})
    assert "gain" in str(error.value.__cause__)
    built.net.run(1 * ms, namespace=NAMES)


def test_names_of_units_and_functions_reach_no_build(device, compiles):
    """The same build whether a script imports all of Brian2's names or none."""
    for namespace in ({}, vars(b2)):
        del compiles[:]
        group = b2.NeuronGroup(2, "dv/dt = exp(-v)/(5*ms) + pi*Hz : 1", method="euler")
        b2.Network(group).run(1 * ms, namespace=namespace)
    assert compiles == []


def test_a_timed_array_of_another_length_is_another_network(built, generated):
    long = b2.TimedArray(np.arange(8.0), dt=1 * ms)
    built.net.run(6 * ms, namespace=NAMES | {"stimulus": long})
    assert len(generated) == 1
    c = circuit("_expected")
    c.net.run(1 * ms, namespace=NAMES)
    c.net.run(6 * ms, namespace=NAMES | {"stimulus": long})
    assert_same(built.result(), c.result(), rtol=0)


WORDS = ["queue", "double", "data", "size", "w", "t", "brian", "i"]


def test_objects_may_have_any_name(device):
    """Names that are words of C++, of the generated code or of the equations."""
    groups = [
        b2.NeuronGroup(2, "w : 1\nx : 1", threshold="w > 0", reset="w = 0", name=name) for name in WORDS[:4]
    ]
    synapses = [
        b2.Synapses(group, group, on_pre="x_post += 1 + w_pre", delay=1 * ms, name=name)
        for group, name in zip(groups, WORDS[4:], strict=True)
    ]
    for group, synapse in zip(groups, synapses, strict=True):
        synapse.connect(i=0, j=1)
        group.w[0] = 1
    clock = b2.Clock(0.1 * ms, name="vector")
    counting = b2.NeuronGroup(1, "n : integer", clock=clock, name="push")
    counting.run_regularly("n += 1", name="namespace")
    net = b2.Network(groups, synapses, counting, name="using")
    net.run(2 * ms)
    for group in groups:
        np.testing.assert_array_equal(group.x[:], [0, 1])
    assert counting.n[0] == 20


@b2.implementation(
    "cpp", "double counted(double x) { std::map<int, double> sizes; sizes[3] = x; return sizes.at(3); }"
)
@b2.check_units(x=1, result=1)
def counted(x):
    return x


def test_code_of_a_user_that_needs_rare_headers(device):
    cells = b2.NeuronGroup(2, "v : 1", name="rare", namespace={"counted": counted})
    cells.run_regularly("v = counted(v + 1.0*i + 0.5)", name="rare_step")
    b2.Network(cells).run(2 * b2.defaultclock.dt)
    np.testing.assert_array_equal(cells.v, [1, 3])

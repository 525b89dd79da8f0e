"""Random numbers: other ones than Brian2's runtime draws, of the same distributions, and repeatable."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, ms

from support.circuits import NAMES, assert_same, circuit

pytestmark = pytest.mark.usefixtures("own_scope")

N, STEPS = 400, 400


@pytest.fixture(scope="module")
def drawn():
    """What everything random draws in 40 ms of 400 cells, in one network."""
    b2.set_device("neuroanp")
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * ms
    b2.seed(4)
    cells = b2.NeuronGroup(
        N,
        """dx/dt = -x/(10*ms) + xi*(5*ms)**-0.5 : 1
           flat : 1
           bell : 1
           count : 1
           fed : 1
           few : 1""",
        threshold="rand() < 0.02", reset="", method="euler", name="cells",
    )  # fmt: skip
    cells.x = "randn()"
    cells.run_regularly("flat = rand(); bell = randn(); count = poisson(2.5)", name="draw")
    source = b2.PoissonGroup(N, rates="50*Hz + 0.25*i*Hz", name="source")
    many = b2.PoissonInput(cells, "fed", 50, 400 * Hz, weight=2)
    few = b2.PoissonInput(cells, "few", 3, 100 * Hz, weight=1)
    chance = b2.Synapses(source, cells, "hits : 1", on_pre="hits += int(rand() < 0.3)", name="chance")
    chance.connect("i == j")
    course = b2.StateMonitor(cells, ["x", "flat", "bell", "count", "fed", "few"], record=True, name="course")
    spikes, made = b2.SpikeMonitor(cells, name="spikes"), b2.SpikeMonitor(source, name="made")
    net = b2.Network(cells, source, many, few, chance, course, spikes, made)
    net.run(STEPS * 0.1 * ms)
    values = {name: np.array(getattr(course, name)) for name in ("x", "flat", "bell", "count", "fed", "few")}
    return values | {
        "spikes": np.array(spikes.count),
        "made": np.array(made.count),
        "hits": np.array(chance.hits),
    }


def assert_moments(x, mean, variance, fourth=3.0):
    """Mean and variance within 5 standard errors, of independent numbers with this kurtosis."""
    assert np.mean(x) == pytest.approx(mean, abs=5 * np.sqrt(variance / x.size))
    assert np.var(x) == pytest.approx(variance, rel=5 * np.sqrt((fourth - 1) / x.size))


def test_uniform_and_gaussian(drawn):
    assert_moments(drawn["flat"], 1 / 2, 1 / 12, 1.8)
    assert 0 <= drawn["flat"].min() < 1e-4
    assert 1 - 1e-4 < drawn["flat"].max() < 1
    assert_moments(drawn["bell"], 0, 1)
    for name in ("flat", "bell"):
        x = (drawn[name] - drawn[name].mean()) / drawn[name].std()
        for later, now in ((x[1:], x[:-1]), (x[:, 1:], x[:, :-1])):
            assert abs(np.mean(later * now)) < 5 / np.sqrt(x.size)


def test_poisson(drawn):
    assert_moments(drawn["count"], 2.5, 2.5, 3 + 1 / 2.5)


def test_diffusion(drawn):
    assert_moments(drawn["x"][:, -1], 0, 1)
    assert np.mean(drawn["x"][:, -1] * drawn["x"][:, -101]) == pytest.approx(np.exp(-1), abs=5 / np.sqrt(N))


def test_spikes_by_chance(drawn):
    assert_moments(drawn["spikes"], 0.02 * STEPS, 0.02 * 0.98 * STEPS)


def test_poisson_group(drawn):
    rates = (50 + 0.25 * np.arange(N)) * 1e-4
    deviation = (drawn["made"] - rates * STEPS) / np.sqrt(rates * (1 - rates) * STEPS)
    assert_moments(deviation, 0, 1, 4)


def test_poisson_input(drawn):
    p = 400 * 1e-4
    assert_moments(np.diff(drawn["fed"], axis=1), 2 * 50 * p, 4 * 50 * p * (1 - p))
    p = 100 * 1e-4
    assert_moments(np.diff(drawn["few"], axis=1), 3 * p, 3 * p * (1 - p), 3 + 1 / (3 * p))


def test_random_numbers_in_synapses(drawn):
    made = drawn["made"].sum()
    assert drawn["hits"].sum() == pytest.approx(0.3 * made, abs=5 * np.sqrt(0.21 * made))


def run(seed, parts=(4,)):
    b2.seed(seed)
    c = circuit(noise=True)
    for part in parts:
        c.net.run(part * ms, namespace=NAMES)
    return c.result()


@pytest.mark.parametrize("engine", ["neuroanp", "neuroanp_runtime"])
def test_a_seed_fixes_them(engine):
    b2.set_device(engine)
    first = run(3)
    assert_same(run(3, (1, 2, 1)), first, rtol=1e-12)
    assert_same(run(3), first, rtol=0)
    for other in (4, None):
        assert not np.array_equal(run(other)["v"], first["v"])
    assert not np.array_equal(run(None)["v"], run(None)["v"])


def test_networks_draw_from_one_stream(device):
    """As on Brian2's runtime: what a network draws depends on what others drew before."""
    b2.seed(5)
    one, two = circuit("_one", noise=True), circuit("_two", noise=True)
    for c in (one, two, one):
        c.net.run(1 * ms, namespace=NAMES)
    first, second = one.result(), two.result()
    assert not np.array_equal(first["v"][:, :10], second["v"])
    b2.seed(5)
    again = circuit("_again", noise=True)
    again.net.run(1 * ms, namespace=NAMES)
    del again
    state = b2.get_device().get_random_state()
    third = circuit("_third", noise=True)
    third.net.run(1 * ms, namespace=NAMES)
    np.testing.assert_array_equal(third.result()["v"], second["v"])
    b2.get_device().set_random_state(state)
    fourth = circuit("_fourth", noise=True)
    fourth.net.run(1 * ms, namespace=NAMES)
    np.testing.assert_array_equal(fourth.result()["v"], second["v"])


def test_a_state_of_another_generator_is_refused(device):
    run(1)
    state = device.get_random_state()
    with pytest.raises(ValueError, match=r"random state: expected .* bytes, got 8"):
        device.set_random_state(state | {"compiled": b"12345678"})

"""Cart-pole's equations against the published ones and Gymnasium's, and what the task says of itself."""

import math

import numpy as np
import pytest
from brian2 import ms

from neuroanp.models import BalancedLIF, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.tasks import CartPole, cart_pole

NAMES = ("x", "v", "theta", "omega")


def published(state, force):
    """Barto, Sutton, Anderson's equations without friction, one Euler step of 20 ms, for one cart."""
    x, v, theta, omega = state
    g, mc, mp, half = 9.8, 1.0, 0.1, 0.5
    sine, cosine = math.sin(theta), math.cos(theta)
    omega_dot = (g * sine + cosine * (-force - mp * half * omega**2 * sine) / (mc + mp)) / (
        half * (4 / 3 - mp * cosine**2 / (mc + mp))
    )
    v_dot = (force + mp * half * (omega**2 * sine - omega_dot * cosine)) / (mc + mp)
    return x + 0.02 * v, v + 0.02 * v_dot, theta + 0.02 * omega, omega + 0.02 * omega_dot


def driven(engine, dtype="float64", moves=60, lanes=40):
    """Episodes under a network's noise: states that the network saw, pushes, and which steps counted."""
    task = CartPole(longest=moves)
    network = Network(
        TanhRNN(hidden=3, bias=False), 4, 1, 5 * ms, lanes=lanes, passes=("plus",), engine=engine,
        dtype=dtype,
        perturbation=Perturbation(target="nodes", sigma=1.0, readout=True), plant=task.plant,
    )  # fmt: skip
    network.load({"W_in": np.zeros((3, 4)), "W_rec": np.zeros((3, 3)), "W_out": np.zeros((1, 3))})
    trial = task.trial(np.random.default_rng(0), lanes)
    record = network.run(trial)
    scale = np.array([cart_pole.EDGE, 2.0, cart_pole.TILT, 2.0])
    states = record.inputs[1::4] * scale
    start = np.stack([trial.plant[name] for name in NAMES], axis=1)
    return np.concatenate([start[None], states]), record.outputs[::4, 0, :, 0] > 0, record


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_the_plant_moves_as_published(engine, dtype, tolerance):
    states, right, record = driven(engine, dtype)
    counted = record.mask[::4] > 0
    fell = 0
    for move in range(60):
        for lane in np.flatnonzero(counted[move]):
            after = published(states[move, lane], 10.0 if right[move, lane] else -10.0)
            over = abs(after[0]) > 2.4 or abs(after[2]) > math.radians(12)
            step = 4 * move
            assert record.loss[step, 0, lane] == over
            assert record.mask[step + 1, lane] == (not over)
            fell += over
            if not over:
                np.testing.assert_allclose(states[move + 1, lane], after, atol=tolerance)
    assert fell > 30
    assert not record.inputs[record.mask == 0].any()
    assert record.loss.sum() == fell


def test_the_numpy_form_moves_as_published():
    rng = np.random.default_rng(1)
    states, right = rng.normal(size=(4, 50)), rng.integers(2, size=50)
    for lane, after in enumerate(cart_pole.pushed(states, right).T):
        expected = published(states[:, lane], 10.0 if right[lane] else -10.0)
        np.testing.assert_allclose(after, expected, atol=1e-14)


@pytest.mark.slow
def test_the_plant_moves_and_ends_as_in_gymnasium():
    gymnasium = pytest.importorskip("gymnasium", reason="gymnasium, to compare with, is not installed")
    states, right, record = driven("runtime", lanes=10)
    env = gymnasium.make("CartPole-v1").unwrapped
    for lane in range(10):
        env.reset(seed=0)
        env.state = tuple(states[0, lane])
        for move in range(60):
            seen, _, over, _, _ = env.step(int(right[move, lane]))
            assert record.loss[4 * move, 0, lane] == over
            if over:
                assert record.mask[::4, lane].sum() == move + 1
                break
            np.testing.assert_allclose(states[move + 1, lane], seen, atol=1e-6)


def test_pushing_at_random_is_the_trivial_level():
    """Gymnasium's documentation has no number; random pushes are known to last a little over 22 steps."""
    task = CartPole()
    assert task.trivial_scores()["random"] == pytest.approx(22.3, abs=0.7)
    _, _, record = driven("runtime", lanes=400, moves=100)
    falls = record.loss.sum() / record.mask.sum()
    assert task.trivial()["random"] == pytest.approx(falls, rel=0.06)
    assert task.score(record.outputs, Trial(record.inputs, record.targets, record.mask)) == pytest.approx(
        22.3, abs=1.5
    )


def test_velocities_can_be_hidden():
    task = CartPole(velocities=False)
    assert (task.n_in, CartPole().n_in) == (2, 4)
    assert task.plant.observations == ("seen_x", "seen_theta")
    assert CartPole(longest=7).trial(np.random.default_rng(0), 3).steps == 28


def test_the_readout_starts_balanced():
    W = BalancedLIF(hidden=100).initial_weights(np.random.default_rng(0), 5, 2)["W_out"]
    np.testing.assert_allclose(W.mean(axis=1), 0, atol=1e-15)
    assert (W[:, 1::2] > 0).mean() > 0.9 and (W[:, ::2] < 0).mean() > 0.9


def test_the_score_of_a_run_is_that_of_its_last_ten_tests():
    assert CartPole().final_score(500.0, [0.0, 100.0, *[400.0] * 5, *[500.0] * 4]) == pytest.approx(
        (100 + 5 * 400 + 4 * 500) / 10
    )
    assert CartPole().final_score(33.0, []) == 33.0

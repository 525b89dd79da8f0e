"""`CurrentLIF` is the cell of the Neuromorphic Intermediate Representation, spike for spike."""

import numpy as np
import pytest
from brian2 import ms

from neuroanp.models import LIF, CurrentLIF
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial

CELLS, STEPS, N_IN = 100, 1000, 5


def driven(model, engine="runtime", dt=1.0, seed=0):
    """Inputs (T, n_in + 1) with the bias, weights, and a record of 100 cells over 1,000 steps."""
    rng = np.random.default_rng(seed)
    network = Network(model, N_IN, 1, dt * ms, lanes=1, passes=("clean",), engine=engine)
    weights = model.initial_weights(rng, network.n_in, 1)
    network.load(weights)
    inputs = rng.random((STEPS, 1, N_IN))
    record = network.run(Trial(inputs, np.zeros((STEPS, 1, 1))))
    return np.pad(inputs[:, 0], ((0, 0), (0, 1)), constant_values=1), weights, record.traces[:, 0, 0] > 0


@pytest.mark.parametrize(("engine", "dt", "dtype"), [
    ("runtime", 1.0, np.float64), ("runtime", 0.5, np.float32), ("compiled", 1.0, np.float32),
])  # fmt: skip
def test_no_cell_step_differs_from_the_recursion_that_others_run(engine, dt, dtype):
    """Leak, current and threshold of a step; spikes are a current one step later; nothing else."""
    model = CurrentLIF(hidden=CELLS, input_gain=4.0, recurrent_gain=2.0)
    inputs, weights, spikes = driven(model, engine, dt)
    alpha = np.exp(-dt / 20)
    drive = (inputs @ weights["W_in"].T).astype(dtype)
    W_rec = (weights["W_rec"] * alpha / (1 - alpha)).astype(dtype)
    v, z = np.zeros((2, CELLS), dtype)
    expected = []
    for current in drive:
        v = v + dtype(1 - alpha) * (current + W_rec @ z - v)
        z = (v > 1).astype(dtype)
        v = v * (1 - z)
        expected.append(z > 0)
    assert 0.01 < spikes.mean() < 0.3
    assert (spikes[1:] & spikes[:-1]).any()
    assert np.count_nonzero(spikes != np.array(expected)) == 0


def test_networks_start_with_the_weights_of_lif_and_spikes_raise_potentials_as_much():
    inputs, weights, spikes = driven(CurrentLIF(hidden=CELLS))
    alike = LIF(hidden=CELLS, refractory_period=1 * ms, v_spread=0.0)
    again, others, theirs = driven(alike)
    assert all(np.array_equal(weights[name], others[name]) for name in weights)
    assert np.array_equal(inputs, again)
    first = np.argmax(theirs.any(axis=1))
    assert first > 0 and np.array_equal(spikes[: first + 1], theirs[: first + 1])
    assert spikes.mean() == pytest.approx(theirs.mean(), rel=0.1)
    assert np.count_nonzero(spikes != theirs) > 100


def test_cells_may_have_a_refractory_period():
    rested = CurrentLIF(hidden=CELLS, input_gain=2.0, recurrent_gain=1.0, refractory_period=3 * ms)
    *_, spikes = driven(rested)
    assert spikes.any()
    assert not any((spikes[lag:] & spikes[:-lag]).any() for lag in (1, 2))

"""Rules to compare with: the readout alone, random feedback, simultaneous perturbation."""

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import LIF, LeakyTanhRNN, TanhRNN
from neuroanp.network import Network
from neuroanp.reward import Modulator
from neuroanp.rules import SPSA, RandomFeedback, ReadoutOnly, WeightPerturbation
from neuroanp.task import Trial
from neuroanp.tasks import CopyingMemory
from neuroanp.training import train

SHORT = CopyingMemory(alphabet=5, length=2, delay=1)


def record_of(model, rule, steps=7, lanes=2, seed=4):
    rng = np.random.default_rng(seed)
    network = Network(model, 3, 2, 1 * ms, lanes=lanes, passes=rule.passes, perturbation=rule.perturbation)
    network.load(model.initial_weights(rng, network.n_in, 2))
    mask = rng.random((steps, lanes))
    trial = Trial(rng.normal(size=(steps, lanes, 3)), rng.normal(size=(steps, lanes, 2)), mask)
    return network.run(trial)


@pytest.mark.parametrize(
    "model",
    [TanhRNN(hidden=4, readout_gain=1.0), LeakyTanhRNN(hidden=4, tau_max=9 * ms, readout_gain=1.0)],
    ids=lambda model: model.name,
)
def test_random_feedback_is_its_equation(model):
    rule = RandomFeedback(feedback_seed=3)
    record = record_of(model, rule)
    W, B = record.weights, np.random.default_rng(3).standard_normal((2, 4)) / 2
    m = np.broadcast_to(record.rates.memory, 4)
    expected = {name: np.zeros_like(values) for name, values in W.items()}
    for lane in range(2):
        x, p_rec, p_in = np.zeros(4), np.zeros((4, 4)), np.zeros((4, 4))
        for t in range(7):
            u = record.inputs[t, lane]
            a = W["W_in"] @ u + W["W_rec"] @ x
            gate = (1 - m) * (1 - np.tanh(a) ** 2)
            p_rec = m[:, None] * p_rec + gate[:, None] * x
            p_in = m[:, None] * p_in + gate[:, None] * u
            x = m * x + (1 - m) * np.tanh(a)
            error = 2 / (2 * 2) * record.mask[t, lane] * (W["W_out"] @ x - record.targets[t, lane])
            expected["W_rec"] += (B.T @ error)[:, None] * p_rec
            expected["W_in"] += (B.T @ error)[:, None] * p_in
            expected["W_out"] += np.outer(error, x)
    for name, found in rule.update(record, np.zeros((7, 2))).items():
        np.testing.assert_allclose(found, expected[name], atol=1e-12)
    assert set(RandomFeedback(readout="fixed").update(record, np.zeros((7, 2)))) == {"W_in", "W_rec"}


def test_random_feedback_needs_tanh_units():
    record = record_of(LIF(hidden=4), RandomFeedback())
    with pytest.raises(InvalidValue, match=r"^Record\.rates: expected a model of tanh units"):
        RandomFeedback().update(record, np.zeros((7, 2)))


def test_simultaneous_perturbation_divides_by_what_it_added():
    rule = SPSA(sigma=1e-3)
    record = record_of(TanhRNN(hidden=4, readout_gain=1.0), rule)
    modulator = Modulator()(record)
    estimate = rule.update(record, modulator)
    change = (record.loss[:, 0] - record.loss[:, 1]) * record.mask
    (noise,) = record.weight_noise() if record.weight_noise else ()
    for name, moved in noise.items():
        np.testing.assert_allclose(np.abs(moved), 1e-3)
        np.testing.assert_allclose(estimate[name], change.sum() / 2 / (2 * moved), rtol=1e-9)
    assert rule.passes == ("plus", "minus") and isinstance(rule, WeightPerturbation)


def trained(rule, updates, hidden=30):
    return train(
        TanhRNN(hidden=hidden), SHORT, rule=rule, updates=updates, lanes=32, decorrelation=None, seed=1,
        progress=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "below"),
    [(ReadoutOnly(), 0.1), (RandomFeedback(), 0.1), (SPSA(), 0.6)],
    ids=["ro", "rf", "spsa"],
)
def test_they_train(rule, below):
    found = trained(rule, 150)
    assert found.result["test_loss"] < below * found.result["trivial"]["zero"]


def test_the_hidden_weights_stay_where_the_readout_learns_alone():
    once, later = (trained(ReadoutOnly(), updates, hidden=10).weights for updates in (1, 3))
    for name in ("W_in", "W_rec"):
        np.testing.assert_array_equal(once[name], later[name])
    assert np.abs(once["W_out"] - later["W_out"]).max() > 1e-3

"""Rules to compare with: readout alone, random feedback, simultaneous perturbation, evolution strategies."""

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import LIF, LeakyTanhRNN, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import SPSA, EvolutionStrategies, RandomFeedback, ReadoutOnly, WeightPerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.train import train

SHORT = CopyingMemory(alphabet=5, length=2, delay=1)


def record_of(model, rule, steps=7, lanes=2, seed=4):
    rng = np.random.default_rng(seed)
    network = Network(
        model, 3, 2, 1 * ms, lanes=lanes, passes=rule.passes, perturbation=rule.perturbation, engine="runtime"
    )
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
    for name, found in rule(record, np.zeros((7, 2)), {}).items():
        np.testing.assert_allclose(found, expected[name], atol=1e-12)
    assert set(RandomFeedback(readout="fixed")(record, np.zeros((7, 2)), {})) == {"W_in", "W_rec"}


def test_random_feedback_needs_tanh_units():
    record = record_of(LIF(hidden=4), RandomFeedback())
    with pytest.raises(InvalidValue, match=r"^Record\.rates: expected a model of tanh units"):
        RandomFeedback()(record, np.zeros((7, 2)), {})


def test_simultaneous_perturbation_divides_by_what_it_added():
    rule = SPSA(sigma=1e-3)
    record = record_of(TanhRNN(hidden=4, readout_gain=1.0), rule)
    modulator = Modulator()(record, {})
    estimate = rule(record, modulator, {})
    change = (record.loss[:, 0] - record.loss[:, 1]) * record.mask
    (noise,) = record.weight_noise() if record.weight_noise else ()
    for name, moved in noise.items():
        np.testing.assert_allclose(np.abs(moved), 1e-3)
        np.testing.assert_allclose(estimate[name], change.sum() / 2 / (2 * moved), rtol=1e-9)
    assert rule.passes == ("plus", "minus") and isinstance(rule, WeightPerturbation)


@pytest.mark.parametrize(("engine", "decorrelated"), [("runtime", False), ("compiled", True)])
def test_each_lane_of_a_population_has_weights_of_its_own(engine, decorrelated):
    """Lane l of the plus pass is a network whose weights are W + its noise, run alone."""
    model, rule = TanhRNN(hidden=4, readout_gain=1.0), EvolutionStrategies(sigma=0.3)
    rng = np.random.default_rng(2)
    kinds = {"decorrelated": decorrelated}
    many = Network(
        model,
        3,
        2,
        1 * ms,
        lanes=5,
        passes=rule.passes,
        perturbation=rule.perturbation,
        engine=engine,
        **kinds,
    )
    one = Network(model, 3, 2, 1 * ms, lanes=1, engine="runtime", **kinds)
    D = {"D_in": 4, "D_hidden": 4} if decorrelated else {}
    D = {name: np.eye(n) + 0.2 * rng.normal(size=(n, n)) for name, n in D.items()}
    weights = model.initial_weights(rng, many.n_in, 2)
    many.load(weights, D)
    trial = Trial(rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 5, 2)), np.ones((6, 5)))
    record = many.run(trial)
    (noise,) = record.weight_noise()
    assert noise["W_rec"].shape == (5, 4, 4) and noise["W_rec"].std(axis=0).min() > 0.01
    for place, sign in enumerate((1, -1)):
        for lane in range(5):
            one.load({name: w + sign * noise[name][lane] for name, w in weights.items()}, D)
            alone = one.run(trial.lane([lane]))
            np.testing.assert_allclose(record.outputs[:, place, lane], alone.outputs[:, 0, 0], atol=1e-12)
    modulator = Modulator()(record, {})
    credit = ((record.loss[:, 0] - record.loss[:, 1]) * record.mask).sum(axis=0) / 2 / 5
    for name, found in rule(record, modulator, {}).items():
        expected = sum(c * xi for c, xi in zip(credit, noise[name], strict=True)) / 0.3**2
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_noise_that_is_apart_is_on_weights_and_new():
    for options in ({"target": "nodes"}, {"target": "weights", "relaxation": 0.5}):
        with pytest.raises(
            InvalidValue, match=r"^Perturbation\.per_lane: expected noise on weights that is new"
        ):
            Perturbation(per_lane=True, sigma=0.1, **options)


def trained(rule, updates):
    return train(
        TanhRNN(hidden=30), SHORT, rule=rule, updates=updates, lanes=32, decorrelation=None, seed=1,
        progress=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "below"),
    [
        pytest.param(ReadoutOnly(), 0.1, id="ro"),
        pytest.param(RandomFeedback(), 0.1, id="rf", marks=pytest.mark.slow),
        pytest.param(SPSA(), 0.6, id="spsa", marks=pytest.mark.slow),
        pytest.param(EvolutionStrategies(), 0.3, id="es", marks=pytest.mark.slow),
    ],
)
def test_they_train(rule, below):
    found = trained(rule, 150)
    assert found.result["test_loss"] < below * found.result["trivial"]["zero"]


def test_the_hidden_weights_stay_where_the_readout_learns_alone():
    once, later = (trained(ReadoutOnly(), updates).weights for updates in (1, 3))
    for name in ("W_in", "W_rec"):
        np.testing.assert_array_equal(once[name], later[name])
    assert np.abs(once["W_out"] - later["W_out"]).max() > 1e-3

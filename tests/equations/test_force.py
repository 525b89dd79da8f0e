"""FORCE against least squares over all samples, and its feedback against the readout's changes."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import EI, LIF, LeakyTanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD, Adam, Clip, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import Force
from neuroanp.rules.force import least_squares
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.training.one_thread import one_thread
from neuroanp.training.recipe import Recipe
from support.spiking import Wave

ALPHA, LENGTH, LANES, N_IN, N_OUT, HIDDEN = 0.3, 40, 3, 2, 2, 9
MODELS = {
    "lif": LIF(hidden=HIDDEN, input_gain=4.0, readout_gain=1.0),
    "leaky-tanh": LeakyTanhRNN(hidden=HIDDEN, readout_gain=1.0, skip=True),
}


def windows(length):
    """Parts of one long trial with a mask, the first of which starts from rest."""
    rng, steps = np.random.default_rng(0), 3 * LENGTH
    inputs = 2 * rng.random((steps, LANES, N_IN))
    targets, mask = rng.normal(size=(steps, LANES, N_OUT)), rng.random((steps, LANES))
    mask[3:7, 0] = 0
    for first in range(0, steps, length):
        part = slice(first, first + length)
        yield Trial(inputs[part], targets[part], mask[part], carry=first > 0)


def learned(model, rule, length):
    """Weights before and after training by the rule, its state, and what it saw."""
    network = Network(
        model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=rule.passes, perturbation=rule.perturbation,
        engine="runtime",
    )  # fmt: skip
    start = model.start_weights(np.random.default_rng(0), network.n_in, N_OUT)
    if model.skip:
        start["W_skip"] = np.random.default_rng(1).normal(size=start["W_skip"].shape)
    network.load(start)
    weights, state, seen = start, rule.start(network.layout), []
    for trial in windows(length):
        record = network.run(trial)
        seen.append([a.copy() for a in (record.trace[1:], record.inputs, record.targets, record.mask)])
        update = rule(record, np.zeros((trial.steps, LANES)), state)
        assert set(update) == {"W_out", "W_rec"}
        weights = weights | {name: weights[name] - change for name, change in update.items()}
        network.load(weights)
    return start, weights, state, [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]


@pytest.mark.parametrize("length", [LENGTH, 2])
@pytest.mark.parametrize("model", MODELS)
def test_without_feedback_it_is_ridge_regression_on_all_samples(model, length):
    start, weights, state, seen = learned(MODELS[model], Force(alpha=ALPHA, feedback_gain=0.0), length)
    x, inputs, targets, mask = seen
    memory = MODELS[model].readout_memory(1 * ms)
    assert x.any() and (memory > 0) == (model == "lif")
    for t in range(1, len(x)):
        x[t] += memory * x[t - 1]
    if model != "lif":
        targets = targets - inputs @ start["W_skip"].T
    x, targets, mask = x.reshape(-1, HIDDEN), targets.reshape(-1, N_OUT), mask.reshape(-1, 1)
    A = ALPHA * np.eye(HIDDEN) + x.T @ (mask * x)
    W = np.linalg.solve(A, ALPHA * start["W_out"].T + x.T @ (mask * targets)).T
    assert np.abs(W - start["W_out"]).max() > 0.1
    np.testing.assert_allclose(weights["W_out"], W, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(state["P"], np.linalg.inv(A), rtol=1e-8, atol=1e-11)
    np.testing.assert_array_equal(weights["W_rec"], start["W_rec"])


def test_recurrent_weights_follow_the_readout_along_the_feedback():
    rule = Force(alpha=ALPHA, feedback_gain=0.5, feedback_seed=3)
    start, weights, state, _ = learned(MODELS["lif"], rule, 2)
    change = weights["W_out"] - start["W_out"]
    assert np.abs(change).max() > 0.1 and 0.2 < np.abs(state["Q"]).mean() < 0.6
    np.testing.assert_allclose(weights["W_rec"] - start["W_rec"], state["Q"] @ change, atol=1e-13)


def test_many_samples_at_once_are_one_sample_after_the_other():
    rng = np.random.default_rng(0)
    x, targets, W = rng.normal(size=(30, 7)), rng.normal(size=(30, 2)), rng.normal(size=(2, 7))
    P = np.eye(7) / ALPHA
    at_once = P.copy()
    update = least_squares(at_once, x, x @ W.T - targets)
    last = W
    for sample, target in zip(x, targets, strict=True):
        P = P - np.outer(P @ sample, P @ sample) / (1 + sample @ P @ sample)
        last = last - np.outer(last @ sample - target, P @ sample)
    np.testing.assert_allclose(W - update, last, atol=1e-12)
    np.testing.assert_allclose(at_once, P, atol=1e-12)
    np.testing.assert_array_equal(at_once, at_once.T)


def test_p_stays_an_inverse_over_many_updates_of_strongly_correlated_cells():
    rng = np.random.default_rng(0)
    shared, P, total = rng.normal(size=(3, 50)), np.eye(50), np.eye(50)
    with one_thread():
        for _ in range(3000):
            x = rng.normal(size=(2, 3)) @ shared + 1e-3 * rng.normal(size=(2, 50))
            least_squares(P, x, np.zeros((2, 1)))
            total += x.T @ x
    assert np.linalg.eigvalsh(P).min() > 0
    np.testing.assert_allclose(P @ total, np.eye(50), atol=1e-6)


def test_a_penalty_that_rounding_hides_is_refused():
    with pytest.raises(InvalidValue, match=r"^Force\.alpha: expected a penalty that doesn't vanish"):
        learned(MODELS["lif"], Force(alpha=1e-17, feedback_gain=0.0), LENGTH)


RECIPE = Recipe(rule=Force(), optimizer=SGD(lr=1.0), clip=Clip(norm=np.inf), decorrelation=None)


@pytest.mark.parametrize(
    "field, changes",
    [
        ("Recipe.optimizer", {"optimizer": Adam()}),
        ("Recipe.optimizer", {"optimizer": SGD(lr=0.5)}),
        ("Recipe.optimizer", {"optimizer": SGD(lr=1.0, readout_lr=0.0)}),
        ("Recipe.optimizer", {"optimizer": SGD(lr=1.0, anneal="linear")}),
        ("Recipe.rates", {"model": LIF(), "rates": RatePenalty()}),
        ("Recipe.bounds", {"bounds": WeightBounds(low=-1.0)}),
        ("Clip.norm", {"clip": Clip(norm=1.0)}),
        ("Recipe.decorrelation", {"decorrelation": Decorrelation()}),
        ("Recipe.model", {"model": EI()}),
        ("Recipe.rule", {"model": LIF(density=0.5)}),
    ],
)
def test_what_would_alter_the_solution_is_refused(field, changes):
    RECIPE.replace(optimizer=SGD(lr=1.0, readout_lr=1.0, input_lr=0.1)).check(Wave())
    with pytest.raises(InvalidValue, match=field):
        RECIPE.replace(**changes).check(Wave())

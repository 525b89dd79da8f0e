"""Ornstein-Uhlenbeck adaptation: the process and the update."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.noise import draw
from neuroanp.errors import InvalidValue
from neuroanp.models import TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import OrnsteinUhlenbeck, WeightPerturbation
from support.simulator import NAMES, Problem

RULE = OrnsteinUhlenbeck(sigma=0.05, relaxation=0.3)
SINGLE = ("plus",)


def network(rule=RULE, engine="compiled", passes=SINGLE, decorrelated=False):
    model = TanhRNN(hidden=5, bias=False, readout_gain=1.0)
    noise = dataclasses.replace(rule.perturbation, recorded=("trace",))
    made = Network(
        model, 2, 2, 1 * ms, lanes=3, passes=passes, perturbation=noise, seed=7, engine=engine,
        decorrelated=decorrelated,
    )  # fmt: skip
    weights = model.initial_weights(np.random.default_rng(0), 2, 2)
    D = np.eye(5) + 0.1 * np.random.default_rng(1).normal(size=(5, 5))
    made.load(weights, {"D_in": np.eye(2), "D_hidden": D} if decorrelated else None)
    return made


def trial(lanes=3):
    rng = np.random.default_rng(2)
    return Trial(rng.normal(size=(6, lanes, 2)), rng.normal(size=(6, lanes, 2)))


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_weights_follow_the_process(engine):
    made, x = network(engine=engine), None
    for k in range(6):
        record = made.run(trial(), k)
        (noise,) = record.weight_noise()
        fresh = draw("gaussian", 7, 3, k, 0, 5, 5)
        x = fresh if x is None else 0.7 * x + np.sqrt(1 - 0.7**2) * fresh
        np.testing.assert_allclose(noise["W_rec"], 0.05 * x, rtol=1e-12)
        theta = {name: made.weights[name] + noise[name] for name in NAMES}
        state = np.zeros((3, 5))
        for t, u in enumerate(trial().inputs):
            state = np.tanh(u @ theta["W_in"].T + state @ theta["W_rec"].T)
            np.testing.assert_allclose(record.traces[t, 0], state, atol=1e-12)
            np.testing.assert_allclose(record.outputs[t, 0], state @ theta["W_out"].T, atol=1e-12)


def test_any_trial_can_be_run_again_and_tests_on_the_way_leave_no_trace():
    made, straight = network(), []
    for k in range(150):
        (noise,) = made.run(trial(), k).weight_noise()
        straight.append(noise["W_in"].copy())
        if k % 40 == 7:
            quiet = made.run(trial(), 0, sigma=0.0)
            assert not next(quiet.weight_noise())["W_in"].any()
    for k in (3, 149, 120, 121):
        (noise,) = network().run(trial(), k).weight_noise()
        np.testing.assert_allclose(noise["W_in"], straight[k], rtol=1e-12, atol=1e-15)


def test_the_process_has_the_variance_and_the_memory_that_were_asked_for():
    made = network(OrnsteinUhlenbeck(sigma=0.2, relaxation=0.1))
    course = np.array([next(made.run(trial(), k).weight_noise())["W_rec"].ravel() for k in range(600)])
    assert course.std() == pytest.approx(0.2, rel=0.05)
    assert np.mean(course[5:] * course[:-5]) / course.var() == pytest.approx(0.9**5, abs=0.05)


def test_the_passes_of_a_mirrored_pair_are_apart_from_the_mean_by_the_same():
    made = network(passes=("plus", "minus"), decorrelated=True, engine="runtime")
    record = made.run(trial(), 4)
    (noise,) = record.weight_noise()
    D = record.decorrelation["D_hidden"]
    for p, sign in enumerate((1, -1)):
        theta = {name: made.weights[name] + sign * noise[name] for name in NAMES}
        first = np.tanh(trial().inputs[0] @ theta["W_in"].T)
        second = np.tanh(trial().inputs[1] @ theta["W_in"].T + first @ D.T @ theta["W_rec"].T)
        np.testing.assert_allclose(record.traces[1, p], second, atol=1e-12)


def test_update_is_the_reward_prediction_error_times_the_distance_from_the_mean():
    made, modulator = network(), Modulator(baseline=RunningMean(memory=0.8))
    state, expected = modulator.start(made.layout), None
    for k in range(4):
        record = made.run(trial(), k)
        update = RULE(record, modulator(record, state), {})
        total = record.loss[:, 0].sum(axis=0).mean()
        expected = total if expected is None else expected
        (noise,) = record.weight_noise()
        for name in NAMES:
            wanted = (total - expected) / 0.05**2 * noise[name]
            np.testing.assert_allclose(update[name], wanted, rtol=1e-9, atol=1e-12)
        expected = 0.8 * expected + 0.2 * total


def test_without_memory_it_is_weight_perturbation_held_for_a_trial():
    problem = Problem(lanes=2)
    xi = [{name: 0.05 * problem.rng.normal(size=w.shape) for name, w in problem.weights.items()}]
    record = problem.record(weight_noise=xi)
    updates = [
        rule(record, Modulator()(record, {}), {})
        for rule in (OrnsteinUhlenbeck(sigma=0.05, relaxation=1.0), WeightPerturbation(sigma=0.05))
    ]
    for name in NAMES:
        np.testing.assert_allclose(updates[0][name], updates[1][name], rtol=1e-12)
    assert network(OrnsteinUhlenbeck(relaxation=1.0)).run(trial(), 3).weight_noise is not None


@pytest.mark.parametrize("readout", ["delta", "fixed"])
def test_a_readout_that_learns_otherwise_does_not_wander(readout):
    rule = OrnsteinUhlenbeck(sigma=0.05, readout=readout)
    record = network(rule, "runtime").run(trial(), 1)
    assert set(next(record.weight_noise())) == {"W_in", "W_rec"}
    assert ("W_out" in rule(record, np.ones((6, 3)), {})) == (readout == "delta")


def test_bad_options_are_refused_by_name():
    for value in (0.0, 1.5):
        with pytest.raises(InvalidValue, match=r"^OrnsteinUhlenbeck\.relaxation: expected "):
            OrnsteinUhlenbeck(relaxation=value)
    with pytest.raises(InvalidValue, match=r"^Record\.weight_noise: "):
        RULE(Problem().record(), np.ones((5, 1)), {})

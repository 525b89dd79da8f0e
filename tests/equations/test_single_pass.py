"""Node perturbation in one pass: held noise, noise of the readout's own, reward minus its running mean."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky, leaky_back
from neuroanp.reward import Modulator, RunningMean
from neuroanp.reward.returns import returns
from neuroanp.rules import NodePerturbation, delta, pre
from support.simulator import NAMES, Problem, cosine


@pytest.mark.parametrize("width", [2, 600])
def test_leaky_sums_are_the_sums_written_out(width):
    values = np.random.default_rng(0).normal(size=(13, width))
    for memory in (0.0, 0.7, 1.0):
        ahead = [sum(memory ** (t - s) * values[s] for s in range(t + 1)) for t in range(13)]
        back = [sum(memory ** (s - t) * values[s] for s in range(t, 13)) for t in range(13)]
        np.testing.assert_allclose(leaky(values, memory), ahead, atol=1e-13)
        np.testing.assert_allclose(leaky_back(values, memory), back, atol=1e-13)
        np.testing.assert_array_equal(returns(values, memory), leaky_back(values, memory))


def test_noise_of_the_readout_has_a_level_of_its_own():
    problem = Problem(seed=11)
    rule = NodePerturbation(sigma=1e-3, readout_sigma=2e-2)
    assert rule.perturbation.deviation("output") == 2e-2
    many = problem.repeated(40_000)
    noise = {"noise": many.draw(1e-3)["noise"], "noise_out": many.draw(2e-2)["noise_out"]}
    record = many.record(passes=rule.passes, **noise)
    mean, gradient = rule(record, Modulator()(record, {}), {}), problem.gradient()
    assert np.linalg.norm(mean["W_out"]) == pytest.approx(np.linalg.norm(gradient["W_out"]), rel=0.05)
    assert cosine(mean["W_out"], gradient["W_out"]) > 0.98


def test_held_noise_follows_the_gradient_of_a_steady_input():
    """What an input that doesn't change did to a loss at the end is the same for each step of a draw."""
    problem = Problem(seed=12, steps=6)
    problem.inputs[:] = problem.inputs[:1]
    problem.mask[:] = 0
    problem.mask[-1] = 1
    rule = NodePerturbation(sigma=1e-3, hold=3)
    assert rule.perturbation.hold_steps == 3
    many = problem.repeated(60_000)
    noise = many.draw(1e-3)
    record = many.record(passes=rule.passes, **{k: np.repeat(v[::3], 3, axis=0) for k, v in noise.items()})
    mean, gradient = rule(record, Modulator()(record, {}), {}), problem.gradient()
    assert cosine(mean["W_in"], gradient["W_in"]) > 0.98
    assert np.linalg.norm(mean["W_in"]) == pytest.approx(np.linalg.norm(gradient["W_in"]), rel=0.05)


def test_running_baseline_is_the_rule_of_fiete_and_seung():
    """Reward minus its running mean, at each step, times an eligibility that fades at each step."""
    problem, rule = Problem(seed=13, steps=7, lanes=3), NodePerturbation(sigma=0.1, readout="fixed")
    modulator = Modulator(discount=0.8, baseline=RunningMean(memory=0.9))
    assert modulator.passes(rule.passes) == ("plus",)
    state, expected_loss = modulator.start(None), None
    for _ in range(3):
        record = problem.record(passes=("plus",), **problem.draw(0.1))
        update = rule(record, modulator(record, state), {})
        charged = record.loss[:, 0] * record.mask
        newest = charged.mean(axis=1)
        expected_loss = newest if expected_loss is None else expected_loss
        for name in ("W_in", "W_rec"):
            eligibility, total = 0.0, 0.0
            for t in range(7):
                now = np.einsum("li,lj->lij", record.noise[t], pre(record, name)[t])
                eligibility = 0.8 * eligibility + now
                surprise = (charged[t] - expected_loss[t]) / (3 * 0.1**2)
                total = total + np.einsum("l,lij->ij", surprise, eligibility)
            np.testing.assert_allclose(update[name], total, rtol=1e-10)
        expected_loss = 0.9 * expected_loss + 0.1 * newest


def test_the_delta_rule_of_a_leaky_readout_has_a_filtered_trace():
    problem = Problem(seed=14, steps=9, lanes=2)
    record = dataclasses.replace(problem.record(passes=("plus",)), readout_memory=0.6)
    update = NodePerturbation(sigma=0.0, readout="delta")(record, np.zeros((9, 2)), {})
    errors = delta(dataclasses.replace(record, readout_memory=0.0))
    filtered = np.zeros((2, 4))
    expected = 0.0
    for t in range(9):
        filtered = 0.6 * filtered + record.traces[t, 0]
        expected = expected + errors[t].T @ filtered
    np.testing.assert_allclose(update["W_out"], expected, rtol=1e-12)


def test_a_leaky_readout_learns_the_same_in_parts():
    """Many lanes are summed step by step: copies of few, each judged by its part, have the same update."""
    problem, rule = Problem(seed=15, steps=23, lanes=3), NodePerturbation(sigma=0.1, readout="delta", hold=2)
    drawn, modulator = problem.draw(0.1), problem.rng.normal(size=(23, 3))
    copied = {name: np.repeat(noise, 200, axis=1) for name, noise in drawn.items()}
    few, many = (
        dataclasses.replace(of.record(passes=("plus",), **noise), readout_memory=0.9)
        for of, noise in ((problem, drawn), (problem.repeated(200), copied))
    )
    expected, update = rule(few, modulator, {}), rule(many, np.repeat(modulator, 200, axis=1) / 200, {})
    assert set(expected) == set(NAMES)
    for name in NAMES:
        np.testing.assert_allclose(update[name], expected[name], rtol=1e-10)


@pytest.mark.parametrize(("field", "value"), [("hold", 0), ("hold", 1.5), ("readout_sigma", -0.1)])
def test_bad_options_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=rf"^NodePerturbation\.{field}: expected "):
        NodePerturbation(**{field: value})


def test_a_clean_pass_alone_has_a_modulator_of_zero():
    record = Problem(lanes=3).record(passes=("clean",))
    assert not Modulator()(record, {}).any()
    assert Modulator(scope="global")(record, {}).shape == (5, 1)

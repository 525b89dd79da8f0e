"""Response perturbation: its equations, its mean, what it learns, and what that is good for."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.network.dynamics import Rates
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import NodePerturbation, ResponsePerturbation
from neuroanp.tasks import CartPole, CopyingMemory
from neuroanp.training.train import train
from support.gradients import aligned
from support.simulator import Problem

RULE = ResponsePerturbation(sigma=1e-3, lags=3, rate=0.4, discount=1.0)


def fresh(rule, outputs=2, hidden=4):
    """State before the first trial of 4 units."""
    return rule.start(types.SimpleNamespace(n_out=outputs, hidden=hidden, dtype=np.float64))


def record_of(problem, rule=RULE):
    record = problem.record(passes=rule.passes, noise=problem.draw(rule.sigma)["noise"])
    return dataclasses.replace(record, rates=Rates(memory=0.0))


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_it_is_its_equations(mirrored, discount):
    problem = Problem(seed=1, steps=6, lanes=2, n_out=3, carried=True)
    rule = dataclasses.replace(RULE, mirrored=mirrored, discount=discount)
    record = record_of(problem, rule)
    K = np.random.default_rng(2).normal(size=(3, 3, 4))  # lag, output, unit
    memory = {"response": K.reshape(9, 4).copy()}
    update = rule(record, np.zeros((6, 2)), memory)

    first, other = record.outputs[:, rule.passes.index("plus")], record.outputs[:, 1 if mirrored else 0]
    dy = (first - other) / 2 if mirrored else first - other
    y = (first + other) / 2 if mirrored else other
    e = 2 / (3 * 2) * record.mask[:, :, None] * (y - record.targets)
    x, before = record.trace[1:], record.trace[:-1]
    phi, xi = 1 - x**2, record.noise
    r, post = dy.copy(), np.zeros_like(x)
    for t in range(6):
        for lag in range(3):
            if t >= lag:
                r[t] -= (phi * xi)[t - lag] @ K[lag].T
            if t + lag < 6:
                post[t] += phi[t] * (e[t + lag] @ K[lag])
    for t in range(6):
        left = sum(discount ** (s - t) * (e[s] * r[s]).sum(axis=1) for s in range(t, 6))
        post[t] += left[:, None] / rule.sigma**2 * xi[t]
    learned = K.copy()
    for lag in range(3):
        together = np.einsum("tlo,tli->oi", r[lag:], (phi * xi)[: 6 - lag]) / 12
        learned[lag] += 0.4 / (1 + 4 * 3 / 12) * together / ((phi * xi) ** 2).mean(axis=(0, 1))
    for name, seen in (("W_in", record.inputs), ("W_rec", before)):
        np.testing.assert_allclose(update[name], np.einsum("tli,tlj->ij", post, seen), rtol=1e-9)
    np.testing.assert_allclose(update["W_out"], np.einsum("tlo,tlj->oj", e, x), rtol=1e-9)
    np.testing.assert_allclose(memory["response"].reshape(3, 3, 4), learned, rtol=1e-9)


@pytest.mark.parametrize("case", ["plain", "decorrelated and carried"])
def test_the_mean_is_the_gradient_whatever_the_responses_are(case):
    problem = Problem(seed=1, decorrelated=case != "plain", carried=case != "plain")
    many = problem.repeated(60_000)
    memory = {"response": np.random.default_rng(3).normal(size=(6, 4))}
    found = RULE(record_of(many), np.zeros(0), memory)
    aligned(found, problem.gradient())


def test_without_a_memory_it_is_node_perturbation():
    problem = Problem(seed=4, lanes=3, decorrelated=True)
    record = record_of(problem)
    expected = NodePerturbation(sigma=1e-3, readout="delta")(record, Modulator()(record, {}), {})
    found = RULE(record, np.zeros(0), fresh(RULE, record.outputs.shape[-1]))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-8, atol=1e-12)


def test_responses_become_those_of_the_network():
    """Near rest the network is linear: output o answers noise of unit i by (W_out W_rec^tau)[o, i]."""
    problem = Problem(seed=5, steps=8, lanes=100)
    problem.inputs *= 0
    memory = fresh(RULE)
    for _ in range(60):
        RULE(record_of(problem), np.zeros(0), memory)
    W = problem.weights
    expected = [W["W_out"] @ np.linalg.matrix_power(W["W_rec"], lag) for lag in range(3)]
    # later lags are unexplained, and the correlations of so many samples leave a rest
    np.testing.assert_allclose(memory["response"].reshape(3, 2, 4), expected, atol=0.15)
    assert np.abs(expected[2]).max() > 0.5


def test_what_is_learned_makes_estimates_alike():
    problem = Problem(seed=6, steps=8, lanes=40)
    rule = RULE.replace(lags=8)
    memory = fresh(rule)
    for _ in range(40):
        rule(record_of(problem), np.zeros(0), memory)
    records = [record_of(problem) for _ in range(30)]
    for name in ("W_in", "W_rec"):
        plain = np.std([rule(record, np.zeros(0), fresh(rule))[name] for record in records], axis=0)
        learned = np.std([rule(record, np.zeros(0), memory)[name] for record in records], axis=0)
        assert np.linalg.norm(learned) < 0.6 * np.linalg.norm(plain)


def test_few_samples_do_not_overshoot():
    problem = Problem(seed=7, steps=6, lanes=1, hidden=60)
    rule = RULE.replace(lags=6, rate=1.0)
    memory = fresh(rule, hidden=60)
    sizes = []
    for _ in range(300):
        rule(record_of(problem, rule), np.zeros(0), memory)
        sizes.append(np.abs(memory["response"]).max())
    assert max(sizes[200:]) < 3 * max(sizes[:100])


def test_it_says_what_it_needs():
    for options, field in (
        ({"lags": 0}, "lags"),
        ({"rate": 1.5}, "rate"),
        ({"readout": "perturb"}, "readout"),
    ):
        with pytest.raises(InvalidValue, match=rf"^ResponsePerturbation\.{field}: expected"):
            ResponsePerturbation(**options)
    with pytest.raises(InvalidValue, match=r"^Recipe\.rule: expected a rule that learns from reward"):
        train(task=CartPole(), rule=ResponsePerturbation(readout="fixed"), modulator=Modulator(), lanes=4)
    with pytest.raises(InvalidValue, match=r"^Modulator\.baseline: expected OtherPass"):
        train(task=CopyingMemory(), rule=ResponsePerturbation(), modulator=Modulator(baseline=RunningMean()))

"""What activity-based perturbation converges to, formed without the rule: sqrt(N) sum_t P_t g_t pre_t^T."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.reward.modulator import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation, pre
from support.gradients import DRAWS, adjoint, changes, close
from support.simulator import Problem, cosine

SIGMA = 1e-3


def mean_update(problem, discount):
    rule = ActivityPerturbation(sigma=SIGMA)
    many = problem.repeated(DRAWS)
    record = many.record(passes=rule.passes, **many.draw(SIGMA))
    return rule(record, Modulator(discount=discount)(record, {}), {})


@pytest.mark.parametrize("discount", [0.0, 0.7, 1.0])
def test_recurrent_update_converges_to_the_projected_gradient(discount):
    problem = Problem(seed=11, decorrelated=True, carried=True)
    da, _ = changes(problem)
    P = np.einsum("kti,ktj->tij", da / (da**2).sum(axis=2, keepdims=True), da) / DRAWS
    np.testing.assert_allclose(np.trace(P, axis1=1, axis2=2), 1.0)
    credit = np.einsum("tij,tj->ti", P, adjoint(problem, "noise", discount))
    record = problem.record(passes=("clean",))
    update = mean_update(problem, discount)
    for name in ("W_in", "W_rec"):
        limit = np.sqrt(2 + 4 + 2) * credit.T @ pre(record, name)[:, 0]
        close(update[name], limit)
    if discount == 1.0:
        assert cosine(update["W_rec"], problem.gradient()["W_rec"]) < 0.98


@pytest.mark.parametrize("discount", [0.0, 0.7, 1.0])
def test_readout_update_converges_to_the_projected_gradient_and_its_bias(discount):
    problem = Problem(seed=12, decorrelated=True)
    _, dy = changes(problem)
    unit = dy / (dy**2).sum(axis=2, keepdims=True)
    g = adjoint(problem, "noise_out", discount)
    steps = len(g)
    credit = np.zeros_like(g)
    for t in range(steps):
        for s in range(t, steps):
            credit[t] += discount ** (s - t) * np.einsum("ki,kj,j->i", unit[:, t], dy[:, s], g[s]) / DRAWS
    limit = np.sqrt(2 + 4 + 2) * credit.T @ pre(problem.record(passes=("clean",)), "W_out")[:, 0]
    close(mean_update(problem, discount)["W_out"], limit)


def test_without_recurrence_it_is_the_gradient_over_the_width():
    problem = Problem(seed=13)
    problem.weights["W_rec"][:] = 0
    update, gradient = mean_update(problem, 1.0), problem.gradient()
    close(update["W_in"], np.sqrt(2 + 4 + 2) / 4 * gradient["W_in"])


def test_single_output_without_return_is_the_delta_rule():
    problem = Problem(seed=14, n_out=1, decorrelated=True)
    rule = ActivityPerturbation(sigma=1e-6)
    record = problem.record(passes=rule.passes, **problem.draw(1e-6))
    update = rule(record, Modulator(discount=0.0)(record, {}), {})["W_out"]
    delta = NodePerturbation(readout="delta")(record, np.zeros((5, 1)), {})["W_out"]
    np.testing.assert_allclose(update, np.sqrt(2 + 4 + 1) * delta, rtol=1e-6)


def test_the_norm_is_shared_by_what_shares_the_modulator():
    problem = Problem(seed=15, lanes=2)
    rule = ActivityPerturbation(sigma=1e-3, mirrored=False)
    record = problem.record(passes=rule.passes, **problem.draw(1e-3))
    da = record.activity[:, 1] - record.activity[:, 0]
    loss = ((record.loss[:, 1] - record.loss[:, 0]) * record.mask)[:, :, None]
    lane = np.sqrt(8) * loss / 2 * da / (da**2).sum(axis=2, keepdims=True)
    shared = np.sqrt(8) * loss.mean(axis=1, keepdims=True) * da / (da**2).sum(axis=(1, 2), keepdims=True)
    for scope, post in (("lane", lane), ("global", shared)):
        update = rule(record, Modulator(discount=0.0, scope=scope)(record, {}), {})["W_rec"]
        np.testing.assert_allclose(update, np.einsum("tli,tlj->ij", post, pre(record, "W_rec")), rtol=1e-10)

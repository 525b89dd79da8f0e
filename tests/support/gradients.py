"""Gradients and limits by finite differences, and how near an estimate must come to them."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.reward.returns import returns
from support.simulator import NAMES, cosine

DRAWS = 60_000


def adjoint(problem, layer, discount, step=1e-6):
    """g_t: the derivative of the return from t by noise on `layer` at t, by central differences."""
    steps, lanes, _ = problem.inputs.shape
    units = problem.hidden if layer == "noise" else problem.n_out
    g = np.empty((steps, units))
    for t in range(steps):
        for unit in range(units):
            side = []
            for sign in (1, -1):
                push = np.zeros((steps, lanes, units))
                push[t, 0, unit] = sign * step
                side.append(returns(problem.losses(**{layer: push}), discount)[t, 0])
            g[t, unit] = (side[0] - side[1]) / (2 * step)
    return g


def changes(problem):
    """Draws (DRAWS, T, n) of the changes of activity and of output, from explicit Jacobians."""
    W, D = problem.weights, problem.decorrelation["D_hidden"]
    rng = np.random.default_rng(99)
    slope = 1 - problem.record(passes=("clean",)).traces[:, 0, 0] ** 2
    steps = len(slope)
    da = np.empty((DRAWS, steps, problem.hidden))
    dy = np.empty((DRAWS, steps, problem.n_out))
    passed = np.zeros((DRAWS, problem.hidden))
    for t in range(steps):
        da[:, t] = passed @ W["W_rec"].T + rng.normal(size=passed.shape)
        passed = (da[:, t] * slope[t]) @ D.T
        dy[:, t] = passed @ W["W_out"].T + rng.normal(size=dy[:, t].shape)
    return da, dy


def close(update, limit):
    assert cosine(update, limit) > 0.995
    assert np.linalg.norm(update) == pytest.approx(np.linalg.norm(limit), rel=0.03)


def aligned(mean, gradient, size=0.05):
    """Cosine above 0.98 and length right to `size`, matrix by matrix."""
    for name in NAMES:
        assert cosine(mean[name], gradient[name]) > 0.98, name
        assert np.linalg.norm(mean[name]) == pytest.approx(np.linalg.norm(gradient[name]), rel=size), name

"""Linear solution of a readout, for weights that a training starts with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.linalg import solve

from neuroanp.filters import leaky
from neuroanp.network.model import Weights
from neuroanp.network.network import Network
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.rules import direct
from neuroanp.types import Array

STRENGTHS = 10.0 ** np.arange(-6, 1.25, 0.5)
"""Penalties of squared weights that are tried, in the variance of what a weight is multiplied with."""
LEAST = 1e-10
"""Least penalty, in the largest sum of squares: constants, which have no other, may be there several times."""


class _Sums:
    """Sums over steps and lanes for least squares."""

    def __init__(self) -> None:
        self.count = self.square = 0.0
        self.total: Array = np.zeros(0)
        self.outer: Array = np.zeros(0)
        self.product: Array = np.zeros(0)

    def add(self, x: Array, y: Array, weight: Array) -> None:
        """Samples x (n, features) and y (n, n_out), with their weights (n,)."""
        weighted = x * weight[:, None]
        self.count = self.count + weight.sum()
        self.square = self.square + float(np.vdot(y * weight[:, None], y))
        first = not self.total.size
        for name, value in (
            ("total", weighted.sum(axis=0)), ("outer", weighted.T @ x), ("product", weighted.T @ y),
        ):  # fmt: skip
            setattr(self, name, value if first else getattr(self, name) + value)

    def join(self, other: _Sums) -> _Sums:
        """Sums over the samples of both."""
        both = _Sums()
        for name in ("count", "square", "total", "outer", "product"):
            setattr(both, name, getattr(self, name) + getattr(other, name))
        return both

    def solution(self, strength: float) -> Array:
        """Weights (features, n_out) of the least squares with a penalty."""
        variance = self.outer.diagonal() / self.count - (self.total / self.count) ** 2
        penalty = np.maximum(strength * self.count * variance, LEAST * self.outer.diagonal().max())
        return np.asarray(solve(self.outer + np.diag(penalty), self.product, assume_a="pos"))

    def loss(self, w: Array) -> float:
        """Sum of the squared errors of weights (features, n_out)."""
        return float(self.square - 2 * np.vdot(w, self.product) + np.vdot(w, self.outer @ w))


def linear_start(network: Network, fitting: Iterable[tuple[Trial, bool]]) -> Weights:
    """Readout of a network with its present hidden weights: ridge regression of the targets.

    The penalty is chosen on trials that are kept apart; then all of them count.

    Parameters
    ----------
    network : Network
        With its weights loaded, and no decorrelation yet.
    fitting : iterable of (Trial, bool)
        Trials, and True for those that the penalty is chosen on.

    Returns
    -------
    ``W_out`` (n_out, N), and ``W_skip`` (n_out, skip_steps n_in) where inputs reach the readout directly.
    """
    sums = {False: _Sums(), True: _Sums()}
    for trial, apart in fitting:
        record = network.run(trial, sigma=0.0)
        x = _features(record)
        y = trial.targets.reshape(-1, trial.targets.shape[2])
        weight = np.asarray(record.mask).ravel()
        counts = weight > 0
        sums[apart].add(x[counts], y[counts], weight[counts])
    fit, tail = sums[False], sums[True]
    strength = min(STRENGTHS, key=lambda strength: tail.loss(fit.solution(strength)))
    w = fit.join(tail).solution(strength).T
    hidden = network.model.hidden
    return {"W_out": w[:, :hidden], "W_skip": w[:, hidden:]} if network.model.skip else {"W_out": w}


def _features(record: Record) -> Array:
    """What the weights of the readout are multiplied with, (T L, features)."""
    x = record.trace[1:].astype(np.float64)
    if "W_skip" in record.weights:
        x = np.concatenate([x, direct(record)], axis=2)
    return leaky(x, record.readout_memory).reshape(-1, x.shape[2])

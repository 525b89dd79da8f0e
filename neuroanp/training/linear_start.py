"""Linear solution of a readout, for weights that a training starts with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.linalg import solve

from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky
from neuroanp.network.model import Weights
from neuroanp.network.network import Network
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.rules import direct
from neuroanp.types import Array

STRENGTHS = 10.0 ** np.arange(-6, 1.25, 0.5)
"""Penalties of squared weights that are tried, in the variance of what a weight is multiplied with."""
RATIOS = (1.0, 10.0, 100.0, np.inf)
"""Penalties of the hidden units' weights that are tried, in those of a direct connection."""
LEAST = 1e-10
"""Least penalty, in the largest sum of squares: constants have no other, and may be there several times."""


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

    def solution(self, strength: Array) -> Array:
        """Weights (features, n_out) of the least squares with a penalty (features,)."""
        used = np.isfinite(strength)
        variance = self.outer.diagonal() / self.count - (self.total / self.count) ** 2
        least = LEAST * self.outer.diagonal().max()
        penalty = np.maximum(strength[used] * self.count * variance[used], least)
        w = np.zeros_like(self.product)
        w[used] = solve(self.outer[np.ix_(used, used)] + np.diag(penalty), self.product[used], assume_a="pos")
        return w

    def loss(self, w: Array) -> float:
        """Sum of the squared errors of weights (features, n_out)."""
        return float(self.square - 2 * np.vdot(w, self.product) + np.vdot(w, self.outer @ w))


def linear_start(network: Network, fitting: Iterable[tuple[Trial, bool]]) -> Weights:
    """Readout of a network with its present hidden weights: ridge regression of the targets.

    The penalties are chosen on trials that are kept apart; then all of them count. Where a direct connection
    alone does best there, hidden units start without an effect on the readout.

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
    fit, tail = (sums[apart] if sums[apart].count else sums[not apart] for apart in (False, True))
    if not fit.count:
        expected = "model, where no stretch of the training part is long enough to fit a readout to"
        raise InvalidValue("Recipe.readout_start", expected, "linear")
    hidden, features = network.model.hidden, len(fit.total)
    of_hidden = np.arange(features) < hidden
    tried = [
        strength * np.where(of_hidden, ratio, 1.0)
        for ratio in (RATIOS if network.model.skip else RATIOS[:1])
        for strength in STRENGTHS
    ]
    best = min(tried, key=lambda strength: tail.loss(fit.solution(strength)))
    w = (fit if fit is tail else fit.join(tail)).solution(best).T
    return {"W_out": w[:, :hidden], "W_skip": w[:, hidden:]} if network.model.skip else {"W_out": w}


def _features(record: Record) -> Array:
    """What the weights of the readout are multiplied with, (T L, features)."""
    x = record.trace[1:].astype(np.float64)
    if "W_skip" in record.weights:
        x = np.concatenate([x, direct(record)], axis=2)
    return leaky(x, record.readout_memory).reshape(-1, x.shape[2])

"""Linear predictors of a series from its last few inputs, fitted by least squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroanp.types import Array


def lagged(inputs: Array, rows: Sequence[int] | Array, lags: int, first: Array | int = 0) -> Array:
    """Last `lags` inputs at each of `rows`, newest first, and a constant 1.

    Parameters
    ----------
    inputs : (T, n_in) array
    rows : range or array of int
        Steps of `inputs`.
    lags : int
        Number of inputs, the present one included.
    first : int or array of int
        First step that each may look back to, whose input takes the place of those before.

    Returns
    -------
    (len(rows), lags * n_in + 1) array
    """
    steps = np.asarray(rows)
    past = [inputs[np.maximum(steps - lag, first)] for lag in range(lags)]
    return np.concatenate([*past, np.ones((len(rows), 1))], axis=1)


def linear(inputs: Array, targets: Array, fit: range, test: range, lags: int = 1) -> Array:
    """Predictions of `targets` by the least-squares linear function of the last `lags` inputs.

    Parameters
    ----------
    inputs : (T, n_in) array
    targets : (T, n_out) array
    fit : range
        Steps to fit on; those without `lags` inputs behind them are left out.
    test : range
        Steps to predict; their inputs may reach back into `fit`.
    lags : int
        Number of inputs, the present one included.

    Returns
    -------
    (len(test), n_out) array
    """
    fit = range(max(fit.start, lags - 1), fit.stop)
    weights = np.linalg.lstsq(lagged(inputs, fit, lags), targets[fit.start : fit.stop], rcond=None)[0]
    return lagged(inputs, test, lags) @ weights

"""Expected return, fitted to the products of a network's inputs."""

from __future__ import annotations

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.types import Array

MOST_INPUTS = 20
"""Baseline "inputs" fits one number for each product of two inputs, at every step and lane."""


RIDGE = 1e-6
"""Penalty of that fit, against a variance of 1 of the inputs: for inputs that never change."""


def expected_from(inputs: Array, total: Array, counted: Array) -> Array:
    """Least-squares fit of returns to the products of two inputs, the inputs themselves and 1.

    Parameters
    ----------
    inputs : (T, L, n_in) array
    total : (T, L) array
        Returns.
    counted : (T, L) array of bool
        What is fitted; the fit is given everywhere.

    Returns
    -------
    (T, L) array.

    Raises
    ------
    InvalidValue
        For more inputs than `MOST_INPUTS`.
    """
    steps, lanes, n_in = inputs.shape
    if n_in > MOST_INPUTS:
        raise InvalidValue("Modulator.baseline", f"inputs for at most {MOST_INPUTS}", f"{n_in} inputs")
    seen = np.ones((steps * lanes, n_in + 1))
    seen[:, :n_in] = inputs.reshape(-1, n_in)
    first, second = np.triu_indices(n_in + 1)
    products = seen[:, first] * seen[:, second]
    chosen = products[counted.reshape(-1)]
    square = chosen.T @ chosen
    square[np.diag_indices_from(square)] += RIDGE * len(chosen)
    fit = np.linalg.solve(square, chosen.T @ total[counted])
    expected: Array = (products @ fit).reshape(total.shape)
    return expected

"""Expected return, fitted to the products of a network's inputs."""

from __future__ import annotations

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.record import Record
from neuroanp.reward.baselines import Baseline, noisy_returns
from neuroanp.types import Array, Arrays

MOST_INPUTS = 20
"""Inputs of a critic at most: it fits one number for each product of two inputs, at every step and lane."""

RIDGE = 1e-6
"""Penalty of that fit, against a variance of 1 of the inputs: for inputs that never change."""


class InputCritic(Baseline):
    r"""Return expected from the network's inputs at the step.

    A small critic for tasks in closed loop, where lanes soon differ and a return says more about the state of
    the plant than about the noise: the least-squares fit of R to the products :math:`u_i u_j` of the inputs
    and 1, over the steps and lanes of the trial itself, each lane up to its last counted step; later ones get
    0. It is fitted anew in each trial, local to no synapse and not simulated with the network; its value
    alone is broadcast. As the noise took part in the returns that it is fitted to, the estimate is shrunk, by
    about the number of products over that of independent returns.
    """

    name = "input-critic"

    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        total = noisy_returns(record, discount)
        until_last_counted = np.maximum.accumulate(record.mask[::-1] > 0)[::-1]
        total -= expected_returns(record.inputs, total, until_last_counted)
        total[~until_last_counted] = 0.0
        return total


def expected_returns(inputs: Array, total: Array, counted: Array) -> Array:
    """Least-squares fit of returns to the products of two inputs, the inputs themselves and 1.

    Parameters
    ----------
    inputs : (T, L, n_in) array
    total : (T, L) array
        Returns.
    counted : (T, L) array of bool
        Steps that are fitted; the result covers all.

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
        raise InvalidValue("Modulator.baseline", f"InputCritic for at most {MOST_INPUTS}", f"{n_in} inputs")
    factors = np.ones((steps * lanes, n_in + 1))
    factors[:, :n_in] = inputs.reshape(-1, n_in)
    first, second = np.triu_indices(n_in + 1)
    products = factors[:, first] * factors[:, second]
    fitted = products[counted.reshape(-1)]
    square = fitted.T @ fitted
    square[np.diag_indices_from(square)] += RIDGE * len(fitted)
    return (products @ np.linalg.solve(square, fitted.T @ total[counted])).reshape(total.shape)

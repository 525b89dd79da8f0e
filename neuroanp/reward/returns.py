"""Return: the discounted sum of the loss that follows a step."""

from __future__ import annotations

from neuroanp.filters import leaky_back
from neuroanp.types import Array


def returns(loss: Array, discount: float) -> Array:
    r"""Discounted sum of the loss from each step to the end of the trial.

    .. math:: R_t = \sum_{s \ge t} \gamma^{s-t} \ell_s

    Parameters
    ----------
    loss : (T, ...) array
        Loss of each step.
    discount : float
        :math:`\gamma` from 0 to 1; 0 gives the loss itself, 1 the plain sum to the end.

    Returns
    -------
    (T, ...) array of float64.

    Examples
    --------
    >>> returns(np.array([1.0, 2.0, 4.0]), 0.5)
    array([3., 4., 4.])
    """
    return leaky_back(loss, discount)

"""Leaky sums over the steps of a trial, as synapses and readouts keep them."""

from __future__ import annotations

import numpy as np

from neuroanp.arrays import added, namespace
from neuroanp.types import Array

WIDE = 512
"""Numbers in a step from which the sum goes step by step."""


def leaky(values: Array, memory: float) -> Array:
    r"""Sum of the past, fading from step to step.

    .. math:: z_t = \sum_{s \le t} \mu^{t-s} x_s

    Narrow sums double: after k rounds every step holds the fading sum of the 2^k steps up to it. Wide sums go
    step by step, which touches their memory once.

    Parameters
    ----------
    values : (T, ...) array
    memory : float
        :math:`\mu`, part that is left after a step; 0 gives the values themselves, 1 their plain sum.

    Returns
    -------
    (T, ...) array of float64, a new one.

    Examples
    --------
    >>> leaky(np.array([4.0, 2.0, 1.0]), 0.5)
    array([4., 4., 3.])
    """
    xp = namespace(values)
    total = xp.array(values, dtype=np.float64)
    if xp is np and total[:1].size >= WIDE:
        _step_by_step(total, memory)
        return total
    span, weight = 1, memory
    while span < len(total) and weight > 0:
        total = added(total, slice(span, None), weight * total[:-span])
        span, weight = 2 * span, weight * weight
    return total


def leaky_back(values: Array, memory: float) -> Array:
    r"""Sum of the future, fading: `leaky` from the last step to the first.

    It is the adjoint: :math:`\sum_t a_t \, \mathrm{leaky}(x)_t = \sum_t \mathrm{leaky\_back}(a)_t \, x_t`.
    """
    xp = namespace(values)
    if memory == 1:
        return xp.cumsum(values[::-1], axis=0, dtype=np.float64)[::-1]
    total = xp.array(values, dtype=np.float64)
    if xp is np and total[:1].size >= WIDE:
        _step_by_step(total[::-1], memory)
        return total
    span, weight = 1, memory
    while span < len(total) and weight > 0:
        total = added(total, slice(-span), weight * total[span:])
        span, weight = 2 * span, weight * weight
    return total


def _step_by_step(total: Array, memory: float) -> None:
    """Add to each step, in place, what is left of the sum of the step before."""
    scaled = np.empty_like(total[0])
    for t in range(1, len(total)):
        total[t] += np.multiply(total[t - 1], memory, out=scaled)

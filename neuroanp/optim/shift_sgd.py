"""Gradient descent whose rates are powers of two."""

from __future__ import annotations

import math

from neuroanp.arrays import HOST, namespace
from neuroanp.optim._base import Optimizer
from neuroanp.synapse import Synapse
from neuroanp.types import Arrays


class ShiftSGD(Optimizer):
    r"""Gradient descent that needs no multiplier: each rate is the power of two nearest to it.

    .. math:: \Delta W = -2^{\lfloor \log_2 \eta_k + 1/2 \rfloor} \, g_k

    In whole numbers the change is the gradient estimate, shifted.

    See `Optimizer` for the options. A rate that falls, falls by halves.

    Examples
    --------
    >>> ShiftSGD(lr=0.01).rate("W_rec", progress=0.0)
    0.0078125
    """

    name = "shift-sgd"

    def rate(self, name: str, progress: float) -> float:
        rate = super().rate(name, progress)
        if isinstance(rate, HOST):
            return 2.0 ** math.floor(math.log2(rate) + 0.5) if rate > 0 else 0.0
        xp = namespace(rate)
        return xp.where(rate > 0, 2.0 ** xp.floor(xp.log2(rate) + 0.5), 0.0)

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for name, g in update.items():
            update[name] = g * -self.rate(name, progress)
        return update

    def synapse(self) -> Synapse:
        return Synapse(learn="weight -= learning_rate * gradient")

"""Gradient descent with momentum."""

from __future__ import annotations

import numpy as np

from neuroanp.config.option import option
from neuroanp.optim._base import Optimizer
from neuroanp.synapse import Synapse
from neuroanp.types import Arrays


class SGD(Optimizer):
    r"""Gradient descent, with or without momentum.

    .. math:: v_k = \mu v_{k-1} + g_k, \qquad \Delta W = -\eta_k v_k

    Parameters
    ----------
    momentum : float
        :math:`\mu`, from 0 (none) to less than 1.

    See `Optimizer` for the other options.

    Examples
    --------
    >>> sgd, weights = SGD(lr=0.1), {"W_out": np.zeros((1, 1))}
    >>> sgd({"W_out": np.ones((1, 1))}, weights, sgd.start(weights), progress=0.0)
    {'W_out': array([[-0.1]])}
    """

    name = "sgd"

    momentum: float = option(0.0, "part of the last step that is kept", least=0, below=1)

    def start(self, weights: Arrays) -> Arrays:
        return {name: np.zeros_like(w) for name, w in weights.items()} if self.momentum else {}

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for name, g in update.items():
            if self.momentum:
                g = state[name] = self.momentum * state[name] + g
            update[name] = g * -self.rate(name, progress)
        return update

    def synapse(self) -> Synapse:
        if not self.momentum:
            return Synapse(learn="weight -= learning_rate * gradient")
        learn = """
            velocity = momentum * velocity + gradient
            weight -= learning_rate * velocity
        """
        return Synapse(state=("velocity",), learn=learn, constants={"momentum": self.momentum})

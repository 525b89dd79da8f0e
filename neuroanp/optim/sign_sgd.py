"""Descent along the signs of the gradient."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.config.option import option
from neuroanp.optim._base import Optimizer
from neuroanp.synapse import Synapse
from neuroanp.types import Arrays

SIGN_SGD = """@inproceedings{bernstein2018signsgd,
  author = {Bernstein, Jeremy and Wang, Yu-Xiang and Azizzadenesheli, Kamyar and Anandkumar, Animashree},
  title = {sign{SGD}: Compressed Optimisation for Non-Convex Problems},
  booktitle = {International Conference on Machine Learning},
  year = {2018},
  eprint = {1802.04434}
}"""


class SignSGD(Optimizer):
    r"""Steps of one size against the sign of the gradient, or of its running mean.

    .. math:: m_k = \mu m_{k-1} + g_k, \qquad \Delta W = -\eta_k \, \mathrm{sign} \, m_k

    It sees nothing of the size of an estimate, so no rule has to be scaled, and needs no multiplier: in whole
    numbers the step is a constant, below the last bit of a weight by stochastic rounding. It keeps of Adam
    what needs no division.

    Parameters
    ----------
    momentum : float
        :math:`\mu`, from 0 (none) to less than 1.

    See `Optimizer` for the other options.

    References
    ----------
    Bernstein, Wang, Azizzadenesheli, Anandkumar, ICML (2018).

    Examples
    --------
    >>> stage, weights = SignSGD(lr=0.1), {"W_out": np.zeros((1, 2))}
    >>> stage({"W_out": np.array([[30.0, -0.2]])}, weights, stage.start(weights), progress=0.0)["W_out"]
    array([[-0.1,  0.1]])
    """

    name = "sign-sgd"
    sources: ClassVar[tuple[str, ...]] = (SIGN_SGD,)

    momentum: float = option(0.0, "part of the running sum of gradients that is kept", least=0, below=1)

    def start(self, weights: Arrays) -> Arrays:
        return {name: np.zeros_like(w) for name, w in weights.items()} if self.momentum else {}

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for name, g in update.items():
            if self.momentum:
                g = state[name] = self.momentum * state[name] + g
            update[name] = namespace(g).sign(g) * -self.rate(name, progress)
        return update

    def synapse(self) -> Synapse:
        if not self.momentum:
            return Synapse(learn="weight -= learning_rate * sign(gradient)")
        learn = """
            mean = momentum * mean + gradient
            weight -= learning_rate * sign(mean)
        """
        return Synapse(state=("mean",), learn=learn, constants={"momentum": self.momentum})

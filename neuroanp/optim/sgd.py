"""Gradient descent with momentum."""

from __future__ import annotations

import dataclasses

import numpy as np

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.optim._base import Stage, check_rates, rate
from neuroanp.optim.schedule import ANNEAL
from neuroanp.synapse import Synapse
from neuroanp.types import Arrays


@dataclasses.dataclass(frozen=True, kw_only=True)
class SGD(Stage):
    r"""Gradient descent, with momentum where asked.

    .. math:: v_k = \mu v_{k-1} + g_k, \qquad \Delta W = -\eta_k v_k

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta`, 0 or more, at the start of the run.
    readout_lr : float, optional
        The same for ``W_out``; `lr` when left out.
    input_lr : float, optional
        The same for ``W_in``, whose currents reach a cell of a spiking network as a part dt / tau only.
    momentum : float
        :math:`\mu`, from 0 (none) to less than 1.
    anneal : str
        How the learning rate falls over the run: ``"none"``, ``"linear"`` or ``"cosine"``.

    Examples
    --------
    >>> sgd, weights = SGD(lr=0.1), {"W_out": np.zeros((1, 1))}
    >>> sgd({"W_out": np.ones((1, 1))}, weights, sgd.start(weights), progress=0.0)
    {'W_out': array([[-0.1]])}
    """

    lr: float = option(0.001, "learning rate")
    readout_lr: float | None = option(None, "learning rate of the readout, where another than lr")
    input_lr: float | None = option(None, "learning rate of the input weights, where another than lr")
    momentum: float = option(0.0, "part of the last step that is kept")
    anneal: str = option("none", "how the learning rate falls over the run (none, linear, cosine)")

    def __post_init__(self) -> None:
        check_rates(self)
        checks.not_negative(self, "momentum")
        if self.momentum >= 1:
            raise InvalidValue("SGD.momentum", "a number from 0 to less than 1", self.momentum)
        checks.one_of(self, "anneal", ANNEAL)

    def start(self, weights: Arrays) -> Arrays:
        return {name: np.zeros_like(w) for name, w in weights.items()} if self.momentum else {}

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for name, g in update.items():
            if self.momentum:
                v = state[name]
                v *= self.momentum
                v += g
                g[...] = v
            g *= -rate(self, name, progress)
        return update

    def synapse(self) -> Synapse:
        if not self.momentum:
            return Synapse(learn="weight -= learning_rate * gradient")
        learn = """
            velocity = momentum * velocity + gradient
            weight -= learning_rate * velocity
        """
        return Synapse(state=("velocity",), learn=learn, constants={"momentum": self.momentum})

    def told(self, name: str, progress: float) -> dict[str, float]:
        return {"learning_rate": rate(self, name, progress)}

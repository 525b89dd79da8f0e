"""Tanh network of the paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.config.option import option
from neuroanp.config.sources import ANP
from neuroanp.network.dynamics import Rates
from neuroanp.network.model import Model, Weights, gaussian_weights, orthogonal


class TanhRNN(Model):
    r"""Discrete-time tanh units with a linear readout.

    .. math::
        a_t = W_{in} u_t + W_{rec} x_{t-1} + \xi_t, \qquad x_t = \tanh a_t, \qquad y_t = W_{out} x_t

    References
    ----------
    Fernández, Keemink, van Gerven, arXiv 2405.08967.
    """

    name = "tanh"
    sources = (ANP,)
    equations = """
        a : 1
        x : 1
        drive : 1
        noise : 1
    """
    update = """
        a = drive + noise
        x = tanh(a)
    """

    input_gain: float = option(1.0, "input weights have standard deviation gain / sqrt(inputs)", least=0)
    recurrent_gain: float = option(1.0, "scale of the recurrent weights; 1 keeps activity going", least=0)
    orthogonal: bool = option(True, "start from orthogonal recurrent weights instead of Gaussian ones")
    readout_gain: float = option(0.0, "readout weights have standard deviation gain / sqrt(hidden)", least=0)

    def rates(self, dt: Any) -> Rates | None:
        return Rates()

    def initial_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        gains = (self.input_gain, self.recurrent_gain, self.readout_gain)
        weights = gaussian_weights(rng, self.hidden, n_in, n_out, gains)
        if self.orthogonal:
            weights["W_rec"] = self.recurrent_gain * orthogonal(rng, self.hidden)
        return weights

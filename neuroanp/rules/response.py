"""Node perturbation with a control variate: learned responses to its noise."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.arrays import added, namespace
from neuroanp.config.option import option
from neuroanp.config.sources import LANSDELL
from neuroanp.filters import leaky_back
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import error, outer, slope, times
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

FLOOR = 1e-3
"""Least variance of a unit's effective noise that a response is divided by, in that of the noise itself."""


class ResponsePerturbation(NoiseRule):
    r"""Credit of each unit for the usual effect of its noise on the error, corrected by the rest of it.

    .. math:: \Delta W = -\eta \sum_{t,l} \Big( \phi'_t \sum_{\tau,o} K_o(\tau) \, e_{t+\tau,o}
              + \frac{\xi_t}{\sigma^2} \sum_{s \ge t} \gamma^{s-t} \sum_o e_{s,o} \, r_{s,o} \Big)
              \mathrm{pre}_t^\top

    .. math:: r_{t,o} = \delta y_{t,o} - \sum_{\tau} K_o(\tau) \cdot (\phi' \xi)_{t-\tau}, \qquad
              K_{o,i}(\tau) \leftarrow K_{o,i}(\tau)
              + \rho \, \frac{\langle r_{t+\tau,o} \, (\phi' \xi)_{t,i} \rangle}
              {(1 + P/S) \langle (\phi' \xi)_i^2 \rangle}

    where

    - :math:`K_{o,i}(\tau)` is the response of output o to noise of unit i, :math:`\tau` steps later: an
      average over trials, learned from noise alone;
    - :math:`\delta y` is the effect of all units' noise on the outputs, r the part of it that the responses
      don't explain;
    - P is the number of responses times their length, S that of steps times lanes: with few samples for so
      many numbers a full step would overshoot;
    - e is the derivative of the loss by the outputs; :math:`\phi'` is the slope of tanh units, 1 for others.

    It is node perturbation with a control variate. Of two estimates of one gradient, the responses times the
    errors has no noise but is only as good as the responses; the second, from the noise itself, corrects it
    and is the less noisy the more they explain. As the responses are of trials before, the mean of the sum is
    the gradient, whatever they are, for :math:`\gamma = 1`; a smaller one discounts the correction alone.
    Before the first trial they are 0, and it is node perturbation.

    Errors of the outputs have to be known: it is for tasks with targets and squared errors.

    Needs of a unit
    ---------------
    Local: its noise, its slope, the trace of the presynaptic cell, a number for each output and lag.
    Broadcast: the errors of the outputs and the scalar :math:`\sum_o e_o r_o`, which takes a sum over units.

    Parameters
    ----------
    lags : int
        Length of a response in steps; later effects are left to the correction.
    rate : float
        :math:`\rho` from 0 to 1: 1 goes as far as is stable.
    discount : float
        :math:`\gamma` of the correction, from 0 to 1.

    See `NoiseRule` for the other options. The rule forms its scalar itself: the modulator only decides which
    passes run.

    Examples
    --------
    >>> rule, memory = ResponsePerturbation(lags=20), {}
    >>> update = rule(record, modulator, memory)     # doctest: +SKIP

    References
    ----------
    Feedback learned from noise, without time: Lansdell, Prakash, Kording, ICLR (2020). The responses over
    time and the correction by their remainder are of this library.
    """

    name = "response-perturbation"
    sources = (LANSDELL,)
    needs_two_passes = True
    linear_in_modulator = False

    readout: Literal["delta", "fixed"] = option("delta", "how the readout learns")
    lags: int = option(20, "steps that a response is long", least=1)
    rate: float = option(1.0, "rate at which responses are learned", least=0, most=1)
    discount: float = option(0.95, "weight of an unexplained effect one step later", least=0, most=1)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        return NotLocal(
            quantity="what the responses of all units together explain of the change of the outputs",
            variant="NodePerturbation with Modulator(baseline=RunningMean())",
        )

    def start(self, layout: Layout) -> Arrays:
        return {"response": np.zeros((self.lags * layout.n_out, layout.hidden), layout.dtype)}

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        e, phi = error(record), slope(record)
        noise = phi * record.noise
        K = state["response"]
        r = record.passes.effect(record.outputs) - _explained(noise @ K.T, e.shape[2])
        post = phi * (_later(e, self.lags) @ K)
        if self.sigma > 0:
            correction = leaky_back(namespace(e).einsum("tlo,tlo->tl", e, r), self.discount)
            post += times(correction / self.sigma**2, record.noise)
            state["response"] = K + self._learned(r, noise)
        return self.hidden_update(record, post) | self.readout_update(record)

    def _learned(self, r: Array, noise: Array) -> Array:
        """Change of the responses (lags n_out, N) after a trial."""
        steps, lanes, units = noise.shape
        covariance = outer(_later(r, self.lags), noise) / (steps * lanes)
        xp = namespace(noise)
        variance = xp.maximum(xp.mean(noise**2, axis=(0, 1)), FLOOR * self.sigma**2)
        step = self.rate / (1 + units * min(self.lags, steps) / (steps * lanes))
        return (step * covariance / variance).astype(noise.dtype, copy=False)


def _later(values: Array, lags: int) -> Array:
    """Values (T, L, n) of each of the next steps, the step itself first: (T, L, lags n), 0 past the end."""
    steps, lanes, n = values.shape
    later = namespace(values).zeros((steps, lanes, lags, n), values.dtype)
    for lag in range(min(lags, steps)):
        later = added(later, (slice(steps - lag), slice(None), lag), values[lag:])
    return later.reshape(steps, lanes, lags * n)


def _explained(effects: Array, n: int) -> Array:
    """Sum (T, L, n) of the effects (T, L, lags n) that steps before and the step itself have at each step."""
    steps, lanes, width = effects.shape
    effects = effects.reshape(steps, lanes, width // n, n)
    total = namespace(effects).zeros((steps, lanes, n), effects.dtype)
    for lag in range(min(width // n, steps)):
        total = added(total, slice(lag, None), effects[: steps - lag, :, lag])
    return total

"""Node perturbation with a control variate: learned responses to its noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from neuroanp.arrays import added, namespace
from neuroanp.config.option import option
from neuroanp.config.sources import LANSDELL
from neuroanp.engine.threads import summed
from neuroanp.filters import leaky_back
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.rules._base import NoiseRule
from neuroanp.rules._factors import error, slope, times
from neuroanp.rules._stretches import Stretch, over, stretches
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
        e, K = error(record), state["response"]
        parts = _parts(record)
        known, rest = _ahead(e, self.lags), namespace(e).zeros(e.shape[:2])
        if self.sigma > 0:
            r = record.passes.effect(record.outputs) - _explained(K, parts, e.shape)
            rest = leaky_back(namespace(e).einsum("tlo,tlo->tl", e, r), self.discount) / self.sigma**2
            state["response"] = K + self._learned(r, parts)

        def products(part: _Part) -> Arrays:
            steps, piece = part.stretch
            post = part.slope * (known(part).T @ K).reshape(part.slope.shape)
            post += times(rest[steps], piece.noise)
            return self.hidden_update(piece, post)

        return over(record, products, parts) | self.readout_update(record)

    def _learned(self, r: Array, parts: list[_Part]) -> Array:
        """Change of the responses (lags n_out, N) after a trial."""
        later, (steps, lanes, _), xp = _ahead(r, self.lags), r.shape, namespace(r)

        def products(part: _Part) -> Arrays:
            xi = part.noise
            return {"covariance": later(part) @ xi, "power": xp.einsum("kn,kn->n", xi, xi)}

        total, samples = summed(products, parts), steps * lanes
        variance = xp.maximum(total["power"] / samples, FLOOR * self.sigma**2)
        step = self.rate / (1 + len(variance) * min(self.lags, steps) / samples)
        return (step / samples * total["covariance"] / variance).astype(r.dtype, copy=False)


class _Part(NamedTuple):
    """Stretch of a trial, and what responses are of."""

    stretch: Stretch
    slope: Array
    """(T, L, N)."""
    noise: Array
    """Slope times noise of (T L, N), all steps and lanes of the stretch."""


def _parts(record: Record) -> list[_Part]:
    slopes = [(stretch, slope(stretch.record)) for stretch in stretches(record)]
    return [_Part(s, phi, (phi * s.record.noise).reshape(-1, phi.shape[2])) for s, phi in slopes]


def _ahead(values: Array, lags: int) -> Callable[[_Part], Array]:
    """Function to the values (T, L, n) that follow the steps of a part: (lags n, T L), 0 past the end.

    The first n are those of the steps themselves.
    """
    (lanes, n), xp = values.shape[1:], namespace(values)
    later = xp.concatenate([values.reshape(-1, n).T, xp.zeros((n, lags * lanes), values.dtype)], axis=1)

    def ahead(part: _Part) -> Array:
        first, size = part.stretch.steps.start * lanes, len(part.noise)
        firsts = range(first, first + lags * lanes, lanes)
        return xp.concatenate([later[:, start : start + size] for start in firsts])

    return ahead


def _explained(K: Array, parts: list[_Part], shape: tuple[int, ...]) -> Array:
    """Sum (T, L, n) of the responses to the noise of each step and of those before."""
    steps, lanes, n = shape
    lags = len(K) // n
    total = namespace(K).zeros((n, (steps + lags) * lanes), K.dtype)
    for part in parts:
        first, size = part.stretch.steps.start, len(part.noise)
        for lag, effect in enumerate((K @ part.noise.T).reshape(lags, n, -1)):
            start = (first + lag) * lanes
            total = added(total, (slice(None), slice(start, start + size)), effect)
    return total[:, : steps * lanes].T.reshape(shape)

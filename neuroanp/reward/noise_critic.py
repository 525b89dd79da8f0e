"""Expected return, fitted to the square of the noise that a trial had."""

from __future__ import annotations

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.record import Record
from neuroanp.reward.baselines import Baseline, noisy_returns
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays


class NoiseCritic(Baseline):
    r"""Return expected from how much noise the outputs had, and from the trials before.

    .. math:: b_{t,l} = w_{t,0} + w_{t,1} \sum_{s,o} \xi_{s,l,o}^2

    Noise on the outputs that is as large as they are is most of a squared error itself, and says nothing of
    the weights. Where it is drawn, its square is known; w is the least-squares fit to the returns of the
    trials before, the first trial being its own. `RunningMean` is the same without the second term.

    Parameters
    ----------
    memory : float
        Weight of the past against the newest trial, from 0 to 1.

    Raises
    ------
    InvalidValue
        For a value out of range, and for trials of different lengths.
    """

    name = "noise-critic"

    memory: float = option(0.95, "weight of the past against the newest trial", least=0, most=1)

    @property
    def not_local(self) -> NotLocal:
        return NotLocal(
            quantity="the square of the noise of all outputs over a trial, and a fit to the trials before",
            variant="Modulator(baseline=RunningMean())",
        )

    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        total = noisy_returns(record, discount)
        energy = np.square(record.noise_out, dtype=np.float64).sum(axis=(0, 2))
        factors = np.stack([np.ones_like(energy), energy], axis=1)
        newest = {"critic.square": factors.T @ factors, "critic.product": factors.T @ total.T}
        known = state if "critic.square" in state else newest
        if known["critic.product"].shape != newest["critic.product"].shape:
            steps = known["critic.product"].shape[1]
            raise InvalidValue("NoiseCritic", f"{steps} steps a trial", f"{len(total)} steps")
        fit = np.linalg.lstsq(known["critic.square"], known["critic.product"], rcond=None)[0]
        for name, value in newest.items():
            state[name] = self.memory * state[name] + value if name in state else value
        total -= (factors @ fit).T
        return total

"""FORCE learning."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from neuroanp.config.option import SEEDS, option
from neuroanp.config.sources import NICOLA_CLOPATH
from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.rules._factors import direct
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

SUSSILLO_ABBOTT = """@article{sussillo2009generating,
  author = {Sussillo, David and Abbott, L. F.},
  title = {Generating coherent patterns of activity from chaotic neural networks},
  journal = {Neuron},
  volume = {63},
  number = {4},
  pages = {544--557},
  year = {2009},
  doi = {10.1016/j.neuron.2009.07.018}
}"""


class Force(Rule):
    r"""Recursive least squares for the readout, whose input is fed back to the cells.

    .. math:: W_{out} \leftarrow W_{out} - \sum_s e_s \, (P r_s)^\top, \qquad
              e_s = W_{out} r_s - y^*_s, \qquad
              P = \Big(\alpha I + \sum_s r_s r_s^\top\Big)^{-1}

    .. math:: W_{rec} \leftarrow W_{rec} + Q \, \Delta W_{out}

    where

    - s counts the steps and lanes of this trial in the first sum, of all trials so far in the second, each
      weighted by the mask;
    - r is the trace, filtered as the readout filters it: :math:`r_t = \kappa r_{t-1} + x_t`, with
      :math:`\kappa` the part of the readout that is left after a step;
    - Q (N, n_out) is random and fixed, Gaussian of standard deviation `feedback_gain`.

    Feedback from the readout to the cells needs no synapses of its own: it is a part of rank n_out of the
    recurrent weights, which are :math:`W_{rec}^0 + Q (W_{out} - W_{out}^0)` at any time, with the weights at
    the start. Each cell so receives what the readout receives, and filters it by its membrane. Without
    feedback the rule is the online form of ridge regression on the states of a fixed network.

    The sums are formed over all samples of a trial at a time, by Woodbury's identity, which gives the same
    weights as one sample after the other. But feedback only changes between trials, and the method rests on
    outputs that are near their targets all the time: trials are to be short and to go on from one another, as
    those of `MackeyGlass` with ``window=4, carry=True`` and of `PatternGeneration` with ``window=5*ms`` do,
    on few lanes, so that each goes on for long. A step of the optimizer that isn't the estimate itself would
    not be least squares: `SGD` with ``lr=1`` is the only one that is taken. Input weights and a direct
    connection stay as they are.

    Needs of a synapse
    ------------------
    P, a matrix over all pairs of cells: no synapse has it. Errors of all outputs at each step.

    Parameters
    ----------
    alpha : float
        :math:`\alpha`, above 0, in the unit of a squared trace: the larger, the slower the first changes.
    feedback_gain : float
        Standard deviation of Q, in the unit of activity by that of an output; 0 for no feedback.
    feedback_seed : int
        Seed of Q.

    Raises
    ------
    InvalidValue
        For values out of range, and at the update for an `alpha` that is lost in rounding.

    Examples
    --------
    >>> Force(feedback_gain=0.0).passes
    ('clean',)

    References
    ----------
    Sussillo, Abbott, Neuron 63, 544 (2009); spiking cells: Nicola, Clopath, Nature Communications 8, 2208
    (2017).
    """

    name = "force"
    sources = (SUSSILLO_ABBOTT, NICOLA_CLOPATH)
    estimates_change = True
    bias_note = (
        "The readout goes to the least-squares solution, and recurrent weights follow it along a fixed "
        "random feedback: neither is a gradient."
    )

    readout: Literal["least-squares"] = option(  # type: ignore[assignment]
        "least-squares", "how the readout learns"
    )
    alpha: float = option(0.01, "penalty on changes of the readout: P starts at 1 / alpha", above=0)
    feedback_gain: float = option(0.3, "feedback weights have this standard deviation", least=0)
    feedback_seed: int = option(0, "seed of the feedback", least=0, most=SEEDS)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if name == "W_in":
            return Synapse()
        return NotLocal(
            quantity="P, the inverse correlation of all cells with one another",
            variant="ReadoutOnly(), or EProp() for hidden weights",
        )

    def start(self, layout: Layout) -> Arrays:
        rng = np.random.default_rng(self.feedback_seed)
        return {
            "P": np.eye(layout.hidden) / self.alpha,
            "Q": self.feedback_gain * rng.standard_normal((layout.hidden, layout.n_out)),
            "filtered": np.zeros((layout.lanes, layout.hidden)),
        }

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        x = _filtered(record, state)
        error = x @ record.weights["W_out"].T.astype(x.dtype) - record.targets
        if "W_skip" in record.weights:
            error += direct(record) @ record.weights["W_skip"].T
        counted = np.asarray(record.mask) > 0
        root = np.sqrt(np.asarray(record.mask, float)[counted])[:, None]
        try:
            W = least_squares(state["P"], root * x[counted], root * error[counted])
        except np.linalg.LinAlgError:
            expected = "a penalty that doesn't vanish beside the squared traces, to rounding"
            raise InvalidValue("Force.alpha", expected, self.alpha) from None
        return {"W_out": W, "W_rec": state["Q"] @ W}


def least_squares(P: Array, x: Array, error: Array) -> Array:
    """Sum over samples of error times x P, with the P that includes them: what is to be subtracted from W.

    Parameters
    ----------
    P : (N, N) array
        Inverse of the penalty and the samples so far, symmetric; brought up to date here.
    x : (S, N) array
    error : (S, n_out) array
        Of the weights before any of the samples.

    Returns
    -------
    (n_out, N) array
    """
    total = np.zeros((error.shape[1], len(P)))
    for first in range(0, len(x), len(P)):
        part = x[first : first + len(P)]
        seen = part @ P
        root = cholesky(seen @ part.T + np.eye(len(part)), lower=True, check_finite=False)
        left = error[first : first + len(P)] - part @ total.T
        both = solve_triangular(root, np.hstack((seen, left)), lower=True, check_finite=False)
        spread, left = both[:, : len(P)], both[:, len(P) :]
        P -= spread.T @ spread
        total += left.T @ spread
    return total


def _filtered(record: Record, state: Arrays) -> Array:
    """Hidden trace (T, L, N) as outputs filter it, and go on filtering it in a carried trial; float64."""
    x, memory = record.trace[1:].astype(float), record.readout_memory
    if memory == 0:
        return x
    x = leaky(x, memory)
    if record.carried:
        x += memory ** np.arange(1, len(x) + 1)[:, None, None] * state["filtered"]
    state["filtered"] = x[-1].copy()
    return x

"""E-prop."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.config.option import SEEDS, option
from neuroanp.config.sources import E_PROP
from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky
from neuroanp.network.dynamics import Cells
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.rules._factors import arrived, delta, outer, recurrent_leaky
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays


class EProp(Rule):
    r"""Eligibility traces of spiking cells times a learning signal of each cell: no noise, no reward.

    A gradient-like rule to compare with: it needs the error of every output at every step, and weights that
    bring it back.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} S_{t,l,i} \; \bar e_{t,l,ij}, \qquad
              S_{t,l} = \frac{2}{n_{out} L} B \, (y_{t,l} - y^*_{t,l}), \qquad
              \bar e_t = \kappa \bar e_{t-1} + e_t

    .. math:: e_{t,ij} = h_{t,i} (\epsilon^v_{t,ij} - \epsilon^b_{t,ij}), \qquad
              \epsilon^b_{t+1,ij} = \rho \, (\epsilon^b_{t,ij} + \beta_i \, e_{t,ij}), \qquad
              h_{t,i} = \frac{\gamma}{\theta} \max\Big(0, 1 - \frac{|v_{t,i} - \theta - b_{t,i}|}{\theta}\Big)

    where

    - :math:`\epsilon^v` is the effect of a weight on the potential: presynaptic spikes (for ``W_in`` the
      input) filtered by the membrane;
    - :math:`\epsilon^b` is its effect on the threshold, 0 for cells that don't adapt;
    - h is the pseudo-derivative of a spike, 0 while a cell is refractory, and :math:`\gamma` its `damping`;
    - :math:`\kappa` is the part of the readout that is left after a step;
    - :math:`\alpha, \rho, \beta, \theta` are those of the record's `Cells`;
    - B brings errors back: the present ``W_out`` transposed (symmetric), or fixed random numbers of standard
      deviation 1 / sqrt(hidden).

    Everything but :math:`\epsilon^v` depends on the postsynaptic cell alone, so the sum is computed from the
    last step to the first, with a number a cell instead of one a synapse: the same update at the cost of an
    outer product.

    The modulator is not used, and its baseline decides only which passes run.

    Needs of a synapse
    ------------------
    Local: presynaptic spikes through a filter, the postsynaptic potential and threshold, :math:`\epsilon^b`.
    Broadcast: a learning signal for each cell at each step, which is more than a scalar; with symmetric
    feedback also the present readout weights.

    Parameters
    ----------
    feedback : str
        ``"symmetric"`` or ``"random"``.
    feedback_seed : int
        Seed of random feedback.
    damping : float
        :math:`\gamma`, above 0.
    readout : str
        ``"delta"`` or ``"fixed"``.

    Raises
    ------
    InvalidValue
        For values out of range, and at the update for a model that doesn't give its `cells`.

    Examples
    --------
    >>> EProp(feedback="random").perturbation.target
    'none'

    References
    ----------
    Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein, Maass, Nature Communications 11, 3625 (2020). There
    the rise of the threshold decays from the step after the one that follows a spike, here from that one, as
    the ALIF cells do.
    """

    name = "e-prop"
    sources = (E_PROP,)
    bias_note = (
        "Errors reach the cells that drive the readout alone, not the cells that drive those: all paths "
        "through a second recurrent synapse are left out."
    )
    recorded = ("potential", "adaptation")
    supports_sparse = True

    readout: Literal["delta", "fixed"] = option("delta", "how the readout learns")
    feedback: Literal["symmetric", "random"] = option("symmetric", "what brings errors back to cells")
    feedback_seed: int = option(0, "seed of random feedback", least=0, most=SEEDS)
    damping: float = option(0.3, "height of the pseudo-derivative of a spike", above=0)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> NotLocal:
        back = "the readout's present weights" if self.feedback == "symmetric" else "weights of its own"
        return NotLocal(
            quantity=f"a signal for each cell at each step, the errors of all outputs through {back}",
            variant="NodePerturbation or RewardSTDP with Modulator(baseline=RunningMean())",
        )

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        cells = record.cells
        if cells is None:
            raise InvalidValue("Record.cells", "a model of spiking cells, such as lif or alif", "none")
        spikes = record.trace[1:]
        error = delta(record)
        signal = error @ self._back(record).astype(error.dtype)
        post = self._post(signal, self._slope(record, cells, spikes), cells)
        current = cells.drive * leaky(record.inputs, cells.memory)
        D = record.decorrelation
        update = {
            "W_in": outer(post, current, D.get("D_in")),
            "W_rec": recurrent_leaky(
                record, post, arrived(record, spikes), cells.memory, D.get("D_hidden"), gain=cells.memory
            ),
        }
        return update | self.readout_update(record, error)

    def _back(self, record: Record) -> Array:
        """B as (n_out, N)."""
        if self.feedback == "random":
            shape = record.targets.shape[2], record.trace.shape[2]
            return np.random.default_rng(self.feedback_seed).standard_normal(shape) / np.sqrt(shape[1])
        D = record.decorrelation.get("D_hidden")
        return record.weights["W_out"] if D is None else record.weights["W_out"] @ D

    def _slope(self, record: Record, cells: Cells, spikes: Array) -> Array:
        """h, (T, L, N)."""
        distance = record.passes.clean(record.hidden["potential"]) - cells.threshold
        if "adaptation" in record.hidden:
            distance = distance - record.passes.clean(record.hidden["adaptation"])
        h = np.maximum(0, 1 - np.abs(distance) / cells.threshold) * (self.damping / cells.threshold)
        for lag in range(1, cells.refractory + 1):
            h[lag:] *= spikes[:-lag] == 0
        return np.asarray(h)

    @staticmethod
    def _post(signal: Array, h: Array, cells: Cells) -> Array:
        r"""Effect of a change of each potential on the loss, directly and through the thresholds after it.

        With c the direct effect, :math:`\lambda_t = -c_t + \rho (1 - \beta h_t) \lambda_{t+1}` is that of a
        change of the threshold, and the whole is :math:`c_t + \rho \beta h_t \lambda_{t+1}`.
        """
        c = np.asarray(signal * h)
        if not np.any(cells.rise):
            return c
        rho = cells.fading
        beta_h = np.asarray(cells.rise, c.dtype) * h
        effect = c.copy()
        lam = np.zeros_like(c[0])
        for t in range(len(c) - 1, -1, -1):
            effect[t] += rho * beta_h[t] * lam
            lam = rho * (1 - beta_h[t]) * lam - c[t]
        return effect

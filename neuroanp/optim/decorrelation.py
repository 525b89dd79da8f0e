"""`Decorrelation`: matrices that learn to send on traces that don't vary together."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.arrays import HOST, namespace, products, samples
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.config.sources import ANP
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.optim.schedule import annealed
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays

DALM = """@misc{dalm2023node,
  author = {Dalm, Sander and van Gerven, Marcel and Ahmad, Nasir},
  title = {Node perturbation can effectively train multi-layer neural networks},
  year = {2023},
  eprint = {2310.00965},
  archivePrefix = {arXiv}
}"""


class Decorrelation(Part):
    r"""Matrix in front of each projection that decorrelates the traces that synapses see.

    .. math:: D \leftarrow D - \epsilon \,
              \big\langle \mathrm{offdiag}(\hat x \hat x^\top) \big\rangle_{t,l} \, D, \qquad \hat x = D x

    with x the input or hidden trace without noise, :math:`\epsilon` the rate, and the mean over
    steps and lanes. Any rule can be decorrelated: its presynaptic trace is then :math:`D x`.

    Parameters
    ----------
    rate : float
        :math:`\epsilon` at the start of the run, 0 or more.
    anneal : str
        Fall of the rate over the run: ``"none"``, ``"linear"`` or ``"cosine"``.

    Raises
    ------
    InvalidValue
        For a rate below 0 and an unknown `anneal`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 1, 1)) + 0.3 * rng.normal(size=(1000, 1, 2))
    >>> decorrelation, D = Decorrelation(rate=0.1), np.eye(2)
    >>> for _ in range(200):
    ...     D = decorrelation.update(D, x, rate=0.1)
    >>> bool(abs(np.corrcoef((x[:, 0] @ D.T).T)[0, 1]) < 0.1)
    True

    References
    ----------
    Dalm, van Gerven, Ahmad, arXiv 2310.00965 (with node perturbation); Fernández,
    Keemink, van Gerven, arXiv 2405.08967 (in recurrent networks).
    """

    sources = (DALM, ANP)

    rate: float = option(0.01, "rate at which the decorrelating matrices learn", least=0)
    anneal: Literal["none", "linear", "cosine"] = option("linear", "fall of the rate over the run")

    @property
    def not_local(self) -> NotLocal:
        """Quantities that one element of D can't know."""
        return NotLocal(
            quantity="the product of two decorrelated traces with a whole column of D, "
            "for each element of D, and the sum D x in front of each synapse",
            variant="decorrelation=None",
        )

    def start(self, layout: Layout) -> Arrays:
        """``D_in`` (n_in, n_in) and ``D_hidden`` (hidden, hidden) before learning: the identity."""
        return {"D_in": np.eye(layout.n_in), "D_hidden": np.eye(layout.hidden)}

    def __call__(self, record: Record, state: Arrays, progress: float) -> Arrays:
        """Both matrices after one trial.

        Parameters
        ----------
        record : Record
        state : dict of arrays
            ``D_in`` and ``D_hidden`` in force in the trial.
        progress : float
            Part of the run that is over, from 0 to 1.
        """
        rate = annealed(self.rate, self.anneal, progress)
        return {
            "D_in": self.update(state["D_in"], record.inputs, rate),
            "D_hidden": self.update(state["D_hidden"], record.trace[1:], rate),
        }

    def update(self, D: Array, traces: Array, rate: float) -> Array:
        """One matrix after one trial.

        With C the mean of x_hat x_hat^T, ``offdiag(C) D = C D - diag(C) D``. Fewer samples (steps x lanes)
        than units keep C as the product of its factors, so that no units^3 product is formed.

        Parameters
        ----------
        D : (n, n) array
        traces : (T, L, n) array
            Trace before decorrelation; products are formed in its dtype.
        rate : float

        Returns
        -------
        (n, n) array of float64, a new one; `D` itself when `rate` is 0.
        """
        if isinstance(rate, HOST) and rate == 0:
            return D
        steps, lanes, units = traces.shape
        x, count = samples(traces), steps * lanes
        narrow = D.astype(x.dtype, copy=False)
        if count < units:
            hat = x @ narrow.T
            variance = namespace(hat).einsum("kn,kn->n" if hat.ndim == 2 else "tln,tln->n", hat, hat)
            change = products(hat, hat @ narrow)
            return D - (change - variance[:, None] * narrow) * (rate / count)
        return self.moved(D, products(x, x), count, rate)

    @staticmethod
    def moved(D: Array, square: Array, samples: int, rate: float) -> Array:
        """`update` from the sum ``x.T @ x`` (n, n) over so many samples."""
        narrow = D.astype(square.dtype, copy=False)
        covariance = narrow @ square @ narrow.T
        change = covariance @ narrow - covariance.diagonal()[:, None] * narrow
        return D - change * (rate / samples)

"""Factors for networks whose recurrent synapses are sparse or delayed, at a cost of spikes x synapses."""

from __future__ import annotations

import numpy as np

from neuroanp.network.wiring import Wiring
from neuroanp.types import Array

BLOCK = 2**17
"""Products that are formed at a time, to stay in the cache."""


def arrivals(wiring: Wiring, x: Array, past: Array) -> Array:
    """Trace as synapses see it: one step later, and by the delay of each cell's axon.

    Parameters
    ----------
    wiring : Wiring
        Of N cells and longest delay D.
    x : (T, L, N) array
    past : (D + 1, L, N) array
        Trace in the steps before, the last one last.

    Returns
    -------
    (T, L, N) array, a new one.
    """
    _, lanes, cells = x.shape
    arriving = np.zeros_like(x, shape=x.size)
    for trace, first in ((past.ravel(), -len(past)), (x.ravel(), 0)):
        spikes = np.flatnonzero(trace)
        arrival = spikes + (wiring.delays[spikes % cells] + np.int64(first + 1)) * (lanes * cells)
        inside = (arrival >= 0) & (arrival < x.size)
        arriving[arrival[inside]] = trace[spikes[inside]]
    return arriving.reshape(x.shape)


def wired_outer(wiring: Wiring, post: Array, x: Array) -> Array:
    """Sum over steps and lanes of post times trace, for the synapses that exist.

    Parameters
    ----------
    wiring : Wiring
        Of N cells with K synapses each.
    post, x : (T, L, N) array
        Products are formed in the dtype of `post`.

    Returns
    -------
    (N K,) array of float64.
    """
    from scipy.sparse import csr_array  # takes long, and few networks are sparse

    cells, outgoing = wiring.targets.shape
    total = np.zeros((cells, outgoing))
    factors, trace = post.ravel(), x.ravel()
    positions = np.flatnonzero(trace)
    size = max(1, BLOCK // outgoing)
    for first in range(0, len(positions), size):
        spikes = positions[first : first + size]
        cell = spikes % cells
        block = spikes - cell  # position of cell 0 in the spike's step and lane
        factor = factors.take(wiring.targets[cell] + block[:, None])
        order = np.argsort(cell, kind="stable")
        starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
        values = trace[spikes[order]].astype(post.dtype, copy=False)
        # a row a cell: the CSR product sums over the spikes of one cell
        by_cell = csr_array((values, order, np.append(starts, len(spikes))), shape=(len(starts), len(spikes)))
        total[cell[order[starts]]] += by_cell @ factor
    return total.ravel()

"""What a rule does otherwise where not all recurrent synapses exist, or where spikes take their time.

It goes through what is not zero in a trace: cost follows the spikes times the synapses of a cell.
"""

from __future__ import annotations

import numpy as np

from neuroanp.network.wiring import Wiring
from neuroanp.types import Array

BLOCK = 2**17
"""Products that are formed at a time, to stay in the cache."""


def arrivals(wiring: Wiring, x: Array, past: Array) -> Array:
    """What synapses see of a trace: each cell's, one step later and as much more as its axon takes.

    Parameters
    ----------
    wiring : Wiring
        Of N cells and longest delay D.
    x : (T, L, N) array
    past : (D + 1, L, N) array
        The trace in the steps before, the last one last.

    Returns
    -------
    (T, L, N) array, a new one.
    """
    _, lanes, cells = x.shape
    seen = np.zeros_like(x, shape=x.size)
    for trace, first in ((past.ravel(), -len(past)), (x.ravel(), 0)):
        found = np.flatnonzero(trace)
        when = found + (wiring.delays[found % cells] + np.int64(first + 1)) * (lanes * cells)
        inside = (when >= 0) & (when < x.size)
        seen[when[inside]] = trace[found[inside]]
    return seen.reshape(x.shape)


def wired_outer(wiring: Wiring, post: Array, x: Array) -> Array:
    """The sum over steps and lanes of post times trace, for the synapses that exist.

    Products are formed spike by spike, and summed by cell as a product with a matrix of one number a spike.

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
    factors, seen = post.ravel(), x.ravel()
    spikes = np.flatnonzero(seen)
    size = max(1, BLOCK // outgoing)
    for first in range(0, len(spikes), size):
        some = spikes[first : first + size]
        source = some % cells
        order = np.argsort(source, kind="stable")
        starts = np.flatnonzero(np.diff(source[order], prepend=-1))
        products = factors.take(wiring.targets[source] + (some - source)[:, None])
        by_cell = csr_array(
            (seen[some[order]].astype(post.dtype, copy=False), order, np.append(starts, len(some))),
            shape=(len(starts), len(some)),
        )
        total[source[order[starts]]] += by_cell @ products
    return total.ravel()

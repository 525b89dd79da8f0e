"""What a rule does otherwise where not all recurrent synapses exist, or where spikes take their time.

It goes through what is not zero in a trace: cost follows the spikes times the synapses of a cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroanp.wiring import Wiring

Array = NDArray[Any]

BLOCK = 2**18
"""Products that are held at a time."""


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
    seen = np.zeros_like(x)
    for trace, first in ((past, -len(past)), (x, 0)):
        step, lane, cell = np.nonzero(trace)
        when = step + (first + 1) + wiring.delays[cell]
        inside = (when >= 0) & (when < len(x))
        step, lane, cell = step[inside], lane[inside], cell[inside]
        seen[when[inside], lane, cell] = trace[step, lane, cell]
    return seen


def wired_outer(wiring: Wiring, post: Array, x: Array) -> Array:
    """The sum over steps and lanes of post times trace, for the synapses that exist.

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
    cells, outgoing = wiring.targets.shape
    total = np.zeros((cells, outgoing))
    factors, seen = np.ascontiguousarray(post).ravel(), x.reshape(-1, cells)
    sample, source = np.nonzero(seen)
    order = np.argsort(source, kind="stable")
    size = max(1, BLOCK // outgoing)
    for first in range(0, len(order), size):
        some = order[first : first + size]
        s, j = sample[some], source[some]
        products = factors[s[:, None] * cells + wiring.targets[j]]
        products *= seen[s, j, None].astype(products.dtype, copy=False)
        starts = np.flatnonzero(np.diff(j, prepend=-1))
        total[j[starts]] += np.add.reduceat(products, starts, axis=0)
    return total.ravel()

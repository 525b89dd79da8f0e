"""Sums of outer products with traces that are mostly zero, such as spikes, or narrow."""

from __future__ import annotations

import functools
from ctypes import c_int64, c_void_p
from typing import Any

import numpy as np

from neuroanp.arrays import products
from neuroanp.engine.kernel import REAL, kernel
from neuroanp.engine.products import product
from neuroanp.types import Array

MOST = 0.1
"""Part of a trace that isn't zero up to which it is gone through number by number."""
UNITS, SOURCES = 16, 64
"""Least width of both, below which the products of BLAS are quicker."""
NARROW, WIDE = 16, 256
"""Widths of trace and units with which BLAS takes longer to arrange numbers than to multiply them."""
LOOK = 64
"""Numbers of a trace that show whether it may be one."""

_FUNCTION = """
#include "rows.hpp"

extern "C" __attribute__((visibility("default")))
int64_t outer_of_events_{dtype}(int64_t samples, int64_t units, int64_t sources, int64_t most,
                                char* __restrict marks, const {c}* __restrict post,
                                const {c}* __restrict x, {c}* __restrict sum) {{
    int64_t events = 0;
    for (int64_t k = 0; k < samples && events <= most; k++, post += units, x += sources) {{
        for (int64_t j = 0; j < sources; j++) marks[j] = x[j] != 0;
        for (const int j : neuroanp::Marked{{marks, (int)sources}}) {{
            events++;
            {c}* __restrict const to = sum + j * units;
            const {c} size = x[j];
            for (int64_t i = 0; i < units; i++) to[i] += size * post[i];
        }}
    }}
    return events;
}}
"""


def outer_product(post: Array, x: Array) -> Array:
    """Sum of outer products ``post.T @ x``, of which zeros of `x` cost little, and little width.

    Parameters
    ----------
    post : (S, n_post) array
    x : (S, n_pre) array
        In the same dtype.

    Returns
    -------
    (n_post, n_pre) array
    """
    if not isinstance(post, np.ndarray):
        return products(post, x)
    n_post, n_pre = post.shape[1], x.shape[1]
    total = None
    if n_pre <= NARROW and n_post >= WIDE:
        total = _gone_through(post, x, x.size)
    elif n_post >= UNITS and n_pre >= SOURCES and _seems_sparse(x):
        total = _gone_through(post, x, int(MOST * x.size))
    return product(post.T, x) if total is None else total.T


def _gone_through(post: Array, x: Array, most: int) -> Array | None:
    """Sum (n_pre, n_post), number by number of `x`; None where more than `most` aren't 0."""
    function = _functions().get(post.dtype.char)
    if function is None or not (post.flags.c_contiguous and x.flags.c_contiguous):
        return None
    total = np.zeros((x.shape[1], post.shape[1]), post.dtype)
    marks = np.zeros(x.shape[1] + 7, np.int8)
    arrays = (array.ctypes.data for array in (marks, post, x, total))
    return total if function(*post.shape, x.shape[1], most, *arrays) <= most else None


def _seems_sparse(x: Array) -> bool:
    some = x[len(x) // 2 :][: 1 + LOOK // x.shape[1]]  # a trial may start from zero
    return bool(np.count_nonzero(some) <= 2 * MOST * some.size + 4)


@functools.cache
def _functions() -> dict[str, Any]:
    arguments = [c_int64] * 4 + [c_void_p] * 4
    made: dict[str, Any] = kernel("outer_of_events", _source, arguments)
    for function in made.values():
        function.restype = c_int64
    return made


def _source(dtype: str) -> str:
    return _FUNCTION.format(dtype=dtype, c=REAL[dtype])

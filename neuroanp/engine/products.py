"""Products of matrices, whose rows several threads share."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from neuroanp.engine.threads import threads, together
from neuroanp.types import Array

BLOCK = 256
"""Rows of a product that are formed at a time: always as many, so that threads don't change the last bits."""

WORTH = 1 << 24
"""Multiplications that are worth waking other threads."""


def product(a: Array, b: Array) -> Array:
    """Product ``a @ b`` of matrices, in threads where they may be taken, see `neuroanp.engine.threads`."""
    rows = len(a)
    if rows <= BLOCK or not isinstance(a, np.ndarray):
        return a @ b
    out = np.empty((rows, b.shape[1]), np.result_type(a, b))
    blocks = [slice(first, first + BLOCK) for first in range(0, rows, BLOCK)]

    def form(some: list[slice]) -> None:
        for block in some:
            np.matmul(a[block], b, out=out[block])

    workers = min(threads(), len(blocks)) if a.size * b.shape[1] >= WORTH else 1
    tasks: list[Any] = [functools.partial(form, blocks[k::workers]) for k in range(workers)]
    together(tasks)
    return out

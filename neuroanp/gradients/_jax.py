"""JAX, imported at its first use, in either precision."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from neuroanp.errors import MissingExtra


def jax() -> Any:
    """Module `jax`.

    Raises
    ------
    MissingExtra
        Where it is not installed.
    """
    try:
        import jax
    except ImportError:
        raise MissingExtra("jax", "compare") from None
    return jax


def precision(dtype: Any) -> contextlib.AbstractContextManager[Any]:
    """Context in which JAX computes in `dtype`, float32 or float64."""
    return jax().enable_x64(np.dtype(dtype) == np.float64)

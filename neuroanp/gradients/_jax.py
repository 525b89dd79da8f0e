"""JAX for comparisons, in either precision."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from neuroanp.config import environment


def jax() -> Any:
    """Module `jax`; `MissingExtra` where it is not installed."""
    return environment.jax("compare")


def precision(dtype: Any) -> contextlib.AbstractContextManager[Any]:
    """Context in which JAX computes in `dtype`, float32 or float64."""
    return jax().enable_x64(np.dtype(dtype) == np.float64)

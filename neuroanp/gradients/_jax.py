"""Precision in which JAX computes gradients."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from neuroanp.arrays import jax as jax


def precision(dtype: Any) -> contextlib.AbstractContextManager[Any]:
    """Context in which JAX computes in `dtype`, float32 or float64."""
    return jax().enable_x64(np.dtype(dtype) == np.float64)

"""Draws of counter-based noise, by the code with which compiled networks draw theirs."""

from __future__ import annotations

import functools
from ctypes import c_double, c_uint64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from neuroanp.engine import noise
from neuroanp.engine.kernel import REAL, kernel
from neuroanp.types import Array

_FUNCTION = """
#include "noise.hpp"

extern "C" __attribute__((visibility("default")))
void draw_{distribution}_{dtype}(uint64_t seed, uint64_t stream, uint64_t trial, uint64_t step,
                                 uint64_t lanes, uint64_t units, double scale, {c}* out) {{
    const neuroanp::Stretch all{{0, (int64_t)lanes}};
    neuroanp::fill_{distribution}(out, seed, stream, trial, step, all, lanes, units, ({c})scale);
}}
"""


def draw(
    distribution: str,
    seed: int,
    stream: int,
    trial: int,
    step: int,
    lanes: int,
    units: int,
    dtype: DTypeLike,
    scale: float,
) -> Array:
    """Noise (lanes, units) of one step, `scale` times that of `neuroanp.engine.noise.draw`, to rounding.

    It takes a tenth of the time, and is to the bit what a compiled network draws; where no compiler works
    it is NumPy's.
    """
    dtype = np.dtype(dtype)
    function = _functions(distribution).get(dtype.char)
    if function is None:
        drawn = noise.draw(distribution, seed, stream, trial, step, lanes, units, dtype)
        return np.multiply(drawn, scale, dtype=dtype)
    out = np.empty((lanes, units), dtype)
    function(seed, stream, trial, step, lanes, units, scale, out.ctypes.data)
    return out


@functools.cache
def _functions(distribution: str) -> dict[str, Any]:
    def source(dtype: str) -> str:
        return _FUNCTION.format(distribution=distribution, dtype=dtype, c=REAL[dtype])

    return kernel(f"draw_{distribution}", source, [c_uint64] * 6 + [c_double, c_void_p])

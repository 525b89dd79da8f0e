"""Functions on arrays, compiled for each dtype from a few lines of C++; none where no compiler works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import CDLL
from typing import Any

from neuroanp.engine.build.cache import build
from neuroanp.engine.build.compiler import Extra, find_compiler
from neuroanp.engine.errors import CacheError, CompileError

REAL = {"d": "double", "f": "float"}
"""C++ types by NumPy's character of the dtype."""

_SOURCE = """
#include <cmath>
#include <cstdint>
using std::abs;
using std::exp;
using std::sqrt;
{functions}
"""

_NOTHING = Extra([], [], [], [], [], [], [])


def kernel(name: str, function: Callable[[str], str], arguments: Sequence[Any]) -> dict[str, Any]:
    """The function for each dtype, by its character; empty where NumPy has to do it.

    Parameters
    ----------
    name : str
        The C++ functions are ``name_d`` and ``name_f``.
    function : callable
        C++ of the function for one dtype.
    arguments : sequence of ctypes types
    """
    compiler = find_compiler()
    if compiler is None:
        return {}
    source = _SOURCE.format(functions="".join(map(function, REAL)))
    try:
        library = CDLL(str(build(source, compiler, _NOTHING, {})))
    except (CompileError, CacheError):  # a network says so; here it would only be slower
        return {}
    compiled = {dtype: library[f"{name}_{dtype}"] for dtype in REAL}
    for each in compiled.values():
        each.restype, each.argtypes = None, list(arguments)
    return compiled

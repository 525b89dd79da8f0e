"""Checks of a model: its names mean something to Brian2, and its size fits into this machine."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
from brian2 import Equations
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_UNITS
from brian2.utils.stringtools import get_identifiers

from neuroanp.engine.memory import physical_memory
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.model import Model

BUILT_IN = {
    "t", "dt", "t_in_timesteps", "i", "N", "xi", "lastspike", "not_refractory", "True", "False",
    "and", "or", "not",
    *DEFAULT_FUNCTIONS, *DEFAULT_CONSTANTS, *DEFAULT_UNITS,
}  # fmt: skip


COPIES = 2
"""Arrays of the size of the weights that a network needs at least."""


def check_size(layout: Layout, model: Model) -> None:
    """Check of the memory that weights and states need at least.

    Raises
    ------
    InvalidValue
        For more than this machine has.
    """
    sources = model.outgoing or layout.hidden
    weights = layout.hidden * (sources + layout.n_in + layout.n_out) * COPIES
    need = layout.dtype.itemsize * (weights + layout.rows * (layout.hidden + layout.n_in + layout.n_out))
    if need > (there := physical_memory()):
        sizes = f"{layout.hidden} hidden units, {layout.n_in} inputs and {layout.n_out} outputs"
        expected = f"sizes that fit into {there / 2**30:.3g} GiB of memory"
        raise InvalidValue(f"{type(model).__name__}.hidden", expected, f"{sizes}: {need / 2**30:.3g} GiB")


def check_names(model: Model) -> None:
    """Check of the names in a model's strings.

    Raises
    ------
    InvalidValue
        For a name of nothing, such as a constant of the script that defines the model.
    """
    cls = type(model)
    _check(cls.__name__, cls.equations, (cls.update, cls.threshold, cls.reset, cls.refractory), "equations")
    _check(cls.__name__, cls.readout_equations, (cls.readout_update,), "readout_equations")


@functools.cache
def _check(name: str, equations: str, codes: tuple[str | None, ...], field: str) -> None:
    declared = Equations(equations)
    code = "\n".join(text for text in codes if isinstance(text, str))
    assigned = set(re.findall(r"^\s*(\w+)\s*[-+*/]?=(?!=)", code.replace(";", "\n"), re.MULTILINE))
    known = declared.names | assigned | BUILT_IN
    used = declared.identifiers | get_identifiers(code)
    unknown = sorted(word for word in used - known if not word.startswith("xi_"))
    if unknown:
        expected = "names of variables and parameters that it declares, whose values parameters() gives"
        raise InvalidValue(f"{name}.{field}", expected, ", ".join(unknown))


def check_numbers(**numbers: Any) -> None:
    """Raise `InvalidValue` for arguments of `Network` that aren't whole numbers of 1 or more."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise InvalidValue(f"Network.{name}", "a whole number of 1 or more", number)

"""Options: one declaration serves Python, the shell and ``config.json``."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

SEEDS = 2**63 - 1
"""Largest seed."""


def option(
    default: Any,
    doc: str,
    unit: str = "1",
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    finite: bool = True,
) -> Any:
    """Option of a `Part`, with all that help, checks and files need.

    Parameters
    ----------
    default : object
        Default value; a Brian2 quantity where `unit` is not ``"1"``.
    doc : str
        One line for ``--help``.
    unit : str
        Unit to show and to parse with, ``"1"`` for plain numbers.
    least, most, above, below : float, optional
        Bounds, of a quantity in base units; `least` and `most` may be reached.
    finite : bool
        False for a number that may be infinite.
    """
    bounds = {"least": least, "most": most, "above": above, "below": below}
    metadata = {"doc": doc, "unit": unit, "finite": finite, "bounds": bounds}
    if type(default).__hash__ is None:
        return dataclasses.field(default_factory=lambda: copy.copy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)

"""Configuration fields: one declaration serves Python, the shell and ``config.json``."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any


def option(default: Any, doc: str, unit: str = "1") -> Any:
    """A dataclass field with what a user needs to know of it.

    Parameters
    ----------
    default : object
        Default value; a Brian2 quantity where `unit` is not ``"1"``.
    doc : str
        One line for ``--help``.
    unit : str
        Unit to show and to parse with, ``"1"`` for plain numbers.
    """
    metadata = {"doc": doc, "unit": unit}
    if type(default).__hash__ is None:
        return dataclasses.field(default_factory=lambda: copy.copy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)

"""Seeds to report on, as words of a command line."""

from __future__ import annotations

import re

from neuroanp.errors import InvalidValue
from neuroanp.training.seeds import fresh


def seeds_of(text: str) -> tuple[int, ...]:
    """Seeds of "5" (100 to 104), "100-104" or "100,101"; `InvalidValue` for other words."""
    stretch = re.fullmatch(r"(\d+)-(\d+)", text)
    if stretch and int(stretch[1]) <= int(stretch[2]):
        return tuple(range(int(stretch[1]), int(stretch[2]) + 1))
    if re.fullmatch(r"\d+(,\d+)+", text):
        return tuple(map(int, text.split(",")))
    if re.fullmatch(r"[1-9]\d*", text):
        return fresh(int(text))
    raise InvalidValue("--seeds", "a number of 1 or more, 100-104 or 100,101", text)

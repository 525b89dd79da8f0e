"""`Bar`: progress of a sweep, in a terminal, a notebook or as lines."""

from __future__ import annotations

from typing import Any

from neuroanp.sweeps.store import Point
from neuroanp.training.progress import ProgressBar


class Bar(ProgressBar):
    """Pairs of point and seed that are done, the best point so far, and the time left.

    Parameters
    ----------
    total, done : int
        Pairs.
    show : bool
    """

    def __init__(self, total: int, done: int, show: bool) -> None:
        super().__init__(total, done, "pair", show)

    def advance(self, best: Point | None) -> None:
        """Count one more pair."""
        self.count("" if best is None else f"best {described(best)}")


def described(point: Point) -> str:
    """Value and settings of a point, on a line."""
    settings = ", ".join(f"{name}={shown(label)}" for name, label in point.values.items())
    return f"{point.value:.4g} at {settings}"


def shown(label: Any) -> str:
    """Label with the digits that a reader needs."""
    if label is None:
        return "none"
    return f"{label:.4g}" if isinstance(label, float) else str(label)

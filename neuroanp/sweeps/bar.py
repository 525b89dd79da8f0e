"""`Bar`: progress of a sweep, in a terminal, a notebook or as lines."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from neuroanp.sweeps.store import Point
from neuroanp.training.progress import bar


class Bar:
    """Pairs of point and seed that are done, the best point so far, and the time left.

    Parameters
    ----------
    total, done : int
        Pairs.
    show : bool
    """

    def __init__(self, total: int, done: int, show: bool) -> None:
        self._bar: Any = bar(total, done, "pair") if show else None

    def advance(self, best: Point | None) -> None:
        """Count one more pair."""
        if self._bar is not None:
            self._bar.set_postfix_str("" if best is None else f"best {described(best)}", refresh=False)
            self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def described(point: Point) -> str:
    """Value and settings of a point, on a line."""
    settings = ", ".join(f"{name}={shown(label)}" for name, label in point.values.items())
    return f"{point.value:.4g} at {settings}"


def shown(label: Any) -> str:
    """Label with the digits that a reader needs."""
    if label is None:
        return "none"
    return f"{label:.4g}" if isinstance(label, float) else str(label)

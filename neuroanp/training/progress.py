"""Progress of a training: a bar, or a line a minute where there is no terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

BETWEEN_LINES = 60.0
"""Seconds between two lines."""


class ProgressBar:
    """Bar that is shown or not, for the time of a block.

    Parameters
    ----------
    total, start : int
        What there is to do in all, and what is done.
    unit : str
    show : bool
        False for silence everywhere.
    """

    def __init__(self, total: int, start: int, unit: str, show: bool) -> None:
        self._bar: Any = _bar(total, start, unit) if show else None

    def count(self, text: str) -> None:
        """Count one more, with a text beside the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class Progress(ProgressBar):
    """Loss and speed: a bar in a terminal and in a notebook, elsewhere a line a minute at most.

    Parameters
    ----------
    updates : int
        Number of updates of the run.
    show : bool
        False for silence everywhere.
    start : int
        Updates already done, for a run that goes on.

    Examples
    --------
    >>> with Progress(500) as progress:
    ...     for update in range(500):
    ...         progress.advance(loss=0.1)
    """

    def __init__(self, updates: int, show: bool = True, start: int = 0) -> None:
        super().__init__(updates, start, "update", show)
        self._smooth: float | None = None

    def advance(self, loss: float) -> None:
        """Count one more update, with its loss."""
        self._smooth = loss if self._smooth is None else 0.95 * self._smooth + 0.05 * loss
        self.count(f"loss {self._smooth:.3g}")


class _Lines:
    """Progress as lines for a log file, the first after a minute."""

    def __init__(self, total: int, start: int, unit: str) -> None:
        self.total, self.done, self.first, self.unit = total, start, start, unit
        self.text = ""
        self.begin = self.last = time.monotonic()

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.text = text

    def update(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.last >= BETWEEN_LINES:
            self.last = now
            speed = (self.done - self.first) / (now - self.begin)
            line = f"{self.unit} {self.done} of {self.total}, {self.text}, {speed:.3g} {self.unit}s/s"
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


def _bar(total: int, start: int, unit: str) -> Any:
    """Bar of `tqdm` in a terminal or a notebook, `_Lines` elsewhere; None without a place for either."""
    settings: dict[str, Any] = {"total": total, "initial": start, "unit": f" {unit}s", "dynamic_ncols": True}
    if _in_notebook():
        from tqdm.auto import tqdm

        return tqdm(**settings)
    if sys.stderr is None:
        return None
    if not sys.stderr.isatty():
        return _Lines(total, start, unit)
    from tqdm import tqdm as terminal

    return terminal(file=sys.stderr, **settings)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None

"""Progress reports of a long run, in Brian2's words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from brian2 import second
from brian2.core.network import TextReport


class _Reporter:
    """Calls Brian2's report function with quantities and knows when the next call is due."""

    def __init__(self, function: Callable[..., None], period: float) -> None:
        self.function, self.period, self.due = function, period, period

    def __call__(self, elapsed: float, completed: float, start: float, duration: float) -> None:
        self.due = elapsed + self.period
        self.function(elapsed * second, completed, start * second, duration * second)


def reporter(report: Any, period: Any) -> _Reporter | None:
    """Function that `Network.run` calls every `period` seconds for its ``report``; ``None`` for no report."""
    if report is None:
        return None
    if report in ("text", "stdout"):
        return _Reporter(TextReport(sys.stdout), float(period))
    if report == "stderr":
        return _Reporter(TextReport(sys.stderr), float(period))
    if callable(report):
        return _Reporter(report, float(period))
    expected = "None, 'text', 'stdout', 'stderr' or a function"
    raise TypeError(f"Network.run.report: expected {expected}, got {report!r}")

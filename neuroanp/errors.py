"""Exceptions that name the field, the expected value and the one that came.

::

    NeuroANPError
    ├── InvalidValue           (and ValueError)
    ├── UnsupportedConstruct
    ├── UnknownName            (and LookupError)
    ├── DataError
    ├── SaveFailed
    ├── MissingExtra           (and ImportError)
    ├── TrialFailed
    ├── DeviceFailed
    └── Diverged
    KeyboardInterrupt
    └── Interrupted
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class NeuroANPError(Exception):
    """Base of every error that NeuroANP raises on purpose."""


class InvalidValue(NeuroANPError, ValueError):
    """Value that cannot be used: ``Class.field: expected ..., got ...``.

    Parameters
    ----------
    where : str
        Class and field, e.g. ``"NodePerturbation.sigma"``.
    expected : str
        Right value, with unit and shape.
    got : object
        Value that came, printed as its ``repr``, a string as it is.
    """

    def __init__(self, where: str, expected: str, got: object) -> None:
        text = got if isinstance(got, str) else repr(got)
        super().__init__(f"{where}: expected {expected}, got {text}")
        self.where = where


class UnsupportedConstruct(NeuroANPError):
    """Construct in a model's strings that only Brian2 itself can run, where they are needed elsewhere."""

    def __init__(self, where: str, construct: str) -> None:
        super().__init__(f"{where}: can't be rendered outside Brian2: {construct}")


class UnknownName(NeuroANPError, LookupError):
    """Name of no task, model, rule or option, with the nearest one that exists."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        import difflib

        near = [other for other in known if name and other.startswith(name)]
        near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"{kind}: expected one of {', '.join(known)}, got {name!r}{hint}")


class DataError(NeuroANPError):
    """Data that is missing, damaged or of the wrong form."""


class SaveFailed(NeuroANPError):
    """Result that couldn't be written: no room, no permission, no disk."""


class MissingExtra(NeuroANPError, ImportError):
    """Optional dependency that is not installed; names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'neuroanp[{extra}]'")


class TrialFailed(NeuroANPError):
    """Trial that a device didn't finish, to be raised by the device; the trial is repeated."""


class DeviceFailed(NeuroANPError):
    """Device that failed in one trial again and again."""


class Diverged(NeuroANPError):
    """Training that left the range of finite numbers; `run` holds its last good state."""

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


class Interrupted(KeyboardInterrupt):
    """Training that was stopped, by hand or by a signal; `run` holds its state, `signal` is its number."""

    def __init__(self, run: Any, signal: int = 2) -> None:
        super().__init__("training was stopped by hand" if signal == 2 else f"stopped by signal {signal}")
        self.run, self.signal = run, signal


def show_as_usual() -> None:
    """Have Python show our own uncaught errors; Brian2 asks to report each as a bug of its own."""
    shown = sys.excepthook
    if shown.__module__ == __name__:
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        (sys.__excepthook__ if issubclass(kind, NeuroANPError) else shown)(kind, error, trace)

    sys.excepthook = hook

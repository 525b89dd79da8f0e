"""`Stopping`: signals that end a training after the update that it is at."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopping:
    """Signals caught meanwhile: Ctrl-C, a cluster's end of time, a closed terminal.

    The first one is kept in `signal`, the second has the effect that the first would have had. Signals that
    somebody ignores, as ``nohup`` does, stay ignored. Outside the main thread, where Python can't catch
    signals, and inside another one, nothing changes.

    Attributes
    ----------
    signal : int or None
        Number of the signal that came.

    Examples
    --------
    >>> with Stopping() as stopping:
    ...     stopping.signal is None
    True
    """

    _outer: Stopping | None = None

    def __init__(self) -> None:
        self._signal: int | None = None
        self._before: dict[int, Any] = {}
        self._inside: Stopping | None = None

    @property
    def signal(self) -> int | None:
        return self._signal if self._inside is None else self._inside.signal

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        if Stopping._outer is not None:
            self._inside = Stopping._outer
            return self
        Stopping._outer = self
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):
                self._before[number] = handler
                signal.signal(number, self._catch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if Stopping._outer is self:
            Stopping._outer = None
            self._release()

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self._signal is None:
            self._signal = number
        else:
            self._release()
            signal.raise_signal(number)

    def _release(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

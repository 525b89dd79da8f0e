"""Executors that run jobs in this process, in an order of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class InTurn(Executor):
    """Jobs at once, as they come; `jobs` keeps them."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        self.jobs += arguments
        return _done(Future(), function, arguments)


class LastFirst(Executor):
    """Jobs one after the other, the one that came last first."""

    def __init__(self) -> None:
        self._thread, self._waiting = ThreadPoolExecutor(1), []  # type: ignore[var-annotated]

    def submit(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, function, arguments))
        self._thread.submit(lambda: _done(*self._waiting.pop()))
        return future


def _done(future: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> Future[Any]:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
    return future

"""BLAS on one thread, as long as any training runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_limits: list[Any] = []
_users = 0


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit of BLAS, which trainings in several threads share: the last one lifts it."""
    global _users
    with _lock:
        if _users == 0:
            _limits.append(threadpool_limits(1))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.pop().restore_original_limits()

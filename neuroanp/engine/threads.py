"""Threads: the cores of this machine, and work that several of them do at the same time."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LEAST = 1 << 18
"""Elements that are worth a thread."""
VECTOR = 64
"""Elements that are a whole number of the widest vectors."""
_TOPOLOGY = Path("/sys/devices/system/cpu")
_here = threading.local()
_pools: dict[int, ThreadPoolExecutor] = {}


@functools.cache
def physical_cores() -> int:
    """Number of physical cores that this process may run on; two threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    siblings = set()
    for cpu in os.sched_getaffinity(0):
        path = _TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        siblings.add(path.read_text() if path.exists() else str(cpu))
    return len(siblings)


def threads() -> int:
    """Number of threads that work in the engine may take at present, in this thread; 1 outside of `using`."""
    return getattr(_here, "threads", 1)


@contextlib.contextmanager
def using(number: int) -> Iterator[None]:
    """Let work in the engine take so many threads."""
    before, _here.threads = threads(), number
    try:
        yield
    finally:
        _here.threads = before


def together(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of tasks that let go of the interpreter, all at the same time; the first one in this thread.

    Tasks take no more threads themselves.
    """
    first, *others = tasks
    if not others:
        return [first()]
    pool = _pools.get(len(others))
    if pool is None:
        pool = _pools[len(others)] = ThreadPoolExecutor(len(others), thread_name_prefix="neuroanp")
    futures = [pool.submit(task) for task in others]
    try:
        with using(1):
            result = first()
    finally:
        rest = [future.exception() for future in futures]  # all are over before anybody touches their memory
    for error in filter(None, rest):
        raise error
    return [result, *(future.result() for future in futures)]


def parts(size: int) -> list[tuple[int, int]]:
    """First and number of the elements that each thread takes of an array, so that vectors stay whole."""
    several = max(1, min(threads(), size // LEAST))
    each = max(1, -(-size // (several * VECTOR))) * VECTOR
    return [(first, min(each, size - first)) for first in range(0, size, each)]


def summed(function: Callable[[Any], dict[str, Any]], items: Sequence[Any]) -> dict[str, Any]:
    """Sum of a function's arrays, by name, over items, some at a time: always added in the items' order."""
    total: dict[str, Any] = {}
    turn = threading.Condition()
    begun, added = iter(range(len(items))), 0

    def add(index: int, arrays: dict[str, Any]) -> None:
        nonlocal added
        with turn:
            while added < index:
                turn.wait()
            for name, array in arrays.items() if added == index else ():
                if name in total:
                    total[name] += array
                else:
                    total[name] = array
            added += 1
            turn.notify_all()

    def work() -> None:
        nonlocal added
        try:
            for index in iter(functools.partial(next, begun, None), None):
                add(index, function(items[index]))
        except BaseException:
            with turn:
                added = len(items)  # which lets the others go
                turn.notify_all()
            raise

    together([work] * min(threads(), len(items)))
    return total


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # threads don't live on in a fork

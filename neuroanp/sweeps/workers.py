"""Workers of a sweep: processes here that stay, a Dask cluster, or any executor."""

from __future__ import annotations

import atexit
import concurrent.futures
import gc
import os
import signal
import threading
import time
import warnings
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from neuroanp.errors import InvalidValue, MissingExtra, NeuroANPError
from neuroanp.sweeps import EXTRA
from neuroanp.training.tables import required

WATCH_SECONDS = 0.3
"""Time after which a worker notices that the sweep was killed."""
QUEUED = 64
"""Jobs that are handed to somebody else's executor at a time."""


class Workers(Protocol):
    """Workers of a sweep.

    Attributes
    ----------
    capacity : int
        Jobs that they are given at a time.
    """

    capacity: int

    def submit(self, function: Any, job: Any) -> Future[Any]:
        """Future of `function(job)`."""

    def restart(self) -> None:
        """Go on after a worker died."""

    def complaint(self) -> str | None:
        """Sentence, if nobody is at work although jobs wait."""

    def close(self) -> None:
        """End of the sweep."""


class LocalWorkers:
    """Worker processes on this machine that stay: each imports and builds once.

    Parameters
    ----------
    number : int
    """

    def __init__(self, number: int) -> None:
        self._number, self.capacity = number, number + 1  # one waits, so that nobody does
        self._loky = required("loky", EXTRA)
        self._open()

    def _open(self) -> None:
        self._executor = self._loky.ProcessPoolExecutor(
            self._number, timeout=None, initializer=_begin, initargs=(os.getpid(),),
            env={name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")},
        )  # fmt: skip
        for _ in range(self._number):
            self._executor.submit(os.getpid)  # they begin to import now

    def submit(self, function: Any, job: Any) -> Future[Any]:
        future: Future[Any] = self._executor.submit(function, job)
        return future

    def restart(self) -> None:
        self.close()
        self._open()

    def complaint(self) -> str | None:
        return None

    def close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._executor.shutdown(wait=True, kill_workers=True)


def _begin(parent: int) -> None:
    """Start of a worker: it ends with its parent, which also answers to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    gc.disable()
    import neuroanp.sweeps.work  # noqa: F401  # imports Brian2 before the first job comes

    gc.freeze()
    gc.enable()


class GivenExecutor:
    """Executor of somebody else's, which stays open.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    """

    capacity = QUEUED

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Any, job: Any) -> Future[Any]:
        return self._executor.submit(function, job)

    def restart(self) -> None:
        raise NeuroANPError("sweep.executor: it is broken; what is done is kept, and another one goes on")

    def complaint(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing."""


class DaskWorkers(GivenExecutor):
    """Workers of a Dask cluster.

    Jobs of a worker that dies are run again elsewhere by Dask. Where no worker is left, it waits without a
    word; `complaint` has one.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any, own: bool) -> None:
        super().__init__(client.get_executor(pure=False, retries=0))
        self._client, self._own = client, own

    def complaint(self) -> str | None:
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            return None
        address = self._client.scheduler.address
        return f"no worker is left at {address}: the sweep goes on when one joins; to stop it loses nothing"

    def close(self) -> None:
        if self._own:
            self._client.close()


_begun: dict[int, LocalWorkers] = {}
"""Worker processes, by their number, that nobody has asked for yet."""


def begin(number: int) -> None:
    """Start worker processes that `workers_of` will be asked for, while this process still imports Brian2."""
    _begun[number] = LocalWorkers(number)


@atexit.register
def _end() -> None:
    """End of worker processes that nobody asked for, as the words were wrong."""
    while _begun:
        _begun.popitem()[1].close()


def cores() -> int:
    """Number of cores that this process may use."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available is not None else os.cpu_count() or 1


def workers_of(workers: int, executor: Any) -> Workers:
    """Workers from what a user gave.

    Parameters
    ----------
    workers : int
        Processes on this machine, where no executor is given.
    executor : concurrent.futures.Executor, distributed.Client, str or None
        A text is the address of a Dask scheduler.

    Raises
    ------
    InvalidValue
        For something else, and an address where no scheduler answers.
    MissingExtra
        Without Loky, or without Dask where one of its addresses is given.
    """
    if executor is None:
        return _begun.pop(workers, None) or LocalWorkers(workers)
    if isinstance(executor, str):
        return DaskWorkers(_client(executor), own=True)
    if isinstance(executor, concurrent.futures.Executor):
        return GivenExecutor(executor)
    if hasattr(executor, "get_executor") and hasattr(executor, "scheduler_info"):
        return DaskWorkers(executor, own=False)
    if hasattr(executor, "submit"):
        return GivenExecutor(executor)
    expected = "a concurrent.futures executor, a Dask client or the address of a scheduler"
    raise InvalidValue("sweep.executor", expected, executor)


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("distributed", "dask") from None
    try:
        return Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InvalidValue(
            "sweep.executor", "the address of a Dask scheduler", f"{address} ({error})"
        ) from None

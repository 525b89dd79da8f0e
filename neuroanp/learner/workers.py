"""`Workers`: processes that run trials of a learner side by side."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from neuroanp.errors import InvalidValue

if TYPE_CHECKING:
    from neuroanp.learner.estimate import Estimate
    from neuroanp.learner.learner import Learner

_built: dict[Callable[[], Learner], Learner] = {}


class Workers:
    """Processes that each hold a network of their own, for `Learner.step`.

    They give the same numbers as one process, however many they are.

    Parameters
    ----------
    build : callable
        Function of a module, without arguments, that makes the network and returns its `Learner`: the same
        one at each call, so it seeds what it draws.
    count : int
        Number of processes.

    Raises
    ------
    InvalidValue
        For a function that other processes can't find, and a count below 1.

    Examples
    --------
    >>> with Workers(build, 4) as workers:                            # doctest: +SKIP
    ...     for update in range(200):
    ...         learner.step(workers)
    """

    def __init__(self, build: Callable[[], Learner], count: int) -> None:
        if not callable(build) or "<" in getattr(build, "__qualname__", "<"):
            raise InvalidValue("Workers.build", "a function at the top level of a module", build)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InvalidValue("Workers.count", "a whole number of 1 or more", count)
        self.build, self.count = build, count
        self._pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))

    def run(self, jobs: Sequence[dict[str, Any]]) -> list[Estimate]:
        """Results of trials, in their order."""
        return list(self._pool.map(_run, [self.build] * len(jobs), jobs))

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _run(build: Callable[[], Learner], job: dict[str, Any]) -> Estimate:
    if build not in _built:
        _built[build] = build()
    learner, digest = _built[build], job.pop("digest")
    if getattr(learner, "digest", None) != digest:
        expected = "a function that makes the same network at each call: call brian2.seed(...) in it"
        raise InvalidValue("Workers.build", expected, "other synapses or initial values")
    return learner.estimate(**job)

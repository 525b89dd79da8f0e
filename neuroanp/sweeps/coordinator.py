"""`Coordinator`: the loop of a sweep, which hands out jobs and keeps what comes back."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import math
import time
import warnings
from concurrent.futures import BrokenExecutor, CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.sweeps.outcome import Outcome
from neuroanp.sweeps.pruning import Pruning
from neuroanp.sweeps.sampling import Sampling
from neuroanp.sweeps.store import Point, Store, best_of
from neuroanp.sweeps.work import STOP, Job, Stopped, work
from neuroanp.sweeps.workers import Workers
from neuroanp.training.stopping import Stopping

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from neuroanp.sweeps.bar import Bar

ATTEMPTS = 3
"""Workers that may die while they do a job alone, before it is given up."""
POLL_SECONDS, COMPLAINT_SECONDS, ENDING_SECONDS = 0.2, 10.0, 60.0
"""Time between two looks at futures, between two at the workers, and for checkpoints at the end."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a sweep is to do with its points.

    Attributes
    ----------
    seeds, report_seeds : tuple of int
    objective : str
        Field of the result.
    direction : {"minimize", "maximize"}
    pruner : BasePruner, optional
    ahead : int
        Points that are begun before the result of an earlier one counts.
    """

    seeds: tuple[int, ...]
    report_seeds: tuple[int, ...]
    objective: str
    direction: str
    pruner: BasePruner | None
    ahead: int

    @property
    def worst(self) -> float:
        """Value of a point that diverged."""
        return math.inf if self.direction == "minimize" else -math.inf

    def value(self, point: Point) -> float:
        """Mean of the objective over seeds, in their order; the worst where one has none."""
        values = [point.outcomes[seed].value(self.objective) for seed in self.seeds]
        mean = float(np.mean(values))
        return mean if math.isfinite(mean) else self.worst


@dataclasses.dataclass(eq=False)
class _Task:
    """Job to do: point, seeds, and whether to report them."""

    point: Point
    seeds: tuple[int, ...]
    report: bool = False
    suspect: bool = False
    """True where a worker has died that may have been at it: it is done alone."""
    attempts: int = 0


class Coordinator:
    """Course of a sweep.

    Parameters
    ----------
    sampling : Sampling
    store : Store
    workers : Workers
    plan : Plan
    base : bytes
        A pickled `neuroanp.sweeps.work.Base`.
    bar : Bar

    Attributes
    ----------
    errors : dict
        Errors that aren't results, by point and seeds: these are tried again when the sweep goes on.
    """

    def __init__(
        self, sampling: Sampling, store: Store, workers: Workers, plan: Plan, base: bytes, bar: Bar
    ) -> None:
        self.sampling, self.store, self.workers, self.plan = sampling, store, workers, plan
        self.base, self.bar = base, bar
        self.errors: dict[tuple[int, tuple[int, ...]], str] = {}
        self._waiting: collections.deque[_Task] = collections.deque()
        self._running: dict[Future[Any], _Task] = {}
        self._reported = self._broken = False
        self._looked = time.monotonic()
        for point in store.points:
            self._queue(point)

    def run(self, stopping: Stopping, folder: Path) -> None:
        """Do all that is left, until it is done or a signal comes."""
        while stopping.signal is None:
            while len(self._running) < self._capacity and (task := self._next()) is not None:
                self._submit(task)
                if self._broken:
                    break
            if not self._running and not self._broken:
                return
            self._collect(POLL_SECONDS)
            if self._broken:
                self.workers.restart()
                self._broken = False
            self._complain()
        (folder / STOP).touch()
        for future in list(self._running):
            if future.cancel():
                del self._running[future]
        end = time.monotonic() + ENDING_SECONDS
        while self._running and time.monotonic() < end:
            self._collect(POLL_SECONDS)

    @property
    def _capacity(self) -> int:
        """Jobs at a time: one, as long as it isn't known of which one a worker died."""
        suspects = any(task.suspect for task in (*self._waiting, *self._running.values()))
        return 1 if suspects else self.workers.capacity

    def _queue(self, point: Point) -> None:
        """Jobs of a point that are left; without any, its end."""
        missing = [seed for seed in self.plan.seeds if seed not in point.outcomes]
        if not missing:
            self._settle(point)
        elif self.plan.pruner is not None:
            self._waiting.append(_Task(point, self.plan.seeds))
        else:
            self._waiting.extend(_Task(point, (seed,)) for seed in missing)

    def _next(self) -> _Task | None:
        """Next job; None where none can begin now."""
        number = len(self.store.points)
        if not self._waiting and number < self.sampling.points and self._may_begin(number):
            proposal = self.sampling.propose(number, self.store.points, self._seen(number))
            self._queue(self.store.add(proposal, self.sampling.space.distributions()))
        if not self._waiting and number == self.sampling.points and not self._running and not self._reported:
            self._queue_report()
        return self._waiting.popleft() if self._waiting else None

    def _queue_report(self) -> None:
        self._reported = True
        best = best_of(self.store.points, self.plan.direction)
        if best is not None:
            seeds = [seed for seed in self.plan.report_seeds if (best.number, seed) not in self.store.report]
            self._waiting.extend(_Task(best, (seed,), report=True) for seed in seeds)

    def _seen(self, number: int) -> int:
        """Number of points whose results count for this one, whoever finishes first."""
        dependent = self.sampling.adaptive or self.plan.pruner is not None
        return max(0, number - self.plan.ahead + 1) if dependent else 0

    def _may_begin(self, number: int) -> bool:
        failed = {point for point, _ in self.errors}
        counted = self.store.points[: self._seen(number)]
        return all(point.state != "open" or point.number in failed for point in counted)

    def _submit(self, task: _Task) -> None:
        pruning = None
        if self.plan.pruner is not None and not task.report:
            number = task.point.number
            pruning = Pruning(
                self.plan.pruner, self.plan.direction, self.plan.objective,
                self.store.points[:number], self._seen(number),
            )  # fmt: skip
        job = Job(self.base, task.point.number, task.point.values, task.seeds, pruning)
        try:
            self._running[self.workers.submit(work, job)] = task
        except (BrokenExecutor, RuntimeError):  # or shut down
            self._broken = True
            self._waiting.appendleft(task)

    def _collect(self, seconds: float) -> None:
        """Keep what is done by now."""
        if all(isinstance(future, Future) for future in self._running):
            concurrent.futures.wait(self._running, seconds, concurrent.futures.FIRST_COMPLETED)
        else:
            time.sleep(seconds)  # futures of others can only be asked
        alone = len(self._running) == 1
        for future in [future for future in self._running if future.done()]:
            task = self._running.pop(future)
            try:
                outcomes = future.result()
            except (Stopped, CancelledError):
                self._waiting.appendleft(task)
            except BrokenExecutor:
                self._broken = True
                self._again(task, alone)
            except Exception as error:  # a worker's: of any kind
                self._fail(task, f"{type(error).__name__}: {error}")
            else:
                self._keep(task, outcomes)

    def _again(self, task: _Task, alone: bool) -> None:
        """Job as the next one, after a worker died."""
        task.suspect, task.attempts = True, task.attempts + alone
        if task.attempts < ATTEMPTS:
            self._waiting.appendleft(task)
        else:
            self._fail(task, f"its worker died {ATTEMPTS} times")

    def _fail(self, task: _Task, reason: str) -> None:
        self.errors[task.point.number, task.seeds] = reason
        where = f"point {task.point.number}, seeds {', '.join(map(str, task.seeds))}"
        warnings.warn(f"sweep: {where}: {reason}; the sweep goes on, and tries it again when called again",
                      stacklevel=2)  # fmt: skip

    def _keep(self, task: _Task, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            record = self.store.record_report if task.report else self.store.record
            record(task.point, outcome)
            self.bar.advance(best_of(self.store.points, self.plan.direction))
        if not task.report and all(seed in task.point.outcomes for seed in self.plan.seeds):
            self._settle(task.point)

    def _settle(self, point: Point) -> None:
        """End of a point, of which all seeds are there."""
        if point.state != "open":
            return
        states = {point.outcomes[seed].state for seed in self.plan.seeds}
        if states == {"failed"}:
            self.store.finish(point, "failed", None)
        elif "pruned" in states:
            last = max(point.intermediate)
            self.store.finish(point, "pruned", point.intermediate[last])
        else:
            value = self.plan.value(point)
            self.store.finish(point, "finished" if math.isfinite(value) else "diverged", value)

    def _complain(self) -> None:
        if time.monotonic() - self._looked > COMPLAINT_SECONDS:
            self._looked = time.monotonic()
            if (complaint := self.workers.complaint()) is not None:
                warnings.warn(f"sweep: {complaint}", stacklevel=2)

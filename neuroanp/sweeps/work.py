"""`work`: trainings of a point, as a worker process does them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import math
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from neuroanp import storage
from neuroanp.engine.memory import give_back
from neuroanp.errors import DataError, Diverged, InvalidValue, UnknownName
from neuroanp.network.network import Network
from neuroanp.sweeps.kept_network import kept_network
from neuroanp.sweeps.outcome import Outcome, State, this_worker
from neuroanp.sweeps.pruning import Pruning
from neuroanp.sweeps.space import OF_TASK, Label, Space
from neuroanp.training import checkpoint
from neuroanp.training.evaluation import evaluations
from neuroanp.training.loop import Trainer
from neuroanp.training.run import Run
from neuroanp.training.run_folder import Checkpoints, RunFolder
from neuroanp.training.stopping import Stopping
from neuroanp.training.task import Task

OUTCOME = "outcome.json"
"""File that is written into a run folder last."""
STOP = ".stop"
"""File beside the run folders that asks their trainings to stop."""
ASKED_SECONDS = 0.5
"""Time between two looks for it."""
LOCKS = ".locks"
"""Folder of locks, in that of the run folders."""
LONGEST = 300
"""Seconds in which a worker of a sweep that was killed ends at the latest."""
BETWEEN = 8
"""Jobs after which a worker hands memory back; each time its next training has to clear it anew."""
_jobs = itertools.count(1)
KEPT = 4
"""Points whose tasks a worker keeps, with the trivial predictors that they know."""


@dataclasses.dataclass(frozen=True)
class Base:
    """What all jobs of a sweep have in common.

    Attributes
    ----------
    space : Space
    settings : dict
        Keyword arguments of `Trainer`: ``engine``, ``dtype``, ``tests``.
    folder : Path
        Folder of the run folders.
    token : str
        Name of the file that proves that a worker sees the same folder.
    checkpoints : Checkpoints
    """

    space: Space
    settings: dict[str, Any]
    folder: Path
    token: str
    checkpoints: Checkpoints


@dataclasses.dataclass(frozen=True)
class Job:
    """Trainings of a point, with several seeds side by side only where a pruner compares their mean.

    Attributes
    ----------
    base : bytes
        A `Base`, pickled once.
    number : int
    values : dict
        Labels by dotted name.
    seeds : tuple of int
    pruning : Pruning, optional
    """

    base: bytes
    number: int
    values: dict[str, Label]
    seeds: tuple[int, ...]
    pruning: Pruning | None = None


class Stopped(Exception):
    """End of a job whose worker was asked to stop; its checkpoints are written."""


def work(job: Job) -> list[Outcome]:
    """Outcomes of a job, one for each seed.

    Raises
    ------
    Stopped
        After a signal, with checkpoints written.
    """
    try:
        return _trained(job)
    finally:
        if next(_jobs) % BETWEEN == 0:
            give_back()


def _trained(job: Job) -> list[Outcome]:
    base = _base(job.base)
    with Stopping() as stopping, contextlib.ExitStack() as stack:
        try:
            trainings = [_Training(job, base, seed, stack) for seed in job.seeds]
        except (InvalidValue, UnknownName) as error:  # of the settings: it stays so
            text, worker = str(error), this_worker()
            return [Outcome(seed=seed, state="failed", message=text, worker=worker) for seed in job.seeds]
        return _together(trainings, job.pruning, stopping)


def _together(trainings: list[_Training], pruning: Pruning | None, stopping: Stopping) -> list[Outcome]:
    """Outcomes of trainings that go on together, from evaluation to evaluation where there is a pruner."""
    if pruning is None:
        for training in trainings:
            training.advance(None, stopping)
        return [training.end("finished", {}) for training in trainings]
    verdict = pruning.judge()
    intermediate: dict[str, float] = {}
    state: State = "finished"
    notes: dict[str, Any] = {}
    for update in trainings[0].tested:
        for training in trainings:
            training.advance(update, stopping)
        worst = math.inf if pruning.direction == "minimize" else -math.inf
        mean = float(np.mean([training.tested_at(update, pruning.field, worst) for training in trainings]))
        intermediate[str(update)] = mean
        bad, attributes = verdict(update, mean)
        notes = {"intermediate": intermediate, "attributes": attributes}
        if bad and update != trainings[0].tested[-1]:
            state = "pruned"
            break
    return [training.end(state, notes) for training in trainings]


class _Training:
    """Training of a point with one seed, from its checkpoint if there is one."""

    def __init__(self, job: Job, base: Base, seed: int, locks: contextlib.ExitStack) -> None:
        self.seed, self.base = seed, base
        self.outcome: Outcome | None = None
        self.test_seconds = 0.0
        self.folder: RunFolder | None = None
        self.place: Path | None = None
        self._began = self._looked = time.monotonic()
        task_values = tuple((name, label) for name, label in job.values.items() if name.startswith(OF_TASK))
        task = _task(job.base, task_values)
        recipe = base.space.recipe_of(job.values)
        self.tested = evaluations(recipe.updates, base.settings["tests"])
        build = kept_network if len(job.seeds) == 1 else Network
        own = {"task": task, "recipe": recipe, "seed": seed, "build": build, "threads": 1}
        settings = base.settings | own
        if (base.folder / base.token).exists():
            name = f"{job.number}-{seed}"
            locks.enter_context(FileLock(base.folder / LOCKS / name, timeout=LONGEST))  # by nobody else
            self._open(base.folder / name, settings)
        else:
            self.trainer = Trainer(**settings)

    def _open(self, place: Path, settings: dict[str, Any]) -> None:
        """Training with a run folder."""
        self.place = place
        if (self.place / OUTCOME).exists():
            try:
                outcome = Outcome(**storage.read_json(self.place / OUTCOME))
            except (DataError, TypeError):  # damaged
                shutil.rmtree(self.place)
            else:
                self.outcome = outcome
                return
        self.trainer = Trainer(**settings)
        if self.place.exists():
            try:
                checkpoint.go_on(self.place, self.trainer)
                self.folder = RunFolder(self.place, self.trainer, self.base.checkpoints)
            except (DataError, InvalidValue):
                shutil.rmtree(self.place)

    def advance(self, update: int | None, stopping: Stopping) -> None:
        """Train up to an update, or to the end."""
        if self.outcome is not None:
            return
        last = self.trainer.recipe.updates
        history = self.trainer.state.history["seconds"]
        start, before = time.perf_counter(), history[-1] if history else 0.0
        try:
            while self.trainer.state.update < (last if update is None else update):
                for step in self.trainer:
                    stop = step.update < last and (stopping.signal is not None or self._asked_to_stop())
                    self._visit(stop)
                    if stop:
                        raise Stopped
                    if step.update == update:
                        break
        except Diverged as error:
            self._close(error.run, "diverged", {}, str(error))
        self.test_seconds += time.perf_counter() - start - (history[-1] if history else 0.0) + before

    def _visit(self, stop: bool) -> None:
        """Write a checkpoint if one is due; short trainings never have a folder on their way."""
        due = self.base.checkpoints
        if self.folder is not None:
            self.folder.visit(stop)
        elif self.place is not None and (
            stop
            or time.monotonic() - self._began >= due.seconds
            or self.trainer.state.update >= (due.updates or math.inf)
        ):
            self.folder = RunFolder(self.place, self.trainer, due)

    def _asked_to_stop(self) -> bool:
        """True if the sweep was stopped, as a file says that is looked for now and then."""
        if self.place is None or time.monotonic() - self._looked < ASKED_SECONDS:
            return False
        self._looked = time.monotonic()
        return (self.base.folder / STOP).exists()

    def tested_at(self, update: int, field: str, worst: float) -> float:
        """Result of the evaluation after an update; the worst if it diverged before."""
        history: Any = self.trainer.state.history if self.outcome is None else self.outcome.curve
        levels = dict(zip(history.get("test_update", ()), history.get(field_of(field), ()), strict=True))
        level = levels.get(update)
        return worst if level is None or not math.isfinite(level) else float(level)

    def end(self, state: State, notes: dict[str, Any]) -> Outcome:
        """Outcome, written into the run folder."""
        if self.outcome is None:
            start = time.perf_counter()
            run = self.trainer.result()
            self.test_seconds += time.perf_counter() - start
            return self._close(run, state, notes, "")
        return self.outcome

    def _close(self, run: Run | None, state: State, notes: dict[str, Any], message: str) -> Outcome:
        self.outcome = outcome = Outcome.of(
            run, state, seed=self.seed, test_seconds=self.test_seconds, message=message, notes=notes,
            worker=this_worker(),
        )  # fmt: skip
        if self.folder is not None:
            if run is not None:
                self.folder.finish(run, figure=False)
            with storage.replaced(self.folder.path / OUTCOME) as draft:
                storage.write_json(draft, outcome.plain())
            (self.folder.path / checkpoint.FILE).unlink(missing_ok=True)
        elif self.place is not None:
            with storage.new_folder(self.place) as draft:
                if run is not None:
                    run.write(draft, figure=False)
                storage.write_json(draft / OUTCOME, outcome.plain())
        return outcome


def field_of(objective: str) -> str:
    """Column of a history that an objective has on the way."""
    return {"score": "test_score"}.get(objective, objective)


@functools.lru_cache(maxsize=2)
def _base(pickled: bytes) -> Base:
    base: Base = pickle.loads(pickled)
    return base


@functools.lru_cache(maxsize=KEPT)
def _task(pickled: bytes, values: tuple[tuple[str, Label], ...]) -> Task:
    """Task of a point, the same object for the same values: it keeps its trivial predictors."""
    return _base(pickled).space.task_of(dict(values))

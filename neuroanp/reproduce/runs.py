"""`Plan` and `run_all`: runs, each in its own process and folder, made unless the folder is there."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from neuroanp import storage as checkpoint
from neuroanp.config import document as config
from neuroanp.config import environment
from neuroanp.errors import Diverged, InvalidValue
from neuroanp.reproduce.changes import CHANGES, EVERY, WHERE
from neuroanp.reproduce.experiments import (
    EXPERIMENTS,
    LENGTHS,
    QUICK_LENGTHS,
    QUICK_SCALED_UPDATES,
    QUICK_SIZES,
    SCALED_METHODS,
    SCALED_UPDATES,
    SIZES,
)
from neuroanp.reproduce.methods import GRADIENTS, UNCOMPARED
from neuroanp.training.seeds import CHOSEN_ON, REPORTED_FROM, fresh

COST = "cost.json"
PACKAGES = ("neuroanp", "brian2", "numpy", "scipy", "jax", "optax", "matplotlib")


class Job(NamedTuple):
    """Run, by names and numbers alone, so that another process can make it."""

    experiment: str
    method: str
    seed: int
    updates: int
    hidden: int
    weather: str | None = None
    length: int = 0

    @property
    def folder(self) -> str:
        """Folder of the run, below that of the report."""
        size = f"-length{self.length}" if self.length else ""
        return f"runs/{self.experiment}{size}-{self.hidden}-{self.updates}/{self.method}/{self.seed}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Contents of a report.

    Parameters
    ----------
    quick : bool
        Small sizes, in about 6 minutes.
    seeds : tuple of int
        From 100 on, as settings are chosen on others; sizes and lengths have the first one alone.
    weather : str, optional
        Path of the weather file; without it the weather is left out.
    only : tuple of str
        Experiments to run, all when empty.
    methods : tuple of str
        Methods to run, all of an experiment when empty.

    Raises
    ------
    InvalidValue
        For no seed, and for one below 100.
    """

    quick: bool = False
    seeds: tuple[int, ...] = fresh(5)
    weather: str | None = None
    only: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.seeds or min(self.seeds) < REPORTED_FROM:
            chosen = f"{CHOSEN_ON[0]} to {CHOSEN_ON[-1]}"
            expected = f"seeds from {REPORTED_FROM} on, as settings are chosen on seeds {chosen}"
            raise InvalidValue("Plan.seeds", expected, self.seeds)

    def experiments(self) -> Iterator[tuple[str, int]]:
        """Names, with the updates of each."""
        for name, experiment in EXPERIMENTS.items():
            updates = experiment.quick_updates if self.quick else experiment.updates
            absent = experiment.needs_weather and self.weather is None
            if updates and not absent and (not self.only or name in self.only):
                yield name, updates

    def jobs(self) -> list[Job]:
        """Runs, a seed of everything before the next one; sizes, lengths and changes if it is whole."""
        runs = [
            Job(name, method, seed, updates, EXPERIMENTS[name].hidden, self.weather)
            for seed in self.seeds
            for name, updates in self.experiments()
            for method in EXPERIMENTS[name].methods
            if not self.methods or method in self.methods
        ]
        return runs + ([*self.sizes(), *self.lengths(), *self.changes()] if self.whole else [])

    @property
    def whole(self) -> bool:
        """True if neither experiments nor methods are chosen."""
        return not (self.only or self.methods)

    def sizes(self) -> list[Job]:
        """Runs at several hidden sizes, on fresh copying."""
        updates = QUICK_SCALED_UPDATES if self.quick else SCALED_UPDATES
        return [
            Job("copying-medium", method, self.seeds[0], updates, hidden)
            for hidden in (QUICK_SIZES if self.quick else SIZES)
            for method in SCALED_METHODS
        ]

    def lengths(self) -> list[Job]:
        """Runs at several trial lengths, on one sequence."""
        updates = QUICK_SCALED_UPDATES if self.quick else SCALED_UPDATES
        return [
            Job("copying-10", method, self.seeds[0], updates, 200, None, length)
            for length in (QUICK_LENGTHS if self.quick else LENGTHS)
            for method in SCALED_METHODS
        ]

    def changes(self) -> list[Job]:
        """Runs of our recipe with one thing changed; a quick report has none."""
        updates, hidden = EXPERIMENTS[WHERE].updates, EXPERIMENTS[WHERE].hidden
        seeds = () if self.quick else self.seeds
        return [Job(WHERE, change, seed, updates, hidden) for seed in seeds for change in CHANGES]


def run_all(plan: Plan, out: Path, processes: int = 1) -> None:
    """Runs of a plan that `out` doesn't have yet, made with a bar that shows the time left.

    Each run has its own process, so that its peak memory can be measured.

    Raises
    ------
    InvalidValue
        Where `out` has runs of other settings, as those of an earlier version are.
    """
    jobs = list(dict.fromkeys(plan.jobs()))
    missing = [job for job in jobs if not (out / job.folder / COST).exists()]
    stale = [job.folder for job in jobs if job not in missing and not _fits(job, out)]
    if stale:
        raise InvalidValue(
            "reproduce.out", "runs of today's settings", f"{len(stale)} others: {stale[0]} ..."
        )
    pool = concurrent.futures.ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    )
    with tqdm(total=len(missing), unit="run", file=sys.stderr) as bar:
        try:
            running = {pool.submit(make, job, str(out)): job for job in missing}
            for future in concurrent.futures.as_completed(running):
                future.result()
                bar.set_postfix_str(f"{running[future].experiment} {running[future].method}")
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)


def settings_of(job: Job) -> dict[str, Any]:
    """Arguments of `Trainer` that make a run."""
    experiment = EXPERIMENTS[job.experiment]
    task = experiment.task(job.weather)
    if job.length:
        task = task.replace(length=job.length)
    recipe = EVERY[job.method].settings(task, experiment.rates)
    if job.method in UNCOMPARED:
        recipe = recipe.replace(**experiment.uncompared)
    if job.method in GRADIENTS and experiment.bptt_rate:
        recipe = recipe.replace(optimizer=recipe.optimizer.replace(lr=experiment.bptt_rate))
    recipe = recipe.replace(
        model=recipe.model.replace(hidden=job.hidden), lanes=experiment.lanes, updates=job.updates
    )
    return {"task": task, "recipe": recipe, "seed": job.seed, "dtype": "float32"}


def _fits(job: Job, out: Path) -> bool:
    """True if a run on disk has today's settings."""
    stored = checkpoint.read_json(out / job.folder / "config.json")
    today = config.describe(**settings_of(job))
    return all(stored.get(name) == today[name] for name in today if name not in config.NOT_SETTINGS)


def make(job: Job, out: str) -> None:
    """Run: its folder, and in it a file with its costs."""
    from neuroanp.training.loop import Trainer

    stopped = None
    try:
        run = Trainer(**settings_of(job), threads=1).run(progress=False)
    except Diverged as error:
        run, stopped = error.run, str(error).partition(";")[0]
    folder = Path(out) / job.folder
    if folder.exists():
        return
    cost = {"peak_mb": _peak_mb(), "diverged": stopped, "versions": versions()}
    with checkpoint.new_folder(folder) as draft:
        checkpoint.write_json(draft / "config.json", run.config)
        checkpoint.write_json(draft / "result.json", run.result)
        checkpoint.write_history(draft / "history.csv", run.history)
        (draft / COST).write_text(json.dumps(cost))


def versions() -> dict[str, str]:
    """Python, the machine, and the packages that numbers depend on."""
    return {"machine": environment.system()} | environment.versions(*PACKAGES)


def _peak_mb() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2

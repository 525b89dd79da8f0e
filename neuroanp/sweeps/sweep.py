"""`sweep`: trainings over a space of settings and several seeds."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroanp import storage
from neuroanp.config import checks, document
from neuroanp.config.option import SEEDS
from neuroanp.errors import Interrupted, InvalidValue, NeuroANPError
from neuroanp.sweeps import EXTRA
from neuroanp.sweeps.bar import Bar
from neuroanp.sweeps.coordinator import Coordinator, Plan
from neuroanp.sweeps.fingerprint import fingerprint
from neuroanp.sweeps.place import alone, check_alone, check_place, run_folders
from neuroanp.sweeps.pruning import pruner_of
from neuroanp.sweeps.results import Sweep
from neuroanp.sweeps.sampling import SamplerMaker, Sampling, without_address
from neuroanp.sweeps.space import Space
from neuroanp.sweeps.store import Store
from neuroanp.sweeps.work import Base
from neuroanp.sweeps.workers import cores, workers_of
from neuroanp.training.recipe import Recipe
from neuroanp.training.run_folder import Checkpoints
from neuroanp.training.stopping import Stopping
from neuroanp.training.tables import required
from neuroanp.training.task import Task

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

OBJECTIVES = ("test_loss", "score", "train_loss", "rate", "seconds")
"""Fields of a result that a point can be judged by."""
ON_THE_WAY = ("test_loss", "score")
"""Those of them that evaluations on the way have."""
MAY_GROW = ("points", "report_seeds", document.WRITTEN_BY)
"""Settings that may be others when a sweep goes on."""


def sweep(
    start: Task | Recipe,
    vary: Mapping[str, Any],
    *,
    task: Task | None = None,
    preset: str | None = None,
    seeds: Iterable[int] = (0, 1, 2),
    report_seeds: Iterable[int] = (),
    points: int | None = None,
    sampler: str | SamplerMaker | None = None,
    pruner: str | BasePruner | None = None,
    objective: str | None = None,
    direction: str | None = None,
    workers: int | None = None,
    executor: Any = None,
    out: Path | str | None = None,
    seed: int = 0,
    ahead: int = 8,
    engine: str = "auto",
    dtype: str = "float64",
    tests: int | None = None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008
    progress: bool = True,
    **changes: Any,
) -> Sweep:
    """Train the points of a space, each with all seeds, and find the best; called again, it goes on.

    A point is judged by the mean of the objective over `seeds`. The best one is trained once more with
    `report_seeds`, on which nothing was chosen. All numbers are the same for any number of workers, under
    Dask and after any interruption.

    Parameters
    ----------
    start : Task or Recipe
        Settings that aren't varied: of a task its recipe, of a recipe the recipe itself, with `task`.
    vary : mapping
        By dotted name: a list of values, or a text, with commas between values or a range, such as
        ``{"rule.sigma": "log:1e-3:0.3", "optimizer.lr": [0.001, 0.01], "task.delay": "5,10"}``. See `Space`.
    task, preset
        As in `neuroanp.train`.
    seeds, report_seeds : iterable of int
        Seeds of training, without any in common.
    points : int, optional
        Number of points that a sampler proposes; a grid has its own. With it listed values are drawn at
        random, unless the sampler is ``"grid"``, whose first points these are then.
    sampler : str or callable, optional
        ``"grid"`` where all values are listed, ``"random"``, ``"tpe"``, ``"gp"``, ``"cma-es"``, ``"qmc"``, or
        a function from a seed to a sampler of Optuna.
    pruner : str or optuna.pruners.BasePruner, optional
        ``"median"``, ``"successive-halving"``, ``"hyperband"`` or an object: it compares the mean over seeds
        at each evaluation with that of earlier points, and ends what is bad.
    objective : str, optional
        ``"test_loss"``, ``"score"``, ``"train_loss"``, ``"rate"`` or ``"seconds"``; that which the task is
        judged by when left out.
    direction : {"minimize", "maximize"}, optional
        That of the score for it, else ``"minimize"``.
    workers : int, optional
        Processes here, one for each core when left out.
    executor : optional
        In their place a Dask client, the address of a Dask scheduler, or a `concurrent.futures` executor.
    out : Path or str, optional
        File of the sweep; ``runs/TASK-sweep-TIME.db`` when left out. Run folders are beside it.
    seed : int
        Seed of the proposals.
    ahead : int
        Points that samplers and pruners don't wait for, so that so many are trained at once.
    tests : int, optional
        Evaluations on the way; 0 for that at the end alone, 20 with a pruner.
    engine, dtype
        As in `neuroanp.train`.
    checkpoints : Checkpoints
    progress : bool
        Show a bar.
    **changes
        Changes of the recipe, as in `neuroanp.train`.

    Raises
    ------
    InvalidValue, UnknownName
        For settings that can't work, before anything is simulated, and for those of another sweep in `out`.
    MissingExtra
        Without Optuna and Loky, of extra ``sweep``.
    DataError
        For a file that is no sweep's.
    Interrupted
        When stopped by hand or by a signal; its `run` is the sweep so far.
    NeuroANPError
        If no training at all came to an end.

    Examples
    --------
    >>> result = sweep(CopyingMemory(), {"rule.sigma": [0.01, 0.1]}, seeds=range(5))     # doctest: +SKIP
    >>> print(result)                                                                    # doctest: +SKIP
    """
    task, recipe = _start(start, task, preset, changes)
    space = Space(task, recipe, vary)
    spiking = recipe.model.threshold is not None or "model" in space.axes
    plan = _plan(task, spiking, seeds, report_seeds, objective, direction, pruner, ahead)
    seed = _whole("sweep.seed", seed, least=0, most=SEEDS)
    tests = (0 if plan.pruner is None else 20) if tests is None else _whole("sweep.tests", tests, least=0)
    sampling = Sampling(space, sampler, points, seed, plan.direction)
    common = {"engine": engine, "dtype": dtype, "tests": tests}
    settings = document.describe(
        task=task, recipe=recipe, data=fingerprint(space), vary=space.describe(), units=space.units(),
        sampler=sampling.name, points=sampling.points, seeds=plan.seeds, report_seeds=plan.report_seeds,
        objective=plan.objective, direction=plan.direction, pruner=_described(plan.pruner),
        ahead=ahead, seed=seed, **common,
    )  # fmt: skip
    number = cores() if workers is None else _whole("sweep.workers", workers, least=1)
    path = Path(out) if out is not None else _default_path(task)
    check_place(path)
    crew = workers_of(number, executor)
    try:
        with Stopping() as stopping, alone(path), contextlib.ExitStack() as stack:
            store = stack.enter_context(contextlib.closing(Store(path, plan.direction)))
            if not store.settings:
                check_alone(path)
            _go_on(store, settings)
            folder, token = stack.enter_context(run_folders(path))
            base = _pickled(Base(space, common, folder.absolute(), token, checkpoints))
            done = sum(len(point.outcomes) for point in store.points) + len(store.report)
            total = sampling.points * len(plan.seeds) + len(plan.report_seeds)
            with Bar(total, done, progress) as bar:
                coordinator = Coordinator(sampling, store, crew, plan, base, bar)
                coordinator.run(stopping, folder)
    finally:
        crew.close()
    result = Sweep(path)
    if stopping.signal is not None:
        raise Interrupted(result, stopping.signal)
    if coordinator.errors and not any(point.outcomes for point in result.points):
        raise NeuroANPError(f"sweep: no training came to its end: {next(iter(coordinator.errors.values()))}")
    return result


def _start(
    start: Task | Recipe, task: Task | None, preset: str | None, changes: dict[str, Any]
) -> tuple[Task, Recipe]:
    """Task and recipe of what the sweep starts from."""
    if isinstance(start, Recipe):
        if not isinstance(task, Task) or preset is not None:
            raise InvalidValue("sweep.task", "the task of the recipe, and no preset", task)
        return task, start.replace(**changes)
    if not isinstance(start, Task) or task is not None:
        raise InvalidValue("sweep.start", "a task, such as CopyingMemory(), or a recipe with task=...", start)
    return start, Recipe.of(start, preset).replace(**changes)


def _plan(
    task: Task,
    spiking: bool,
    seeds: Iterable[int],
    report_seeds: Iterable[int],
    objective: str | None,
    direction: str | None,
    pruner: str | BasePruner | None,
    ahead: int,
) -> Plan:
    seeds, report = _seeds("sweep.seeds", seeds), _seeds("sweep.report_seeds", report_seeds)
    if not seeds:
        raise InvalidValue("sweep.seeds", "at least one seed", "none")
    if common := sorted(set(seeds) & set(report)):
        raise InvalidValue("sweep.report_seeds", "seeds that nothing is chosen on", f"{common[0]} of seeds")
    if objective is None:
        objective = "score" if task.judged_by == "score" else "test_loss"
    if objective == "rate" and not spiking:
        raise InvalidValue("sweep.objective", "another one than the rate, for cells that don't spike", "rate")
    if objective not in OBJECTIVES:
        raise InvalidValue("sweep.objective", f"one of {', '.join(OBJECTIVES)}", objective)
    if pruner is not None and objective not in ON_THE_WAY:
        expected = f"{' or '.join(ON_THE_WAY)}, which a pruner sees on the way"
        raise InvalidValue("sweep.objective", expected, objective)
    if direction is None:
        direction = "maximize" if objective == "score" and task.higher_is_better else "minimize"
    if direction not in ("minimize", "maximize"):
        raise InvalidValue("sweep.direction", "minimize or maximize", direction)
    ahead = _whole("sweep.ahead", ahead, least=1)
    return Plan(seeds, report, objective, direction, None if pruner is None else pruner_of(pruner), ahead)


def _whole(where: str, value: int, **bounds: float | None) -> int:
    checks.number(where, value, checks.NO_BOUNDS | bounds, whole=True)
    return int(value)


def _seeds(where: str, given: Iterable[int]) -> tuple[int, ...]:
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise InvalidValue(where, "seeds, such as range(5)", given)
    seeds = tuple(_whole(where, seed, least=0, most=SEEDS) for seed in given)
    if len(set(seeds)) < len(seeds):
        raise InvalidValue(where, "each seed once", f"{list(seeds)}")
    return seeds


def _described(pruner: Any) -> str | None:
    if pruner is None:
        return None
    inner = {
        name.strip("_"): _described(value) if hasattr(value, "prune") else without_address(value)
        for name, value in sorted(vars(pruner).items())
    }
    return f"{type(pruner).__name__}({', '.join(f'{name}={text}' for name, text in inner.items())})"


def _default_path(task: Task) -> Path:
    return Path("runs") / f"{task.name}-sweep-{datetime.datetime.now():%Y%m%d-%H%M%S-%f}.db"


def _pickled(base: Base) -> bytes:
    """Bytes with classes of a notebook or a script in them by value."""
    pickled: bytes = required("cloudpickle", EXTRA).dumps(base)
    return pickled


def _go_on(store: Store, settings: dict[str, Any]) -> None:
    """Write the settings of a new sweep; those of one that goes on have to be the same."""
    new = storage.finite(settings)
    order = list(store.settings.get("vary", new["vary"]))
    if sorted(order) == sorted(new["vary"]) and order != list(new["vary"]):
        raise InvalidValue(
            "sweep.vary", f"the order {', '.join(order)}, as in {store.path}", ", ".join(new["vary"])
        )
    for name, old in store.settings.items():
        if name not in MAY_GROW and old != new.get(name):
            field, before, now = _difference(name, old, new.get(name))
            raise InvalidValue(f"sweep.{field}", f"{before!r}, as in {store.path}, or another file", now)
    before = len(store.points)
    if settings["points"] < before:
        raise InvalidValue("sweep.points", f"at least the {before} in {store.path}", settings["points"])
    store.set_settings(settings)


def _difference(name: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Dotted name of the first field that differs, and its two values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for field in [*old, *new]:
            if old.get(field) != new.get(field):
                return _difference(f"{name}.{field}", old.get(field), new.get(field))
    return name, old, new

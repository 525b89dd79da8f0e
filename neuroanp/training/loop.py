"""Training loop: trial, modulator, update, change of the weights, and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from neuroanp.config import checks, document
from neuroanp.engine.memory import keep_pages
from neuroanp.engine.threads import physical_cores, using
from neuroanp.errors import Diverged, Interrupted
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.optim import Chain, KeepSigns
from neuroanp.training.divergence import divergence
from neuroanp.training.engines import loop_of
from neuroanp.training.evaluation import Evaluation, evaluate, evaluations, example, judge
from neuroanp.training.linear_start import linear_start
from neuroanp.training.one_thread import one_thread
from neuroanp.training.progress import Progress
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.seeds import Seeds
from neuroanp.training.start import weights_of
from neuroanp.training.state import TESTS, UPDATES, TrainingState, finite, joined, parted
from neuroanp.training.step import Step
from neuroanp.training.stopping import Stopping
from neuroanp.training.task import Task, loss
from neuroanp.types import Array, Arrays

if TYPE_CHECKING:
    from neuroanp.training.run_folder import RunFolder


class Trainer:
    """Training in its course: iterate over it for one update a turn, or `run` it to its end.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    seed : int
        Seed of the separate streams of weights, trials, noise and evaluation.
    engine : {"auto", "compiled", "runtime", "jax"}
        ``"jax"`` makes it a `JaxTrainer`, which takes its options as `jax`.
    dtype : {"float64", "float32"}
        Precision of the simulation, the weights and the optimizer's state.
    tests : int
        Evaluations on the way, evenly spaced, the last one at the end; 0 for that of the result alone.
    threads : int, optional
        Threads for simulation and update, one for each physical core when left out; the result is the same.
    start : Run or mapping, optional
        Run of the same model, whose weights this one goes on from, or the weights by name.
    build : callable
        What makes the network, with the arguments of `Network`.

    Attributes
    ----------
    network : Network
    state : TrainingState
    unseen : Trial of the evaluations

    Raises
    ------
    InvalidValue
        For settings that can't work, before anything is simulated.

    Examples
    --------
    >>> for step in Trainer(task, Recipe(updates=200)): print(step.loss)      # doctest: +SKIP
    """

    def __new__(cls, *args: Any, engine: str = "auto", **settings: Any) -> Trainer:
        """Trainer with the loop of an engine."""
        made: Trainer = super().__new__(loop_of(engine, cls) if cls is Trainer else cls)
        return made

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        *,
        seed: int = 0,
        engine: str = "auto",
        dtype: str = "float64",
        tests: int = 20,
        threads: int | None = None,
        start: Run | Mapping[str, Array] | None = None,
        build: Callable[..., Network] = Network,
    ) -> None:
        self.task, self.recipe = task, recipe
        checks.instance("Trainer.task", task, Task)
        checks.instance("Trainer.recipe", recipe, Recipe)
        self.seed, self.engine, self.dtype, self.tests = seed, engine, dtype, tests
        self.threads = physical_cores() if threads is None else threads
        checks.whole(self, 0, "seed", "tests")
        checks.whole(self, 1, "threads")
        checks.one_of(self, "dtype", ("float64", "float32"))
        recipe.check(task)
        others = {"seed": seed, "engine": engine, "dtype": dtype, "tests": tests}
        others |= {} if start is None else {"start": start}
        self.config = document.describe(task=task, recipe=recipe, **others)
        self.seeds = Seeds(seed)
        with using(self.threads):
            self.network = build(
                recipe.deployed(task.n_in, task.n_out, task.dt), task.n_in, task.n_out, task.dt,
                lanes=recipe.lanes, passes=recipe.passes, perturbation=recipe.rule.perturbation,
                seed=self.seeds.noise, engine=engine, dtype=dtype,
                decorrelated=recipe.decorrelation is not None, plant=task.plant, loss=task.loss,
            )  # fmt: skip
        self.engine = self.network.engine
        self.unseen = task.evaluation(self.seeds.evaluation)
        self._zero_output_loss = loss(np.zeros_like(self.unseen.targets), self.unseen)
        self._due = set(evaluations(recipe.updates, tests))
        signs = KeepSigns(names=recipe.model.signed)
        self.stages = Chain(recipe.clip, recipe.optimizer, recipe.bounds, signs)
        self.state = self._start(start)
        self._latest: tuple[int, Evaluation] | None = None
        self._good = self.state.weights, self.state.decorrelation

    def _start(self, run: Run | Mapping[str, Array] | None) -> TrainingState:
        recipe, network = self.recipe, self.network
        decorrelation = recipe.decorrelation.start(network.layout) if recipe.decorrelation else {}
        if run is None:
            with one_thread():  # which others take long to start, and whose number would change the last bits
                weights = recipe.model.start_weights(self.seeds.weights, network.n_in, network.n_out)
        else:
            weights, matrices = weights_of(run, recipe.model, decorrelated=bool(decorrelation))
            decorrelation |= matrices
        network.load(weights, decorrelation)
        if run is None and recipe.readout_start == "linear":
            network.load(weights | linear_start(network, self.task.fitting(network.lanes)), decorrelation)
        weights = {name: network.weights[name].astype(self.dtype) for name in network.projections}
        network.write(weights, decorrelation)
        return TrainingState(
            weights=weights,
            decorrelation=decorrelation,
            modulator=recipe.modulator.start(network.layout),
            rule=recipe.rule.start(network.layout),
            optimizer=self.stages.start(weights),
        )

    def run(self, progress: bool = True, folder: RunFolder | None = None) -> Run:
        """Result of the run, after all updates that are left.

        Parameters
        ----------
        progress : bool
            Show a bar, in a terminal or a notebook, and a line a minute elsewhere.
        folder : RunFolder, optional
            Place of checkpoints.

        Raises
        ------
        Diverged
            When a loss is no longer finite; its `run` has the last good weights.
        Interrupted
            When stopped by hand or by a signal, which see `Stopping`; its `run` has the present weights.
        """
        try:
            with (
                Progress(self.recipe.updates, show=progress, start=self.state.update) as bar,
                Stopping() as stop,
            ):
                for step in self:
                    bar.advance(step.loss)
                    if folder is not None:
                        folder.visit(stop.signal is not None)
                    if stop.signal is not None and self.state.update < self.recipe.updates:
                        raise Interrupted(self.result(), stop.signal)
        except Interrupted:
            raise
        except KeyboardInterrupt:
            raise Interrupted(self.result()) from None
        return self.result()

    def __iter__(self) -> Iterator[Step]:
        """Updates that are left, one a turn; meanwhile BLAS has one thread, as the engine has its own."""
        keep_pages()
        with one_thread(), using(self.threads):
            while self.state.update < self.recipe.updates:
                yield self.step()

    @np.errstate(over="ignore", invalid="ignore")
    def step(self) -> Step:
        """Next update."""
        index, history = self.state.update, self.state.history
        start = time.perf_counter()
        trial_loss = self.learn(self.trial(index), index)
        seconds = time.perf_counter() - start + (history["seconds"][-1] if index else 0.0)
        self.state.update = index + 1
        self.state.note(UPDATES, (index + 1, trial_loss, seconds))
        return Step(index + 1, trial_loss, self._evaluate() if index + 1 in self._due else None)

    def save(self, folder: Path | str) -> None:
        """Write a run folder with a checkpoint, from which `neuroanp.resume` goes on; see `RunFolder`."""
        from neuroanp.training.run_folder import RunFolder

        RunFolder(folder, self).visit(stopping=True)

    def get_state(self) -> Arrays:
        """Arrays by name, from which `set_state` of a trainer with the same settings goes on to the bit."""
        wiring = self.network.wiring
        parts = {"network": self.network.get_state(), "wiring": wiring.arrays() if wiring else {}}
        return self.state.arrays() | joined(parts)

    def set_state(self, arrays: Arrays) -> None:
        """Go on from the arrays of `get_state`."""
        state, network, wiring = parted(arrays, "network", "wiring")
        self.state = TrainingState.restored(state)
        self._good = self.state.weights, self.state.decorrelation
        self.network.load(self.state.weights | wiring, self.state.decorrelation)
        self.network.set_state(network)

    def trial(self, index: int) -> Trial:
        """Training trial of an update, a function of seed and index alone; compared lanes share an input."""
        copies = self.recipe.modulator.lanes_per_input(self.recipe.lanes)
        return self.task.trial(self.seeds.trial(index), self.recipe.lanes // copies, index).repeated(copies)

    def learn(self, trial: Trial, index: int) -> float:
        """One update from a trial; returns the mean loss without noise.

        Parameters
        ----------
        trial : Trial
        index : int
            Its number, which with the seed fixes the noise.
        """
        state, recipe = self.state, self.recipe
        progress = index / recipe.updates
        record = self.network.run(trial, index)
        trial_loss = record.mean_loss
        self._check(index + 1, "loss", trial_loss)
        modulator = recipe.modulator(record, state.modulator)
        estimate = recipe.estimate(record, modulator, state.rule)
        gradient = {name: g.astype(self.network.dtype, copy=False) for name, g in estimate.items()}
        self._good = state.weights, state.decorrelation
        change = self.stages(gradient, state.weights, state.optimizer, progress)
        if not all(map(finite, change.values())):
            self._diverged(index + 1, "the change of the weights is not finite")
        state.weights = state.weights | {name: state.weights[name] + change[name] for name in change}
        if recipe.decorrelation is not None:
            state.decorrelation = recipe.decorrelation(record, state.decorrelation, progress)
        self.network.write(state.weights, state.decorrelation)
        return trial_loss

    def _evaluation(self) -> Evaluation:
        """Evaluation with the weights that are in the network, made once for the same ones."""
        mark = self.state.mark()
        if self._latest is None or self._latest[0] != mark:
            self._latest = mark, evaluate(self.network, self.task, self.unseen)
        return self._latest[1]

    def _evaluate(self) -> Evaluation:
        evaluation = self._evaluation()
        self._check(self.state.update, "test loss", evaluation.loss)
        values = (self.state.update, evaluation.loss, evaluation.score, evaluation.correlation)
        self.state.note(TESTS, values)
        return evaluation

    def _check(self, update: int, name: str, value: float) -> None:
        """Raise `Diverged` for a loss of weights that are no longer good."""
        reason = divergence(name, value, self.state.history["loss"], self._zero_output_loss)
        if reason:
            self._diverged(update, reason)

    def _diverged(self, update: int, reason: str) -> NoReturn:
        self.state.weights, self.state.decorrelation = self._good
        raise Diverged(f"update {update}: {reason}; try lower learning rates, or clipping", self.result())

    def result(self) -> Run:
        """Result of the run so far."""
        state, recipe, task = self.state, self.recipe, self.task
        self.network.write(state.weights, state.decorrelation)
        evaluation = self._evaluation()
        wiring = self.network.wiring
        losses, seconds = state.history["loss"], state.history["seconds"]
        result = {
            "task": task.name, "model": recipe.model.name, "rule": recipe.rule.name,
            "engine": self.engine, "seed": self.seed,
            "updates": len(losses), "trials": len(losses) * recipe.lanes,
            "seconds": seconds[-1] if seconds else 0.0,
            "train_loss": float(np.mean(losses[-max(1, len(losses) // 10) :])) if losses else None,
        }  # fmt: skip
        return Run(
            config=self.config,
            result=result | judge(task, evaluation, state.history["test_score"]),
            history={name: np.array(values) for name, values in state.history.items()},
            weights={**state.weights, **state.decorrelation, **(wiring.arrays() if wiring else {})},
            example=example(task, evaluation),
            higher_is_better=task.higher_is_better,
            settings=(task, recipe),
        )

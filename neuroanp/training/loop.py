"""`train`: trial, modulator, update, stages, and again."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, NoReturn

import numpy as np
from threadpoolctl import threadpool_limits

from neuroanp.config import checks
from neuroanp.config import document as config
from neuroanp.engine.memory import keep_pages
from neuroanp.errors import Diverged, Interrupted, InvalidValue
from neuroanp.network.model import Model
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.optim import Chain, Clip, KeepSigns, Stage, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import Rule
from neuroanp.training import recipe as recipes
from neuroanp.training.evaluation import evaluate, example, judge
from neuroanp.training.progress import Progress
from neuroanp.training.run import Run
from neuroanp.training.seeds import Seeds
from neuroanp.training.task import Task, loss
from neuroanp.types import Array, Arrays

#: A loss this many times the first one, and that of zero output, is taken for divergence.
GROWN = 1e4

#: How often a run is tested on its way, the end included.
TESTS = 20


class _Recipe:
    """Default of arguments whose value comes from the task's recipe."""

    def __repr__(self) -> str:
        return "the recipe's"


RECIPE: Any = _Recipe()


def train(
    model: Model = RECIPE,
    task: Task = RECIPE,
    *,
    rule: Rule = RECIPE,
    modulator: Modulator = RECIPE,
    clip: Clip = RECIPE,
    optimizer: Stage = RECIPE,
    bounds: WeightBounds = RECIPE,
    decorrelation: Decorrelation | None = RECIPE,
    lanes: int = RECIPE,
    updates: int = RECIPE,
    seed: int = 0,
    engine: str = "auto",
    dtype: str = "float64",
    preset: str = "best",
    progress: bool = True,
) -> Run:
    """Train a model on a task by perturbation.

    Whatever is left out comes from the task's recipe.

    Parameters
    ----------
    model : Model
    task : Task
    rule : Rule
        What turns modulator, noise and traces into an update.
    modulator : Modulator
        What turns the loss of each step into the scalar that is broadcast.
    clip : Clip
        Shortens an update before the optimizer sees it.
    optimizer : Stage
        What turns an update into a change of the weights: SGD, Adam, or a `Chain` of stages.
    bounds : WeightBounds
        Keeps weights in their range.
    decorrelation : Decorrelation or None
        None trains without.
    lanes : int
        Trials side by side for one update.
    updates : int
    seed : int
        Seed of weights, trials, noise and evaluation, each with a stream of its own.
    engine : {"auto", "compiled", "runtime"}
    dtype : {"float64", "float32"}
        Precision of the simulation, the weights and what the optimizer remembers.
    preset : {"best", "published"}
        Which of the task's recipes fills the gaps.
    progress : bool
        Show a bar, in a terminal or a notebook.

    Returns
    -------
    Run

    Raises
    ------
    InvalidValue
        For settings that can't work, before anything is simulated.
    Diverged
        When a loss is no longer finite; its `run` has the last good weights.
    Interrupted
        When stopped by hand; its `run` has what was learned until then.

    Examples
    --------
    >>> run = train(TanhRNN(hidden=50), CopyingMemory(length=3, delay=3), seed=1)     # doctest: +SKIP
    >>> print(run)                                                                    # doctest: +SKIP
    """
    if task is RECIPE:
        raise InvalidValue("train.task", "a task, such as CopyingMemory()", "none")
    settings: dict[str, Any] = {
        "model": model, "rule": rule, "modulator": modulator, "clip": clip, "optimizer": optimizer,
        "bounds": bounds, "decorrelation": decorrelation, "lanes": lanes, "updates": updates,
    }  # fmt: skip
    settings |= {k: v for k, v in recipes.recipe(task.name, preset).items() if settings.get(k) is RECIPE}
    return Training(task=task, seed=seed, engine=engine, dtype=dtype, preset=preset, **settings).run(progress)


@dataclasses.dataclass(kw_only=True)
class Training:
    """The settings of a run and all that changes in its course."""

    model: Model
    task: Task
    rule: Rule
    modulator: Modulator
    clip: Clip
    optimizer: Stage
    bounds: WeightBounds
    decorrelation: Decorrelation | None
    lanes: int
    updates: int
    seed: int
    engine: str
    dtype: str
    preset: str

    def __post_init__(self) -> None:
        checks.whole(self, 1, "lanes", "updates")
        checks.whole(self, 0, "seed")
        checks.one_of(self, "dtype", ("float64", "float32"))
        self._config = config.describe(**{f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        self.modulator.shared(self.lanes)
        if self.model.signed and self.decorrelation is not None:
            wanted = f"None, as weights of {self.model.name} keep their signs"
            raise InvalidValue("train.decorrelation", wanted, self.decorrelation)
        if self.model.outgoing is not None:
            self._check_sparse()
        if self.rule.compares and self.modulator.passes(self.rule.passes) == ("plus",):
            raise InvalidValue(
                "Modulator.baseline", f"passes, which {self.rule.name} compares", self.modulator.baseline
            )
        if self.task.plant is not None and self.rule.readout == "delta":
            where = f"{type(self.rule).__name__}.readout"
            raise InvalidValue(where, "perturb or fixed for a task without targets", "delta")
        if self.task.plant is not None and "perturb" not in self.rule.readouts:
            wanted = "a rule that learns from reward, for a task without targets"
            raise InvalidValue("train.rule", wanted, self.rule.name)
        self.seeds = Seeds(self.seed)
        self.network = Network(
            self.model,
            self.task.n_in,
            self.task.n_out,
            self.task.dt,
            lanes=self.lanes,
            passes=self.modulator.passes(self.rule.passes),
            perturbation=self.rule.perturbation,
            seed=self.seeds.noise,
            engine=self.engine,
            dtype=self.dtype,
            decorrelated=self.decorrelation is not None,
            plant=self.task.plant,
            loss=self.task.loss,
        )
        self.engine = self.network.engine
        drawn = self.model.initial_weights(self.seeds.weights, self.network.n_in, self.network.n_out)
        self.weights = {name: w.astype(self.dtype) for name, w in drawn.items()}
        self.matrices = (
            self.decorrelation.start(self.network.n_in, self.model.hidden) if self.decorrelation else {}
        )
        self.evaluation = self.task.evaluation(self.seeds.evaluation)
        self._nothing = loss(np.zeros_like(self.evaluation.targets), self.evaluation)
        self.stages = Chain(self.clip, self.optimizer, self.bounds, KeepSigns(names=self.model.signed))
        self.stages_state = self.stages.start(self.weights)
        self.modulator_state = self.modulator.start()
        self.rule_memory: Arrays = {}
        self._good = (self.weights, self.matrices)
        self.history: dict[str, list[float]] = {"update": [], "loss": [], "seconds": []}
        self.tests: dict[str, list[float]] = {
            "test_update": [], "test_loss": [], "test_score": [], "test_correlation": [],
        }  # fmt: skip
        self.seconds = 0.0

    def _check_sparse(self) -> None:
        what = f"for {self.model.name} without all of its recurrent synapses"
        if not self.rule.sparse:
            wanted = f"a rule that learns the weights that exist alone, {what}"
            raise InvalidValue("train.rule", wanted, self.rule.name)
        if self.decorrelation is not None:
            raise InvalidValue("train.decorrelation", f"None, {what}", self.decorrelation)

    def run(self, progress: bool) -> Run:
        """All updates; tested on the way."""
        keep_pages()
        test_at = set(np.linspace(0, self.updates, TESTS + 1).astype(int)[1:])
        bar = Progress(self.updates, show=progress)
        self.network.load(self.weights, self.matrices)
        try:
            with bar, threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
                for update in range(self.updates):
                    began = time.perf_counter()
                    mean_loss = self.step(update)
                    self.seconds += time.perf_counter() - began
                    self._note(update + 1, mean_loss)
                    bar.advance(mean_loss)
                    if update + 1 in test_at:
                        self._test(update + 1)
        except KeyboardInterrupt:
            raise Interrupted(self._result()) from None
        return self._result()

    def trial(self, update: int) -> Trial:
        """The training trial of an update: a function of seed and update alone.

        Lanes that the modulator compares get the same input.
        """
        copies = self.modulator.shared(self.lanes)
        drawn = self.task.trial(self.seeds.trial(update), self.lanes // copies, update)
        return drawn.repeated(copies)

    def step(self, update: int) -> float:
        """One trial and one update; returns the loss of the course without noise."""
        return self.learn(self.trial(update), update)

    def learn(self, trial: Trial, update: int) -> float:
        """One update from a trial; returns the loss of the course without noise."""
        part = update / self.updates
        record = self.network.run(trial, update)
        mean_loss = record.mean_loss
        self._check(update + 1, "loss", mean_loss)
        estimate = self.rule.estimate(record, self.modulator(record, self.modulator_state), self.rule_memory)
        dtype = self.network.dtype
        gradient = {name: values.astype(dtype, copy=False) for name, values in estimate.items()}
        self._good = (self.weights, self.matrices)
        change = self.stages(gradient, self.weights, self.stages_state, part)
        if not all(map(_finite, change.values())):
            self._diverged(update + 1, "the change of the weights is not finite")
        self.weights = self.weights | {name: self.weights[name] + change[name] for name in change}
        if self.decorrelation is not None:
            self.matrices = self.decorrelation(self.matrices, record, part)
        self.network.load(self.weights, self.matrices)
        return mean_loss

    def _check(self, update: int, name: str, value: float) -> None:
        """Stop at a loss that shows that the weights are no longer good."""
        first = self.history["loss"][0] if self.history["loss"] else value
        if not np.isfinite(value):
            self._diverged(update, f"the {name} is no longer finite")
        if value > GROWN * max(first, self._nothing) > 0:
            self._diverged(update, f"the {name} has grown from {first:.2g} to {value:.2g}")

    def _diverged(self, update: int, what: str) -> NoReturn:
        self.weights, self.matrices = self._good
        raise Diverged(
            f"update {update}: {what}; try lower learning rates (--optimizer.lr, --optimizer.readout_lr, "
            "--decorrelation.rate) or clipping (--clip.norm)",
            self._result(),
        )

    def _note(self, update: int, mean_loss: float) -> None:
        for name, value in zip(self.history, (update, mean_loss, self.seconds), strict=True):
            self.history[name].append(value)

    def _test(self, update: int) -> None:
        tested = evaluate(self.network, self.task, self.evaluation)
        self._check(update, "test loss", tested.loss)
        values = (update, tested.loss, tested.score, tested.correlation)
        for name, value in zip(self.tests, values, strict=True):
            self.tests[name].append(value)

    def _result(self) -> Run:
        self.network.load(self.weights, self.matrices)
        tested = evaluate(self.network, self.task, self.evaluation)
        wiring = self.network.wiring
        losses = self.history["loss"]
        result = {
            "task": self.task.name,
            "model": self.model.name,
            "rule": self.rule.name,
            "engine": self.engine,
            "seed": self.seed,
            "updates": len(losses),
            "trials": len(losses) * self.lanes,
            "seconds": self.seconds,
            "train_loss": float(np.mean(losses[-max(1, len(losses) // 10) :])) if losses else None,
        }
        return Run(
            config=self._config,
            result=result | judge(self.task, tested, self.tests["test_score"]),
            history={name: np.array(values) for name, values in {**self.history, **self.tests}.items()},
            weights={**self.weights, **self.matrices, **(wiring.arrays() if wiring else {})},
            example=example(self.task, tested),
            higher_is_better=self.task.higher_is_better,
        )


def _finite(values: Array) -> bool:
    """Whether all are; a finite sum of squares, which is quicker to have, says so already."""
    return math.isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())

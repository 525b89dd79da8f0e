"""One update of a training as one function of arrays: network, noise, reward, rule and stages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.config.environment import jax
from neuroanp.errors import InvalidValue, NeuroANPError
from neuroanp.network.record import Record
from neuroanp.optim import Chain
from neuroanp.training.jax_course import BEFORE, TRACE, Course, shown
from neuroanp.training.jax_plan import Plan
from neuroanp.training.jax_replay import replayed
from neuroanp.training.recipe import Recipe
from neuroanp.types import Array, Arrays

Tree = dict[str, Any]


class Shown(NamedTuple):
    """Trial on the device."""

    inputs: Array
    """(T, L, n_in), with the bias."""
    targets: Array
    mask: Array


class Numbers(NamedTuple):
    """Numbers that are others in every update."""

    seed: Any
    trial: Any
    sigmas: dict[str, Any]
    progress: float
    limit: float
    """Loss that counts as divergence."""


class Update:
    """Function of the state of a training and a trial that gives the next state, to be compiled.

    Parameters
    ----------
    course : Course
    recipe : Recipe
    stages : Chain
    constants : mapping
        Those of the network that records have.
    plan : Plan
    carried : bool
        True for trials that go on from the ones before.
    """

    def __init__(
        self,
        course: Course,
        recipe: Recipe,
        stages: Chain,
        constants: Mapping[str, Any],
        plan: Plan,
        carried: bool,
    ) -> None:
        self.course, self.recipe, self.stages, self.plan = course, recipe, stages, plan
        self.constants = dict(constants) | {"carried": carried}

    def __call__(self, held: Tree, states: Tree, trial: Shown, numbers: Numbers) -> tuple[Tree, Tree, Any]:
        """State of the training, states (L, n) of the network, and (loss, True if all is finite).

        Parameters
        ----------
        held : dict
            ``weights``, ``decorrelation``, the states ``modulator``, ``rule`` and ``optimizer``, and
            ``good``, weights and matrices of the update before. It isn't kept.
        states : dict
            (L, n) arrays, by name.
        trial : Shown
        numbers : Numbers
        """
        held = jax().tree.map(lambda values: values, held)  # parts change their dicts
        kept = Kept(self, held, states, trial, numbers)
        record, estimate, matrices, last = replayed(kept) if self.plan.steps else kept.all()
        loss = mean_loss(record)
        after, finite = self._changed(held, estimate, matrices, numbers, loss)
        return after, self.course.carried(last, states[BEFORE], trial.inputs), (loss, finite)

    def _changed(
        self, held: Tree, estimate: Arrays, matrices: Arrays, numbers: Numbers, loss: Any
    ) -> tuple[Tree, Any]:
        jnp, weights = jax().numpy, held["weights"]
        dtype = self.course.layout.dtype
        gradient = {name: values.astype(dtype) for name, values in estimate.items()}
        with named("Recipe.optimizer", self.recipe.optimizer):
            change = self.stages(gradient, weights, held["optimizer"], numbers.progress)
        finite = jnp.all(jnp.array([jnp.isfinite(values).all() for values in change.values()]))
        there = jnp.isfinite(loss) & ~(loss > numbers.limit)
        now = {"weights": weights, "decorrelation": held["decorrelation"]}
        new = {
            "weights": weights | {name: weights[name] + values for name, values in change.items()},
            "decorrelation": matrices,
        }
        # as the loop that runs on the host does: a loss is that of the weights before, a change of these
        kept = jax().tree.map(
            lambda new, now, good: jnp.where(there, jnp.where(finite, new, now), good), new, now, held["good"]
        )
        good = jax().tree.map(lambda now, good: jnp.where(there, now, good), now, held["good"])
        return held | kept | {"good": good}, finite


class Kept:
    """Estimate of an update from the records of a whole trial."""

    def __init__(self, update: Update, held: Tree, states: Tree, trial: Shown, numbers: Numbers) -> None:
        self.update, self.held, self.states = update, held, states
        self.trial, self.numbers = trial, numbers
        self.course, self.recipe = update.course, update.recipe
        self.weights, self.matrices = held["weights"], held["decorrelation"]
        effective = self.course.effective(self.weights, self.matrices)
        self.on_weights = self.course.weight_noise(numbers.seed, numbers.trial, numbers.sigmas, self.weights)
        self.effective = self.course.perturbed(effective, self.on_weights, self.matrices)

    def all(self) -> tuple[Record, Arrays, Arrays, Tree]:
        """Record, estimate, decorrelating matrices after the trial, and the network's last states."""
        jnp, course, numbers = jax().numpy, self.course, self.numbers
        trial, layout = self.trial, self.course.layout
        counts = jnp.arange(len(trial.inputs), dtype=np.uint64)
        lanes = jnp.arange(layout.lanes, dtype=np.uint64)
        noise = course.noise(numbers.seed, numbers.trial, numbers.sigmas, counts, lanes)
        seen = shown(trial.inputs, self.states[BEFORE])
        last, steps = course.advance(self.effective, course.start(self.states), seen, trial.targets, noise)
        record = self.record(trial, self.states[TRACE], steps, noise)
        modulator = self.modulator(record)
        with named("Recipe.rule", self.recipe.rule):
            estimate = self.recipe.estimate(record, modulator, self.held["rule"])
        matrices = self.matrices
        if self.recipe.decorrelation is not None:
            matrices = self.recipe.decorrelation(record, matrices, numbers.progress)
        return record, estimate, matrices, last

    def shared(self, record: Record, modulator: Array, error: Array | None) -> Arrays:
        """Share of some steps in the estimate of the rule."""
        with named("Recipe.rule", self.recipe.rule):
            return self.recipe.rule.share(record, modulator, error)

    def of_losses(self, record: Record, modulator: Array) -> Arrays:
        """Part of the estimate of the rule that needs no traces."""
        with named("Recipe.rule", self.recipe.rule):
            return self.recipe.rule.of_losses(record, modulator)

    def modulator(self, record: Record) -> Array:
        """Modulator of a trial."""
        with named("Modulator.baseline", self.recipe.modulator.baseline):
            return self.recipe.modulator(record, self.held["modulator"])

    def record(self, trial: Shown, first: Any, steps: Any, noise: Arrays, whole: bool = True) -> Record:
        """Record of some steps, with the trace `first` (L, N) before them."""
        jnp, layout = jax().numpy, self.course.layout
        count, lanes = trial.mask.shape
        hidden, noise = dict(steps.hidden), self.course.at_each(noise, count)
        silent = jnp.zeros((count, lanes, layout.n_out), layout.dtype)
        absent = jnp.zeros(0, layout.dtype)
        on_weights = self.on_weights
        return Record(
            passes=layout.passes, loss=steps.loss, mask=trial.mask, inputs=trial.inputs,
            outputs=steps.outputs, targets=trial.targets,
            trace=jnp.concatenate([first[None], steps.trace]), traces=steps.traces,
            activity=hidden.pop("activity", absent), hidden=hidden, noise=noise.get("hidden", absent),
            noise_out=noise.get("output", silent),
            weight_noise=(lambda: iter([on_weights])) if on_weights else None,
            weights=self.weights, decorrelation=self.matrices if whole else {},
            inputs_before=self.states[BEFORE], **self.update.constants,
        )  # fmt: skip


def mean_loss(record: Record) -> Any:
    """`Record.mean_loss` as an array."""
    clean = record.passes.clean(record.loss)
    return (clean * record.mask).sum() / record.mask.sum()


@contextlib.contextmanager
def named(where: str, part: Any) -> Iterator[None]:
    """Context in which a part that arrays of JAX can't go through is refused by name."""
    try:
        yield
    except NeuroANPError:
        raise
    except (TypeError, IndexError, AttributeError, ValueError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        expected = f"one whose operations JAX has and can trace, for engine jax ({reason})"
        raise InvalidValue(where, expected, getattr(part, "name", part)) from error

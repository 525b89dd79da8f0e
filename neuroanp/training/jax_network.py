"""`JaxNetwork`: a network in JAX with the face of `Network`, for evaluations and the state of a training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.config.environment import jax
from neuroanp.errors import InvalidValue
from neuroanp.network.base import NetworkBase
from neuroanp.network.layout import DECORRELATING
from neuroanp.network.model import Model, Weights
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.network.weight_checks import check_weights, weight_shapes
from neuroanp.training.jax_course import BEFORE, TRACE, Course, shown
from neuroanp.types import Array, Arrays


class JaxNetwork(NetworkBase):
    """A model with P passes of L lanes, computed by JAX where JAX computes.

    Parameters
    ----------
    products : {"full", "fast"}
        Precision of products in float32, see `Jax`.

    The others are those of `Network`.

    Raises
    ------
    InvalidValue
        For what engine ``jax`` hasn't, by name: plants, sparse or delayed synapses, substrates, noise that is
        handed in, new weight noise in each step.
    UnsupportedConstruct
        For equations that only Brian2 itself can run.
    MissingExtra
        Where JAX isn't installed.
    """

    def __init__(
        self,
        model: Model,
        n_in: int,
        n_out: int,
        dt: Any,
        *,
        lanes: int,
        passes: tuple[str, ...] = ("clean",),
        perturbation: Perturbation | None = None,
        seed: int = 0,
        engine: str = "jax",
        dtype: str = "float64",
        decorrelated: bool = False,
        plant: Any = None,
        loss: str | None = None,
        products: str = "full",
    ) -> None:
        jax()
        self.products, self.wiring = products, None
        self._refuse(model, perturbation or Perturbation(), plant)
        super().__init__(
            model,
            n_in,
            n_out,
            dt,
            lanes=lanes,
            passes=passes,
            perturbation=perturbation,
            seed=seed,
            dtype=dtype,
        )
        self.course = Course(self.model, self.layout, self.perturbation, loss or model.loss)
        self._rest = self.course.rest()
        self.states: dict[str, Any] = self._rest
        self._forward: Any = None

    @staticmethod
    def _refuse(model: Model, noise: Perturbation, plant: Any) -> None:
        on = "for engine jax"
        if plant is not None:
            raise InvalidValue("Network.plant", f"none {on}, which has no closed loops", type(plant).__name__)
        if type(model).realised is not Model.realised:
            raise InvalidValue("Recipe.substrate", f"none {on}", type(model).__name__)
        if model.outgoing is not None:
            raise InvalidValue(
                f"{type(model).__name__}.density", f"1, without delays, {on}", "less, or delays"
            )
        if noise.external:
            raise InvalidValue("Perturbation.external", f"False {on}", True)
        if noise.target == "weights" and noise.hold_steps is not None:
            raise InvalidValue("Perturbation.hold_steps", f"noise on weights held for a trial {on}", "steps")
        if noise.target == "weights" and model.threshold is not None:
            expected = "noise on nodes for a model whose projections follow spikes"
            raise InvalidValue("Network.perturbation", expected, "weights")

    @property
    def engine(self) -> str:
        """``"jax"``."""
        return "jax"

    @property
    def projections(self) -> tuple[str, ...]:
        return tuple(weight_shapes(self.layout, self.model))

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """Context of all that JAX computes: whole numbers of 64 bits for the noise, products as asked for."""
        precision = {"full": "highest", "fast": "default"}[self.products]
        with jax().enable_x64(True), jax().default_matmul_precision(precision):
            yield

    def first(self, trial: Trial) -> dict[str, Any]:
        """States before the first step of a trial."""
        return dict(self.states if trial.carry else self._rest)

    def load(self, weights: Weights, decorrelation: Mapping[str, Array] | None = None) -> None:
        """Take over weights and decorrelating matrices; see `Network.load`."""
        matrices = set(DECORRELATING) & set(weights)
        decorrelation = {name: weights[name] for name in matrices} | dict(decorrelation or {})
        weights = {name: w for name, w in weights.items() if name not in matrices}
        check_weights(self.layout, self.model, weights, decorrelation)
        self.write(weights, decorrelation)

    def write(self, weights: Weights, decorrelation: Mapping[str, Array]) -> None:
        """`load` without checks."""
        self.weights, self.decorrelation = dict(weights), dict(decorrelation)

    def get_state(self) -> Arrays:
        """State between two trials, by name, for `set_state`."""
        return {name: np.array(values) for name, values in self.states.items()}

    def set_state(self, state: Arrays) -> None:
        """Go back to a state that `get_state` gave."""
        self.states = dict(state)

    def inputs(self, trial: Trial) -> Array:
        """Inputs (T, L, n_in) with a 1 for the bias, in the network's precision."""
        biased = np.ones((*trial.inputs.shape[:2], self.n_in), self.dtype)
        biased[..., : trial.inputs.shape[2]] = trial.inputs
        return biased

    def deviations(self, index: int, sigma: float | None = None) -> dict[str, Any]:
        """Standard deviation of each source of noise in a trial, by name."""
        sources = (*self.course.sources, *self.course.on_weights)
        return {name: self.dtype.type(self.perturbation.deviation(name, sigma, index)) for name in sources}

    def run(self, trial: Trial, index: int = 0, *, sigma: float | None = None) -> Record:
        """Record of one trial in all passes, as `Network.run` has it, in NumPy."""
        trial.check(self.lanes, self.n_in - self.model.bias, self.n_out, False)
        states, inputs = self.first(trial), self.inputs(trial)
        sigmas = self.deviations(index, sigma)
        silent = not any(sigmas.values()) and self.model.disturbance == 0
        with self.computing():
            if self._forward is None:
                self._forward = jax().jit(self._course, static_argnames="silent")
            last, steps, noise = self._forward(
                self._real(self.weights), dict(self.decorrelation), states, inputs,
                trial.targets.astype(self.dtype), np.uint64(self.seed), np.uint64(index), sigmas,
                silent=silent,
            )  # fmt: skip
            self.states = dict(last)
            return self._record(trial, inputs, states, steps, noise)

    def _real(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values.astype(self.dtype) for name, values in arrays.items()}

    def _course(
        self, weights: Any, matrices: Any, states: Any, inputs: Any, targets: Any, seed: Any, trial: Any,
        sigmas: Any, *, silent: bool,
    ) -> Any:  # fmt: skip
        jnp, course = jax().numpy, self.course
        effective = course.effective(weights, matrices)
        if not silent:
            noise = course.weight_noise(seed, trial, sigmas, weights)
            effective = course.perturbed(effective, noise, matrices)
        counts = jnp.arange(len(targets), dtype=np.uint64)
        lanes = jnp.arange(self.lanes, dtype=np.uint64)
        noise = {} if silent else course.noise(seed, trial, sigmas, counts, lanes)
        before = states[BEFORE]
        last, steps = course.advance(effective, course.start(states), shown(inputs, before), targets, noise)
        return course.carried(last, before, inputs), steps, course.at_each(noise, len(targets))

    def _record(self, trial: Trial, inputs: Array, states: Any, steps: Any, noise: Any) -> Record:
        count, lanes, dtype = trial.steps, self.lanes, self.dtype
        home = jax().tree.map(np.asarray, steps)
        hidden = dict(home.hidden)
        absent = np.zeros(0, dtype)
        silent = {
            "hidden": np.zeros((count, lanes, self.layout.hidden), dtype) if self.course.sources else absent,
            "output": np.zeros((count, lanes, self.n_out), dtype),
        }
        noise = silent | {name: np.asarray(values) for name, values in noise.items()}
        return Record(
            passes=self.passes, loss=home.loss, mask=np.asarray(trial.mask), inputs=inputs,
            outputs=home.outputs, targets=trial.targets.astype(dtype),
            trace=np.concatenate([np.asarray(states[TRACE])[None], home.trace]), traces=home.traces,
            activity=hidden.pop("activity", absent), hidden=hidden, noise=noise["hidden"],
            noise_out=noise["output"], weights=self.weights, decorrelation=self.decorrelation,
            inputs_before=np.asarray(states[BEFORE]), carried=trial.carry, **self.constants,
        )  # fmt: skip

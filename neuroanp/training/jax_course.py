"""Course of a trial in JAX: the steps of a network as pure functions of weights, states, inputs and noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.config.environment import jax
from neuroanp.engine.operations.weight_noise import lasting
from neuroanp.network.dynamics import rendered
from neuroanp.network.layout import DISTURBANCE_STREAM, NODE_STREAMS, PROJECTIONS, TO_READOUT, Layout, mixed
from neuroanp.network.model import Model
from neuroanp.network.noisy_threshold import THRESHOLD_NOISE
from neuroanp.network.perturbation import Perturbation
from neuroanp.rendering import Ops, expression
from neuroanp.training.jax_noise import Source, draw
from neuroanp.types import Array, Arrays

TRACE, BEFORE = "trace", "inputs.before"
"""Names, among the states, of the hidden trace of the step before, and of the inputs (D, L, n_in) of the
steps before, which a direct connection still sees."""

DISTURBANCE = "disturbance"
"""Name of the noise that is the cells' own, and of its variable."""


class Steps(NamedTuple):
    """Records of some steps, as `Record` has them."""

    trace: Any
    traces: Any
    hidden: dict[str, Any]
    outputs: Any
    loss: Any


class Course:
    """Network of a model in P passes of L lanes, on arrays.

    Parameters
    ----------
    model : Model
        With a noisy threshold where the perturbation is on thresholds.
    layout : Layout
    perturbation : Perturbation
    loss : str
        Loss of one output at one step.

    Raises
    ------
    UnsupportedConstruct
        For equations and losses that only Brian2 itself can run.
    """

    def __init__(self, model: Model, layout: Layout, perturbation: Perturbation, loss: str) -> None:
        self.model, self.layout, self.perturbation = model, layout, perturbation
        roles = (name for name in perturbation.recorded if name != TRACE)
        self.watched = {role: name for role in roles if (name := model.variable(role)) is not None}
        self.dynamics = rendered(model, layout.dt, tuple(dict.fromkeys(self.watched.values())))
        self.constants = {name: self._real(value) for name, value in self.dynamics.constants.items()}
        self.loss = expression(loss, f"{type(model).__name__}.loss")
        self.signs = np.array(layout.passes.signs, layout.dtype)
        self.keeps_traces = len(layout.passes) > 1 and TRACE in perturbation.recorded
        self.sources = self._sources() if perturbation.target in ("nodes", "thresholds") else {}
        variable = THRESHOLD_NOISE if perturbation.target == "thresholds" else "noise"
        self.variables = {"hidden": f"hidden.{variable}", "output": "readout.noise"}
        self.variables[DISTURBANCE] = f"hidden.{DISTURBANCE}"
        self.on_weights = self._weight_sources() if perturbation.target == "weights" else {}

    def _real(self, value: Any) -> Array:
        return np.asarray(value, self.layout.dtype)

    def _sources(self) -> dict[str, Source]:
        noise = self.perturbation
        hold = noise.hold_steps or 1
        layers = ("hidden", "output") if noise.readout else ("hidden",)
        return {
            layer: Source(noise.distribution, NODE_STREAMS[layer], hold, noise.probability)
            for layer in layers
        }

    def _weight_sources(self) -> dict[str, Source]:
        noise = self.perturbation
        return {
            name: Source(noise.distribution, projection.stream)
            for name, projection in PROJECTIONS.items()
            if (noise.readout or name not in TO_READOUT) and (name != "W_skip" or self.model.skip)
        }

    def rest(self) -> Arrays:
        """States (L, n) of a network at rest, by name, and `BEFORE`."""
        layout = self.layout
        states = {}
        for name, value in self.dynamics.start.items():
            n = layout.n_out if name.startswith("readout.") else layout.hidden
            states[name] = np.zeros((layout.lanes, n), layout.dtype) + self._real(value)
        first = self.dynamics.start.get(self.dynamics.trace, self._first_trace())
        states[TRACE] = np.zeros((layout.lanes, layout.hidden), layout.dtype) + self._real(first)
        earlier = self.model.skip_steps - 1 if self.model.skip else 0
        return states | {BEFORE: np.zeros((earlier, layout.lanes, layout.n_in), layout.dtype)}

    def _first_trace(self) -> Any:
        return self.model.initial_state().get(self.model.trace, 0.0)

    def carried(self, states: Mapping[str, Any], before: Any, inputs: Any) -> dict[str, Any]:
        """States (L, n) to go on with after inputs (T, L, n_in) that ended in states (P, L, n)."""
        steps = len(inputs)
        last = {name: self.layout.passes.clean(values[None])[0] for name, values in states.items()}
        for name, values in last.items():
            if name.endswith(".t_in_timesteps"):
                last[name] = values * 0
            elif name.endswith(".lastspike"):
                last[name] = values - steps * float(self.layout.dt)
        return last | {BEFORE: jax().numpy.concatenate([before, inputs])[steps:]}

    def effective(self, weights: Mapping[str, Any], matrices: Mapping[str, Any]) -> dict[str, Any]:
        """Weights in force, W D."""
        return {
            name: mixed(w, matrices[PROJECTIONS[name].decorrelated_by].astype(w.dtype)) if matrices else w
            for name, w in weights.items()
        }

    def weight_noise(self, seed: Any, trial: Any, sigmas: Mapping[str, Any], weights: Any) -> dict[str, Any]:
        """Noise (post, pre) on weights, held for the trial; (L, post, pre) where each lane has its own."""
        jnp, dtype = jax().numpy, self.layout.dtype
        noise = {}
        for name, source in self.on_weights.items():
            post, before = weights[name].shape
            members = (self.layout.lanes,) if self.perturbation.per_lane else ()
            rows = jnp.arange(int(np.prod(members)) * post, dtype=np.uint64)
            drawn = self._wandered(source, seed, trial, rows, before)
            noise[name] = drawn.reshape(*members, post, before).astype(dtype) * sigmas[name]
        return noise

    def _wandered(self, source: Source, seed: Any, trial: Any, rows: Any, units: int) -> Any:
        """Noise (rows, units) of a trial, with what is left in it of trials before."""
        jnp, retention = jax().numpy, 1.0 - self.perturbation.relaxation
        start = jnp.zeros(1, np.uint64)
        if retention == 0:
            return draw(source, seed, trial, start, rows, units, self.layout.dtype)[0]
        reach, part = lasting(retention), math.sqrt(1 - retention**2)

        def follow(back: Any, x: Any) -> Any:
            earlier = trial.astype(np.int64) - reach + back
            drawn = draw(source, seed, earlier.astype(np.uint64), start, rows, units, np.float64)[0]
            first = (earlier == 0) | (back == 0)
            return jnp.where(first, drawn, jnp.where(earlier < 0, x, retention * x + part * drawn))

        return jax().lax.fori_loop(0, reach + 1, follow, jnp.zeros((len(rows), units)))

    def perturbed(
        self, effective: Mapping[str, Any], noise: Mapping[str, Any], matrices: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Weights (P, ..., post, pre) of each pass, for those that have noise."""
        weights = dict(effective)
        for name, xi in noise.items():
            D = matrices.get(PROJECTIONS[name].decorrelated_by)
            added = xi if D is None else mixed(xi, D.astype(xi.dtype))
            weights[name] = effective[name] + self.signs.reshape(-1, *[1] * xi.ndim) * added
        return weights

    def noise(self, seed: Any, trial: Any, sigmas: Mapping[str, Any], steps: Any, lanes: Any) -> Arrays:
        """Noise on nodes (B, L, n) by layer, a draw for `hold` steps, and the cells' own (T, P, L, N)."""
        layout = self.layout
        sizes = {"hidden": layout.hidden, "output": layout.n_out}
        noise = {
            layer: source.draws(seed, trial, steps, lanes, sizes[layer], layout.dtype) * sigmas[layer]
            for layer, source in self.sources.items()
        }
        if self.model.disturbance > 0:
            passes = np.arange(len(layout.passes), dtype=np.uint64)[:, None] * np.uint64(layout.lanes)
            rows = (passes + lanes).reshape(-1)
            own = Source("gaussian", DISTURBANCE_STREAM)
            drawn = own.draws(seed, trial, steps, rows, layout.hidden, layout.dtype)
            drawn = drawn.reshape(len(steps), len(layout.passes), -1, layout.hidden)
            noise[DISTURBANCE] = drawn * self._real(self.model.disturbance)
        return noise

    def at_each(self, noise: Arrays, steps: int) -> Arrays:
        """Noise (T, L, n) of every step, of that of its draws, for nodes."""
        jnp = jax().numpy
        return {
            layer: jnp.repeat(noise[layer], source.hold, axis=0)[:steps] if source.hold > 1 else noise[layer]
            for layer, source in self.sources.items()
            if layer in noise
        }

    def advance(
        self, weights: Any, states: Mapping[str, Any], inputs: Any, targets: Any, noise: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Steps]:
        """States (P, L, n) and records after some steps.

        Parameters
        ----------
        weights : mapping
            In force, by name.
        states : mapping
            (P, L, n) arrays by name.
        inputs : (T, L, skip_steps n_in) array
            As a direct connection sees them.
        targets : (T, L, n_out) array
        noise : mapping
            From `noise`.
        """
        jnp, passes = jax().numpy, self.layout.passes
        ops = Ops(jnp, lambda over, spikes: spikes.astype(over.dtype), lambda f, v: f(v), _project)
        signs, dynamics = self.signs[:, None, None], self.dynamics
        shape = (len(passes), inputs.shape[1])

        def one(states: dict[str, Any], step: tuple[Any, Any]) -> tuple[Any, Any]:
            count, u = step
            constants = dict(self.constants)
            for layer, values in noise.items():
                hold = self.sources[layer].hold if layer in self.sources else 1
                xi = jax().lax.dynamic_index_in_dim(values, count // hold, keepdims=False)
                constants[self.variables[layer]] = xi if layer == DISTURBANCE else signs * xi
            before = {name: values for name, values in states.items() if name != TRACE}
            after, trace, outputs, *seen = dynamics.step(ops, weights, constants, before, u)
            trace = jnp.broadcast_to(trace, (*shape, trace.shape[-1]))
            outputs = jnp.broadcast_to(outputs, (*shape, outputs.shape[-1]))
            records = Steps(
                passes.clean(trace[None])[0],
                trace if self.keeps_traces else trace[:0],
                {role: jnp.broadcast_to(seen[0][name], trace.shape) for role, name in self.watched.items()},
                outputs,
                None,
            )
            return after | {TRACE: trace}, records

        last, records = jax().lax.scan(one, dict(states), (jnp.arange(len(inputs)), inputs))
        variables = self.constants | {"readout.y": records.outputs, "readout.target": targets[:, None]}
        value = jnp.broadcast_to(self.loss(jnp, variables), records.outputs.shape).mean(axis=-1)
        if len(passes) == 1:
            records = records._replace(traces=records.trace[:, None])
        return last, records._replace(loss=value)

    def start(self, states: Mapping[str, Any]) -> dict[str, Any]:
        """States (P, L, n) of all passes, from those of the course (L, n)."""
        jnp, passes = jax().numpy, len(self.layout.passes)
        return {
            name: jnp.broadcast_to(values, (passes, *values.shape))
            for name, values in states.items()
            if name != BEFORE
        }


def _project(x: Any, weights: Any) -> Any:
    """Product of traces ([P,] L, n) with weights: of all (post, n), a pass (P, post, n) or a lane of each."""
    if weights.ndim == 2:
        return x @ weights.T
    if weights.ndim == 3:
        return x @ weights.swapaxes(-1, -2)
    return jax().numpy.einsum("...n,...mn->...m", x, weights)


def shown(inputs: Any, before: Any) -> Any:
    """Inputs (T, L, (D + 1) n_in) that the direct connection sees at each step, the present ones first."""
    if len(before) == 0:
        return inputs
    course = jax().numpy.concatenate([before, inputs])
    lags = range(len(before), -1, -1)
    return jax().numpy.concatenate([course[lag : lag + len(inputs)] for lag in lags], axis=2)

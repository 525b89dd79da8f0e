"""The same network of LIF cells trained by a surrogate gradient and Adam, in JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.bench.peers.jax import optax, outer
from neuroanp.gradients._jax import jax
from neuroanp.network.dynamics import Cells
from neuroanp.types import Array

DAMPING = 0.3
"""Height of the surrogate, a triangle that ends at 0 and at twice the threshold."""


class _Course(NamedTuple):
    """What the way back needs of each step: (T, L, N) arrays."""

    potentials: Any
    spikes: Any
    awake: Any


class JaxSpikes:
    """Weights and optimizer of a compiled update of LIF cells; to be made and used in its `precision`.

    It is written to be fast: products of inputs, readouts and gradients are one for all steps, and the way
    back is written out, so that it keeps no more than potentials and spikes and holds one product a step.
    Nothing goes back through the reset, as is usual.

    Parameters
    ----------
    cells : Cells
        Of a model that doesn't adapt, with a refractory time.
    readout_memory : float
    start : (N,) array
        Potentials before the first step.
    weights : mapping
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N).
    inputs : (T, L, n_in) array
    targets : (T, L, n_out) array
    lr : float
        Adam's learning rate.

    Raises
    ------
    MissingExtra
        Where JAX or Optax is not installed.
    """

    def __init__(
        self, cells: Cells, readout_memory: float, start: Array, weights: Mapping[str, Array],
        inputs: Array, targets: Array, lr: float,
    ) -> None:  # fmt: skip
        module, dtype = jax(), inputs.dtype
        self.cells, self.readout_memory = cells, readout_memory
        self._start = module.numpy.asarray(np.broadcast_to(start, (inputs.shape[1], len(start))), dtype)
        optimizer = optax().adam(lr)

        def update(weights: Any, state: Any, inputs: Any, targets: Any) -> tuple[Any, Any, Any]:
            loss, gradient = self._differentiated(weights, inputs, targets)
            change, state = optimizer.update(gradient, state, weights)
            return optax().apply_updates(weights, change), state, loss

        self._update = module.jit(update, donate_argnums=(0, 1))
        self._gradient = module.jit(self._differentiated)
        self._forward = module.jit(lambda w, inputs: self._readouts(w, self._run(w, inputs)))
        arrays = {name: np.asarray(weights[name], dtype) for name in ("W_in", "W_rec", "W_out")}
        self._weights = module.tree.map(module.numpy.array, arrays)
        self._state = optimizer.init(self._weights)
        self._trial = module.numpy.array(inputs), module.numpy.array(targets)

    def __call__(self) -> float:
        """Make one update; returns the loss before it."""
        self._weights, self._state, loss = self._update(self._weights, self._state, *self._trial)
        return float(loss)

    def gradient(self) -> dict[str, Any]:
        """Gradient of the loss by weight name, without a change of the weights."""
        return dict(jax().block_until_ready(self._gradient(self._weights, *self._trial)[1]))

    def forward(self) -> Any:
        """Readouts (T, L, n_out)."""
        return jax().block_until_ready(self._forward(self._weights, self._trial[0]))

    def _run(self, weights: Any, inputs: Any) -> _Course:
        jnp, cells = jax().numpy, self.cells
        drive, W = cells.drive * (inputs @ weights["W_in"].T), weights["W_rec"].T

        def step(state: Any, drive: Any) -> tuple[Any, Any]:
            v, rest = state
            awake = rest <= 0
            v = jnp.where(awake, cells.memory * v + drive, v)
            fires = awake & (v > cells.threshold)
            z = fires.astype(v.dtype)
            rest = jnp.where(fires, cells.refractory, rest - 1)
            return (jnp.where(fires, 0, v + z @ W), rest), _Course(v, z, awake)

        rest = jnp.zeros(self._start.shape, jnp.int32)
        return _Course(*jax().lax.scan(step, (self._start, rest), drive)[1])

    def _readouts(self, weights: Any, course: _Course) -> Any:
        return _leaky(course.spikes @ weights["W_out"].T, self.readout_memory)

    def _differentiated(self, weights: Any, inputs: Any, targets: Any) -> tuple[Any, dict[str, Any]]:
        """Loss and surrogate gradient."""
        jnp, cells = jax().numpy, self.cells
        course = self._run(weights, inputs)
        error = self._readouts(weights, course) - targets
        credit = _leaky(2 / error.size * error, self.readout_memory, reverse=True)

        def back(by_v: Any, step: Any) -> tuple[Any, Any]:
            credit, v, z, awake = step
            arrived = by_v * (1 - z)
            slope = DAMPING * jnp.maximum(0, 1 - jnp.abs(v / cells.threshold - 1)) * awake
            by_v = arrived + slope * (credit + arrived @ weights["W_rec"])
            return jnp.where(awake, cells.memory * by_v, by_v), (arrived, by_v * awake)

        steps = (credit @ weights["W_out"], *course)
        arrived, driven = jax().lax.scan(back, jnp.zeros_like(self._start), steps, reverse=True)[1]
        return (error**2).mean(), {
            "W_in": cells.drive * outer(driven, inputs),
            "W_rec": outer(arrived, course.spikes),
            "W_out": outer(credit, course.spikes),
        }


def _leaky(values: Any, memory: float, reverse: bool = False) -> Any:
    """Fading sums of the steps up to each, or from each on."""

    def step(total: Any, x: Any) -> tuple[Any, Any]:
        total = memory * total + x
        return total, total

    return jax().lax.scan(step, jax().numpy.zeros_like(values[0]), values, reverse=reverse)[1]

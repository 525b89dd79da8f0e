"""Mirrored node perturbation of tanh units with Adam, written by hand in JAX around one scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from neuroanp.config.environment import jax
from neuroanp.types import Array


class BareScan:
    """Weights and optimizer of a compiled update that has nothing but what the method needs.

    Noise is JAX's own, the product of inputs is one for all steps, and the readout learns from its errors. To
    be made and used in one precision.

    Parameters
    ----------
    weights : mapping
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N).
    inputs : (T, L, n_in) array
    targets : (T, L, n_out) array
    lr, sigma : float
    distribution : {"gaussian", "sign"}
        Of the noise.

    Raises
    ------
    MissingExtra
        Where JAX is not installed.
    """

    def __init__(
        self,
        weights: Mapping[str, Array],
        inputs: Array,
        targets: Array,
        lr: float,
        sigma: float,
        distribution: Literal["gaussian", "sign"],
    ) -> None:
        self.lr, self.sigma, self.distribution = lr, sigma, distribution
        module, jnp = jax(), jax().numpy
        arrays = {name: np.asarray(weights[name], inputs.dtype) for name in ("W_in", "W_rec", "W_out")}
        weights = module.tree.map(jnp.array, arrays)
        zeros = module.tree.map(jnp.zeros_like, weights)
        self._state = weights, zeros, module.tree.map(jnp.array, zeros), jnp.zeros((), int)
        self._trial = jnp.array(inputs), jnp.array(targets)
        self._update = module.jit(self._updated, donate_argnums=0)

    def __call__(self) -> float:
        """Make one update; returns the loss before it."""
        self._state, loss = self._update(self._state, *self._trial)
        return float(loss)

    def _noise(self, count: Any, like: Any) -> Any:
        random = jax().random
        draw = {"gaussian": random.normal, "sign": random.rademacher}[self.distribution]
        key = random.fold_in(random.key(0), count)
        return self.sigma * draw(key, like.shape, like.dtype)

    def _updated(self, state: Any, inputs: Any, targets: Any) -> tuple[Any, Any]:
        jnp, (weights, m, v, count) = jax().numpy, state
        drive = inputs @ weights["W_in"].T
        noise = self._noise(count, drive)

        def step(x: Any, row: Any) -> tuple[Any, Any]:
            a, xi = row
            x = jnp.tanh(a + jnp.stack([xi, -xi]) + x @ weights["W_rec"].T)
            return x, (x.mean(axis=0), x @ weights["W_out"].T)

        start = jnp.zeros((2, *drive.shape[1:]), drive.dtype)
        _, (traces, outputs) = jax().lax.scan(step, start, (drive, noise))
        losses = ((outputs - targets[:, None]) ** 2).mean(axis=-1)
        returns = jnp.cumsum((losses[:, 0] - losses[:, 1])[::-1] / 2, axis=0)[::-1]
        lanes, n_out = targets.shape[1:]
        post = (returns / (lanes * self.sigma**2))[:, :, None] * noise
        error = (outputs.mean(axis=1) - targets) * (2 / (lanes * n_out))
        before = jnp.concatenate([jnp.zeros_like(traces[:1]), traces[:-1]])
        gradient = {
            "W_in": jnp.einsum("tli,tlj->ij", post, inputs),
            "W_rec": jnp.einsum("tli,tlj->ij", post, before),
            "W_out": jnp.einsum("tlo,tlj->oj", error, traces),
        }
        return self._adam(weights, gradient, m, v, count + 1), losses.mean()

    def _adam(self, weights: Any, gradient: Any, m: Any, v: Any, count: Any) -> Any:
        each, (b1, b2) = jax().tree.map, (0.9, 0.999)
        m = each(lambda m, g: b1 * m + (1 - b1) * g, m, gradient)
        v = each(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradient)

        def moved(w: Any, m: Any, v: Any) -> Any:
            size = jax().numpy.sqrt(v / (1 - b2**count)) + 1e-8
            return (w - self.lr * m / (1 - b1**count) / size).astype(w.dtype)

        return each(moved, weights, m, v), m, v, count

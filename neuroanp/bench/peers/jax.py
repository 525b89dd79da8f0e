"""The same network trained by backpropagation through time and Adam, in JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuroanp.errors import MissingExtra
from neuroanp.gradients._jax import jax
from neuroanp.types import Array


class JaxUpdate:
    """Weights and optimizer of a compiled update; to be made and used in its `precision`.

    Products of inputs and readouts are one for all steps. Inputs and targets are in JAX's
    memory before anything is timed, and an update writes over the weights before it.

    Parameters
    ----------
    weights : mapping
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N).
    inputs : (T, L, n_in) array
    targets : (T, L, n_out) array
    lr : float
        Adam's learning rate.
    gathered : bool
        Errors of all steps are kept, so that the gradient of ``W_rec`` is one product. JAX on its own adds an
        outer product at each step.
    device : optional
        A JAX device; the usual one when left out.

    Raises
    ------
    MissingExtra
        Where JAX or Optax is not installed.
    """

    def __init__(
        self, weights: Mapping[str, Array], inputs: Array, targets: Array, lr: float, gathered: bool = False,
        device: Any = None,
    ) -> None:  # fmt: skip
        module, optimizers = jax(), optax()
        optimizer = optimizers.adam(lr)
        differentiate = _gathered if gathered else module.value_and_grad(_loss)

        def update(weights: Any, state: Any, inputs: Any, targets: Any) -> tuple[Any, Any, Any]:
            loss, gradient = differentiate(weights, inputs, targets)
            change, state = optimizer.update(gradient, state, weights)
            return optimizers.apply_updates(weights, change), state, loss

        self._update = module.jit(update, donate_argnums=(0, 1))
        arrays = {name: np.asarray(weights[name], inputs.dtype) for name in ("W_in", "W_rec", "W_out")}
        self._weights = module.device_put(arrays, device)
        self._state = module.device_put(optimizer.init(self._weights), device)
        self._trial = module.device_put((inputs, targets), device)

    def __call__(self) -> float:
        """Make one update; returns the loss before it."""
        self._weights, self._state, loss = self._update(self._weights, self._state, *self._trial)
        return float(loss)


def devices(kinds: Sequence[str]) -> dict[str, Any]:
    """First device of each of these kinds (``"cpu"``, ``"gpu"``) that JAX finds here."""
    found = {}
    for kind in kinds:
        with contextlib.suppress(RuntimeError):  # which says that there is none of it
            found[kind] = jax().devices(kind)[0]
    return found


def outer(post: Any, pre: Any) -> Any:
    """Sum over steps and lanes of post (T, L, n) times pre (T, L, m): one product of matrices.

    JAX takes several times as long for `einsum`.
    """
    return post.reshape(-1, post.shape[-1]).T @ pre.reshape(-1, pre.shape[-1])


def optax() -> Any:
    """Module `optax`; `MissingExtra` where it is not installed."""
    try:
        import optax
    except ImportError:
        raise MissingExtra("optax", "compare") from None
    return optax


def _drive(weights: Any, inputs: Any) -> Any:
    return inputs @ weights["W_in"].T


def _traces(w_rec: Any, drive: Any) -> Any:
    """Activity (T, L, N) of tanh units that start from zero."""

    def step(x: Any, a: Any) -> tuple[Any, Any]:
        x = jax().numpy.tanh(a + x @ w_rec.T)
        return x, x

    return jax().lax.scan(step, jax().numpy.zeros_like(drive[0]), drive)[1]


def _error(w_out: Any, traces: Any, targets: Any) -> Any:
    return ((traces @ w_out.T - targets) ** 2).mean()


def _loss(weights: Any, inputs: Any, targets: Any) -> Any:
    return _error(weights["W_out"], _traces(weights["W_rec"], _drive(weights, inputs)), targets)


def _gathered(weights: Any, inputs: Any, targets: Any) -> tuple[Any, dict[str, Any]]:
    """Loss and gradient by way of the gradient of the summed input of each unit at each step."""
    jnp = jax().numpy

    def loss(drive: Any, w_out: Any) -> tuple[Any, Any]:
        traces = _traces(weights["W_rec"], drive)
        return _error(w_out, traces, targets), traces

    differentiate = jax().value_and_grad(loss, argnums=(0, 1), has_aux=True)
    (value, traces), (errors, of_out) = differentiate(_drive(weights, inputs), weights["W_out"])
    before = jnp.concatenate([jnp.zeros_like(traces[:1]), traces[:-1]])
    return value, {
        "W_in": outer(errors, inputs),
        "W_rec": outer(errors, before),
        "W_out": of_out,
    }

"""What stands for the derivative of a spike, which is zero or infinite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neuroanp.gradients._jax import jax

Shape = Callable[[Any, Any], Any]

#: Height 1 at the threshold; a function of the scaled distance to it, and of ``jax.numpy``.
SURROGATES: dict[str, Shape] = {
    "triangle": lambda u, jnp: jnp.maximum(0.0, 1.0 - jnp.abs(u)),
    "fast-sigmoid": lambda u, jnp: 1.0 / (1.0 + jnp.abs(u)) ** 2,
    "arctan": lambda u, jnp: 1.0 / (1.0 + u**2),
    "sigmoid": lambda u, jnp: 1.0 / jnp.cosh(0.5 * jnp.clip(u, -50, 50)) ** 2,
}
"""Bellec et al. 2018; Zenke and Ganguli 2018; Fang et al. 2021; the derivative of the logistic function."""


def spike_function(surrogate: str, damping: float, steepness: float) -> Callable[[Any], Any]:
    """The step function of the distance to the threshold, with a surrogate derivative.

    Parameters
    ----------
    surrogate : str
        A name of `SURROGATES`.
    damping : float
        Height of the derivative at the threshold.
    steepness : float
        Its width is one over this, in units of the potential.
    """
    module, shape = jax(), SURROGATES[surrogate]
    jnp = module.numpy

    @module.custom_jvp
    def spike(over: Any) -> Any:
        return (over > 0).astype(over.dtype)

    @spike.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (over,), (change,) = primals, tangents
        return spike(over), damping * shape(steepness * over, jnp) * change

    made: Callable[[Any], Any] = spike
    return made

"""Surrogates for the derivative of a spike, which is zero or infinite."""

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


def spike_function(surrogate: str, damping: float, steepness: float) -> Callable[[Any, Any], Any]:
    """Spike as a function of the distance to the threshold, with a surrogate derivative.

    Its second argument says which units spike.

    Parameters
    ----------
    surrogate : str
        A name of `SURROGATES`.
    damping : float
        Height of the derivative at the threshold.
    steepness : float
        Its width is one over this, in units of the way from reset to threshold.
    """
    module, shape = jax(), SURROGATES[surrogate]

    @module.custom_jvp
    def spike(over: Any, spikes: Any) -> Any:
        return spikes.astype(over.dtype)

    @spike.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (over, spikes), (change, _) = primals, tangents
        return spike(over, spikes), damping * shape(steepness * over, module.numpy) * change

    return spike


def bounded(f: Callable[[Any], Any], v: Any) -> Any:
    """Value of a function of the potential; its derivative, unit by unit, is kept from -1 to 1.

    In the upstroke of a spike potentials grow by themselves, and gradients through them would without bound.
    """
    module = jax()
    fixed = module.lax.stop_gradient(v)
    value, slope = module.jvp(
        lambda v: module.numpy.asarray(f(v), v.dtype), (fixed,), (module.numpy.ones_like(fixed),)
    )
    return value + module.numpy.clip(module.lax.stop_gradient(slope), -1, 1) * (v - fixed)

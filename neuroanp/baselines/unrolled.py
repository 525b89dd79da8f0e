"""The models again in JAX, from step to step, so that gradients can be taken through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from neuroanp.baselines._jax import jax
from neuroanp.baselines.surrogates import spike_function

Step = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


class Constants(NamedTuple):
    """Numbers of the units and the readout, as arrays of one dtype; see `Cells` and `Rates`."""

    readout_memory: Any
    memory: Any
    drive: Any = 0.0
    threshold: Any = 1.0
    refractory: Any = 0.0
    fading: Any = 0.0
    rise: Any = 0.0


def rate_step(weights: Any, constants: Constants, state: Any, u: Any) -> tuple[Any, Any]:
    """One step of `Rates`: trace x and readout y."""
    x, y = state
    a = u @ weights["W_in"].T + x @ weights["W_rec"].T
    x = constants.memory * x + (1 - constants.memory) * jax().numpy.tanh(a)
    y = constants.readout_memory * y + x @ weights["W_out"].T
    return (x, y), (x, y)


def spiking_step(spike: Callable[[Any], Any]) -> Step:
    """One step of `Cells`: potential v, rise b of the threshold, steps of silence, spikes and readout y.

    Spikes reset potentials; no gradient goes through the reset, nor through what silences a cell.
    """

    def step(weights: Any, constants: Constants, state: Any, u: Any) -> tuple[Any, Any]:
        jnp, stop = jax().numpy, jax().lax.stop_gradient
        v, b, silent, y = state
        awake = (silent <= 0).astype(v.dtype)
        current = constants.drive * (u @ weights["W_in"].T)
        v = awake * (constants.memory * v + current) + (1 - awake) * v
        b = constants.fading * b
        z = awake * spike(v - constants.threshold - b)
        v = (v + z @ weights["W_rec"].T) * (1 - stop(z))
        b = b + constants.rise * z
        silent = jnp.maximum(stop(z) * constants.refractory, silent - 1)
        y = constants.readout_memory * y + z @ weights["W_out"].T
        return (v, b, silent, y), (z, y)

    return step


def step_of(spiking: bool, surrogate: str, damping: float, steepness: float) -> Step:
    """The step of spiking cells or of rate units."""
    return spiking_step(spike_function(surrogate, damping, steepness)) if spiking else rate_step


def unroll(step: Step, truncation: int) -> Callable[[Any, Constants, Any, Any], tuple[Any, Any]]:
    """All steps of a trial: a function of weights, constants, first state and inputs (T, L, n_in).

    It returns traces (T, L, N) and readouts (T, L, n_out). With a `truncation` above 0 no gradient goes
    through the state into every so many steps.
    """

    def run(weights: Any, constants: Constants, state: Any, inputs: Any) -> tuple[Any, Any]:
        module = jax()

        def advance(carried: Any, seen: Any) -> tuple[Any, Any]:
            at, u = seen
            if truncation:
                cut = at % truncation == 0
                carried = module.tree.map(
                    lambda value: module.numpy.where(cut, module.lax.stop_gradient(value), value), carried
                )
            return step(weights, constants, carried, u)

        steps = module.numpy.arange(len(inputs))
        found: tuple[Any, Any] = module.lax.scan(advance, state, (steps, inputs))[1]
        return found

    return run

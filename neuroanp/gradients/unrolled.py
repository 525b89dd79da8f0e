"""A model's `Dynamics` in JAX over all steps of a trial, so that gradients can be taken through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neuroanp.gradients._jax import jax
from neuroanp.gradients.surrogates import bounded, spike_function
from neuroanp.rendering import Ops, Step

Run = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


def unroll(step: Step, truncation: int, surrogate: str, damping: float, steepness: float) -> Run:
    """Trial with all its steps, as a function of weights, constants, first states and inputs (T, L, n_in).

    It returns traces (T, L, N) and readouts (T, L, n_out). With a `truncation` above 0 no gradient goes
    through the states into every so many steps.
    """
    module = jax()
    ops = Ops(module.numpy, spike_function(surrogate, damping, steepness), bounded)

    def run(weights: Any, k: Any, states: Any, inputs: Any) -> tuple[Any, Any]:
        def advance(states: Any, step_and_input: Any) -> tuple[Any, Any]:
            index, u = step_and_input
            if truncation:
                cut, detached = index % truncation == 0, module.lax.stop_gradient
                states = module.tree.map(lambda x: ops.numpy.where(cut, detached(x), x), states)
            states, trace, outputs = step(ops, weights, k, states, u)
            return states, (trace, outputs)

        return module.lax.scan(advance, states, (ops.numpy.arange(len(inputs)), inputs))[1]

    return run

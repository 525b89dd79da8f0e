"""A model's `Dynamics` in JAX over all steps of a trial, so that gradients can be taken through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neuroanp.gradients._jax import jax
from neuroanp.gradients.surrogates import spike_function
from neuroanp.network.dynamics import Ops

Step = Callable[[Ops, Any, Any, Any, Any], tuple[tuple[Any, ...], Any]]
Run = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


def unroll(step: Step, truncation: int, surrogate: str, damping: float, steepness: float) -> Run:
    """All steps of a trial: a function of weights, constants, first state and inputs (T, L, n_in).

    It returns traces (T, L, N) and readouts (T, L, n_out). The constants have the readout's
    ``readout_memory`` among them; the first state is that of the units and the readout (L, n_out). With a
    `truncation` above 0 no gradient goes through the state into every so many steps.
    """
    module = jax()
    held = module.lax.stop_gradient
    ops = Ops(module.numpy, spike_function(surrogate, damping, steepness), held)

    def run(weights: Any, k: Any, state: Any, inputs: Any) -> tuple[Any, Any]:
        def advance(carried: Any, seen: Any) -> tuple[Any, Any]:
            at, u = seen
            if truncation:
                cut = at % truncation == 0
                carried = module.tree.map(lambda value: ops.numpy.where(cut, held(value), value), carried)
            units, y = carried
            units, x = step(ops, weights, k, units, u)
            y = k["readout_memory"] * y + x @ weights["W_out"].T
            return (units, y), (x, y)

        found: tuple[Any, Any] = module.lax.scan(advance, state, (ops.numpy.arange(len(inputs)), inputs))[1]
        return found

    return run

"""Factors of an update: traces as synapses see them, the readout's error, and the sum of their products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neuroanp.arrays import namespace, samples
from neuroanp.engine.events import outer_product
from neuroanp.engine.products import product
from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky, leaky_back
from neuroanp.network.layout import mixed
from neuroanp.network.record import Record
from neuroanp.rules._sparse import arrivals, wired_outer
from neuroanp.synapse import Synapse
from neuroanp.types import Array

DELTA = Synapse(
    state=("filtered", "gradient"),
    eligibility="filtered = going * readout_memory * filtered + trace_pre",
    credit="gradient += course * mask * 2 * (y_post - target_post) * filtered / N_post",
    forget="gradient = 0",
)
"""A synapse of a readout that learns by the local delta rule, see `delta`; its trace leaks as outputs do."""


class Layer(NamedTuple):
    """Perturbed variable of one layer of n units."""

    noise: Array
    """(T, L, n) perturbation of the plus pass."""
    activity: Array
    """(T, P, L, n) activity of each pass, with the noise in it."""
    sigma: float
    """Standard deviation of the noise."""


def direct(record: Record) -> Array:
    """Inputs (T, L, skip_steps n_in) that the direct connection sees at each step, the present ones first."""
    before = record.inputs_before
    if before is None or len(before) == 0:
        return record.inputs
    xp = namespace(record.inputs)
    course = xp.concatenate([before, record.inputs])
    steps = len(record.inputs)
    return xp.concatenate([course[lag : lag + steps] for lag in range(len(before), -1, -1)], axis=2)


def times(modulator: Array, factor: Array) -> Array:
    """Modulator (T, L) or (T, 1) times a factor (T, L, n), in the factor's dtype."""
    return modulator.astype(factor.dtype, copy=False)[:, :, None] * factor


def before(record: Record, x: Array) -> Array:
    """Hidden trace (T, L, N) one step earlier, the initial state before the first step."""
    first = record.trace[:1].astype(x.dtype, copy=False)
    return namespace(x).concatenate([first, x[:-1]])


def arrived(record: Record, x: Array) -> Array:
    """Hidden trace (T, L, N) as recurrent synapses see it: a step later, and by a wiring's delays."""
    if record.wiring is None or record.past is None:
        return before(record, x)
    return arrivals(record.wiring, x, record.past)


def pre(record: Record, name: str) -> Array:
    """Presynaptic factor of one weight matrix: its source's trace as synapses see it.

    Parameters
    ----------
    record : Record
    name : str
        ``"W_in"``: the input, ``"W_skip"``: `direct`; ``"W_rec"``: the hidden trace one step earlier, or more
        with axonal delays; ``"W_out"``: the hidden trace.

    Returns
    -------
    (T, L, n_pre) array without noise, decorrelated where the record has D matrices.
    """
    if name == "W_skip":
        x, D = direct(record), record.decorrelation.get("D_in")
        return x if D is None else mixed(x, D.T)
    if name == "W_in":
        x, D = record.inputs, record.decorrelation.get("D_in")
    else:
        x, D = record.trace[1:], record.decorrelation.get("D_hidden")
        x = arrived(record, x) if name == "W_rec" else x
    return x if D is None else x @ D.T


def outer(post: Array, x: Array, D: Array | None = None) -> Array:
    r"""Sum over steps and lanes of post times decorrelated trace.

    .. math:: \sum_{t,l} \mathrm{post}_{t,l} (D x_{t,l})^\top
              = \Big(\sum_{t,l} \mathrm{post}_{t,l} x_{t,l}^\top\Big) D^\top

    The right side is the cheaper one unless the trial has fewer samples (steps x lanes) than units.

    Parameters
    ----------
    post : (T, L, n_post) array
    x : (T, L, n_pre) array
        Trace before decorrelation.
    D : (n_pre, n_pre) array, optional

    Returns
    -------
    (n_post, n_pre) array, in the dtype of `post`.
    """
    dtype, count = post.dtype, post.shape[0] * post.shape[1]
    post, x = samples(post), samples(x).astype(dtype, copy=False)
    if D is None:
        return outer_product(post, x)
    if count < post.shape[-1]:
        return outer_product(post, product(x, D.T.astype(dtype, copy=False)))
    return decorrelated(outer_product(post, x), D)


def decorrelated(total: Array, D: Array) -> Array:
    """Sum of post times decorrelated trace (n_post, n_pre), of that without decorrelation, in its dtype."""
    return mixed(total, D.T.astype(total.dtype, copy=False))


def readouts(record: Record) -> tuple[str, ...]:
    """Weights that reach the readout: ``W_out``, and ``W_skip`` where the network has a direct connection."""
    return ("W_out", "W_skip") if "W_skip" in record.weights else ("W_out",)


def to_hidden(record: Record, post: Array) -> dict[str, Array]:
    """`outer` for the weights of the hidden units, by name; `post` is (T, L, N)."""
    D = record.decorrelation
    x = record.trace[:-1] if record.wiring is None else arrived(record, record.trace[1:])
    return {
        "W_in": outer(post, record.inputs, D.get("D_in")),
        "W_rec": recurrent(record, post, x, D.get("D_hidden")),
    }


def to_readout(record: Record, post: Array) -> dict[str, Array]:
    """`outer` for the weights that reach the readout, by name; `post` is (T, L, n_out)."""
    D = record.decorrelation
    update = {"W_out": outer(post, record.trace[1:], D.get("D_hidden"))}
    if "W_skip" in record.weights:
        total = outer(post, direct(record))
        update["W_skip"] = decorrelated(total, D["D_in"]) if D else total
    return update


def recurrent(record: Record, post: Array, x: Array, D: Array | None = None) -> Array:
    """`outer` for ``W_rec``: where the record has a wiring, the (n_synapses,) vector of the existing weights.

    Parameters
    ----------
    record : Record
    post : (T, L, N) array
    x : (T, L, N) array
        Trace as synapses see it, see `arrived`. With a wiring, zeros cost nothing.
    D : (N, N) array, optional
    """
    return outer(post, x, D) if record.wiring is None else wired_outer(record.wiring, post, x)


def recurrent_leaky(
    record: Record, post: Array, x: Array, memory: float, D: Array | None = None, gain: float = 1.0
) -> Array:
    """`recurrent` for synapses that see ``gain * leaky(x, memory)``.

    With a wiring `leaky_back` over `post`, which gives the same sum, leaves the trace its zeros.
    """
    if record.wiring is None:
        return outer(post, gain * leaky(x, memory), D)
    return wired_outer(record.wiring, gain * leaky_back(post, memory), x)


def delta(record: Record) -> Array:
    r"""Postsynaptic factor (T, L, n_out) of the local delta rule.

    .. math:: \delta_{t,l} = \frac{2}{n_{out} L} \sum_{s \ge t} \kappa^{s-t} m_{s,l} \, (y_{s,l} - y^*_{s,l})

    Its product with the trace is the gradient, with respect to ``W_out``, of the mean over lanes of the sum
    over steps of ``mask * loss``. :math:`\kappa` is the part of the readout that is left after a step. A sum
    of errors backwards equals one of each error times the trace filtered forwards, which a synapse can keep.
    """
    counted = error(record)
    if record.readout_memory == 0:
        return counted
    return leaky_back(counted, record.readout_memory).astype(counted.dtype, copy=False)


def weight_noise(record: Record) -> Iterator[dict[str, Array]]:
    """Noise on the weights of a trial, see `Record.weight_noise`; `InvalidValue` for a record without it."""
    if record.weight_noise is None:
        raise InvalidValue("Record.weight_noise", "the noise of each weight", None)
    return record.weight_noise()


def error(record: Record) -> Array:
    """Derivative (T, L, n_out) of the mean over lanes of the counted squared errors by the readout."""
    _, lanes, n_out = record.targets.shape
    output = record.passes.clean(record.outputs)
    difference = output - record.targets.astype(output.dtype, copy=False)
    return times(record.mask * (2.0 / (n_out * lanes)), difference)


def slope(record: Record) -> Array:
    r"""Slope :math:`\phi'(a)` (T, L, N) of tanh units at their activity without noise; 1 for other units."""
    x = record.trace[1:]
    if record.rates is None:
        return namespace(x).ones_like(x)
    memory = np.asarray(record.rates.memory, x.dtype)
    rate = (x - memory * record.trace[:-1]) / (1 - memory) if memory.any() else x
    return 1 - rate**2

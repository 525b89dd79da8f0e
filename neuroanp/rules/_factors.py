"""Factors of an update: traces as synapses see them, the readout's error, and the sum of their products."""

from __future__ import annotations

import dataclasses

import numpy as np

from neuroanp.filters import leaky, leaky_back
from neuroanp.network.record import Record
from neuroanp.rules._sparse import arrivals, wired_outer
from neuroanp.types import Array


def part(record: Record, first: int, last: int) -> Record:
    """Steps `first` to before `last`, as views: a trial of its own, from the state that they start in."""
    cut = slice(first, last)
    return dataclasses.replace(
        record,
        loss=record.loss[cut],
        mask=record.mask[cut],
        inputs=record.inputs[cut],
        trace=record.trace[first : last + 1],
        traces=record.traces[cut],
        activity=record.activity[cut],
        noise=record.noise[cut],
        outputs=record.outputs[cut],
        targets=record.targets[cut],
        noise_out=record.noise_out[cut],
        hidden={name: values[cut] for name, values in record.hidden.items()},
        past=_past(record, first),
    )


def _past(record: Record, first: int) -> Array | None:
    if record.past is None:
        return None
    late = record.trace[1 + max(0, first - len(record.past)) : first + 1]
    return np.concatenate([record.past[first:], late])


def times(modulator: Array, factor: Array) -> Array:
    """Modulator (T, L) or (T, 1) times a factor (T, L, n), in the factor's dtype."""
    product: Array = modulator.astype(factor.dtype, copy=False)[:, :, None] * factor
    return product


def before(record: Record, x: Array) -> Array:
    """The hidden trace (T, L, N) one step earlier, the initial state before the first step."""
    earlier = np.empty(x.shape, x.dtype)
    earlier[0] = record.trace[0]
    earlier[1:] = x[:-1]
    return earlier


def arrived(record: Record, x: Array) -> Array:
    """The hidden trace (T, L, N) as recurrent synapses see it: a step later, and by a wiring's delays."""
    if record.wiring is None or record.past is None:
        return before(record, x)
    return arrivals(record.wiring, x, record.past)


def pre(record: Record, name: str) -> Array:
    """The presynaptic factor of one weight matrix: what its synapses see of their source.

    Parameters
    ----------
    record : Record
    name : str
        ``"W_in"``: the input; ``"W_rec"``: the hidden trace one step earlier, or more with axonal
        delays; ``"W_out"``: the hidden trace.

    Returns
    -------
    (T, L, n_pre) array without noise, decorrelated where the record has D matrices.
    """
    if name == "W_in":
        x, D = record.inputs, record.decorrelation.get("D_in")
    else:
        x, D = record.trace[1:], record.decorrelation.get("D_hidden")
        x = arrived(record, x) if name == "W_rec" else x
    return x if D is None else x @ D.T


def outer(post: Array, x: Array, D: Array | None = None) -> Array:
    r"""The sum over steps and lanes of post times decorrelated trace.

    .. math:: \sum_{t,l} \mathrm{post}_{t,l} (D x_{t,l})^\top
              = \Big(\sum_{t,l} \mathrm{post}_{t,l} x_{t,l}^\top\Big) D^\top

    The right side is the cheaper one unless the trial has fewer samples (steps x lanes) than there are units.

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
    dtype = post.dtype
    post = post.reshape(-1, post.shape[-1])
    x = x.reshape(-1, x.shape[-1]).astype(dtype, copy=False)
    product: Array
    if D is None:
        product = post.T @ x
    elif len(post) < post.shape[1]:
        product = post.T @ (x @ D.T.astype(dtype, copy=False))
    else:
        product = decorrelated(post.T @ x, D)
    return product


def decorrelated(total: Array, D: Array) -> Array:
    """A sum of post times trace (n_post, n_pre) as it is where the trace is decorrelated, in its dtype."""
    product: Array = total @ D.T.astype(total.dtype, copy=False)
    return product


def recurrent(record: Record, post: Array, x: Array, D: Array | None = None) -> Array:
    """`outer` for ``W_rec``: where the record has a wiring, the (n_synapses,) vector of the existing weights.

    Parameters
    ----------
    record : Record
    post : (T, L, N) array
    x : (T, L, N) array
        Trace as synapses see it, see `arrived`. With a wiring, what is zero costs nothing.
    D : (N, N) array, optional
    """
    return outer(post, x, D) if record.wiring is None else wired_outer(record.wiring, post, x)


def recurrent_leaky(
    record: Record, post: Array, x: Array, memory: float, D: Array | None = None, gain: float = 1.0
) -> Array:
    """`recurrent` for synapses that see ``gain * leaky(x, memory)``.

    With a wiring the sum that `leaky` makes forward over the trace is made backward over `post`, the same by
    `leaky_back`, so that the trace keeps its zeros.
    """
    if record.wiring is None:
        return outer(post, gain * leaky(x, memory), D)
    return wired_outer(record.wiring, gain * leaky_back(post, memory), x)


def delta(record: Record) -> Array:
    r"""Postsynaptic factor (T, L, n_out) of the local delta rule.

    .. math:: \delta_{t,l} = \frac{2}{n_{out} L} \sum_{s \ge t} \kappa^{s-t} m_{s,l} \, (y_{s,l} - y^*_{s,l})

    so that its product with the trace is the gradient, with respect to ``W_out``, of the mean over lanes of
    the sum over steps of ``mask * loss``. :math:`\kappa` is what is left of the readout after a step: 0 for a
    readout that doesn't leak. One that does has errors summed backwards here, which is the same sum as that
    of each error times the trace filtered forwards, which a synapse can keep.
    """
    counted = error(record)
    if record.readout_memory == 0:
        return counted
    return leaky_back(counted, record.readout_memory).astype(counted.dtype, copy=False)


def error(record: Record) -> Array:
    """Derivative (T, L, n_out) of the mean over lanes of the counted squared errors by the readout."""
    _, lanes, n_out = record.targets.shape
    output = record.passes.clean(record.outputs)
    off: Array = output - record.targets.astype(output.dtype, copy=False)
    return times(record.mask * (2.0 / (n_out * lanes)), off)


def slope(record: Record) -> Array:
    r"""Slope :math:`\phi'(a)` (T, L, N) of tanh units at their activity without noise; 1 for other units."""
    x = record.trace[1:]
    if record.rates is None:
        return np.ones_like(x)
    memory = np.asarray(record.rates.memory, x.dtype)
    found: Array = 1 - ((x - memory * record.trace[:-1]) / (1 - memory)) ** 2
    return found

"""Spiking cells as rules see them: slope and chance of a spike, and what a change of a potential leads to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.dynamics import Cells
from neuroanp.network.record import Record
from neuroanp.rules._factors import arrived, before, outer, recurrent
from neuroanp.synapse import Neuron, Synapse, joined
from neuroanp.types import Array, Arrays

OVER = "(potential - adaptation - threshold)"
"""Way of the potential above the threshold, in a statement of a `Neuron`."""

ESCAPE = np.pi / np.sqrt(3)
"""Standard deviation of logistic noise of scale 1."""


def cells_of(record: Record) -> Cells:
    """Constants of the record's cells; `InvalidValue` for other units."""
    if record.cells is None:
        raise InvalidValue("Record.cells", "a model of spiking cells, such as lif or alif", "none")
    return record.cells


def awake(cells: Cells, spikes: Array) -> Array:
    """True (T, L, N) where a cell isn't refractory, as far as spikes (T, L, N) of the trial tell."""
    free = np.ones(spikes.shape, bool)
    for lag in range(1, cells.refractory + 1):
        free[lag:] &= spikes[:-lag] == 0
    return free


def over(record: Record, cells: Cells) -> Array:
    """Way (T, L, N) of the potential above the threshold, negative below."""
    distance = record.passes.clean(record.hidden["potential"]) - np.asarray(
        cells.threshold, record.trace.dtype
    )
    if "adaptation" in record.hidden:
        distance = distance - record.passes.clean(record.hidden["adaptation"])
    return np.asarray(distance)


def triangle(distance: Array, cells: Cells, damping: float) -> Array:
    r"""Pseudo-derivative of a spike, :math:`\gamma / \theta \, \max(0, 1 - |v - \theta - b| / \theta)`."""
    h = np.abs(distance)
    h *= -damping / cells.threshold**2
    h += damping / cells.threshold
    return np.maximum(h, 0, out=h)


def chance(distance: Array, scale: float) -> Array:
    r"""Chance of a spike, :math:`1 / (1 + e^{-(v - \theta - b) / s})`, under logistic noise of scale s."""
    x = distance * (-1 / scale)
    np.minimum(x, 60, out=x)
    np.exp(x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def with_thresholds(c: Array, h: Array, cells: Cells) -> Array:
    r"""Effect of a change of each potential on the loss, directly and through the thresholds after it.

    With c the direct effect, :math:`\lambda_t = -c_t + \rho (1 - \beta h_t) \lambda_{t+1}` is that of a
    change of the threshold, and the whole is :math:`c_t + \rho \beta h_t \lambda_{t+1}`.
    """
    if not np.any(cells.rise):
        return c
    rise = cells.fading * np.asarray(cells.rise, c.dtype) * h
    fading = c.dtype.type(cells.fading)
    effect = c.copy()
    lam, change = np.zeros_like(c[0]), np.empty_like(c[0])
    for t in range(len(c) - 1, -1, -1):
        np.multiply(rise[t], lam, out=change)
        effect[t] += change
        lam *= fading
        lam -= change
        lam -= c[t]
    return effect


def weights_update(record: Record, cells: Cells, post: Array, spikes: Array, free: Array) -> Arrays:
    r"""Updates of ``W_in`` and ``W_rec`` from the effect of each potential on the loss.

    A weight acts on the potential of its cell, where it fades with the membrane until a spike resets it:

    .. math:: \epsilon_{t,ij} = (1 - z_{t-1,i}) \, \alpha \, (\epsilon_{t-1,ij} + z_{t-1,j}), \qquad
              \Delta W_{ij} \propto \sum_t \mathrm{post}_{t,i} \, \epsilon_{t,ij}

    (for ``W_in`` with the input instead, in the step itself); a refractory cell doesn't leak, and takes no
    input but spikes. Cells without `Cells.reset_arrivals` keep a spike that arrives as they fire. The sum is
    formed from the last step to the first, with a number a cell instead of one a synapse.

    Parameters
    ----------
    record : Record
    cells : Cells
    post : (T, L, N) array
        Overwritten.
    spikes, free : (T, L, N) array
        Spikes, and `awake`.
    """
    kept = (1 - spikes).astype(post.dtype, copy=False)
    memory = np.where(free, post.dtype.type(cells.memory), post.dtype.type(1))
    arriving = np.empty_like(post)
    later = np.zeros_like(post[0])
    for t in range(len(post) - 1, -1, -1):
        later *= kept[t]
        post[t] += later
        np.multiply(memory[t], post[t], out=later)
        arriving[t] = later
    if cells.reset_arrivals:
        arriving *= before(record, spikes) == 0
    else:
        arriving *= free
    post *= free
    post *= post.dtype.type(cells.drive)
    D = record.decorrelation
    return {
        "W_in": outer(post, record.inputs, D.get("D_in")),
        "W_rec": recurrent(record, arriving, arrived(record, spikes), D.get("D_hidden")),
    }


def synapse(
    name: str,
    *,
    state: tuple[str, ...],
    credit: str,
    learn: str = "",
    constants: Mapping[str, float] | None = None,
) -> Synapse:
    """Synapse of ``W_in`` or ``W_rec`` that holds its effect on the potential, see `weights_update`.

    Parameters
    ----------
    name : str
    state, credit, learn, constants
        Of the rule, which sees ``effect``, the effect on the present potential, and adds to ``gradient``.
    """
    entering = " + membrane_drive * trace_pre" if name == "W_in" else ""
    arriving = " + trace_pre" if name == "W_rec" else ""
    return Synapse(
        state=("effect", *state, "gradient"),
        eligibility=f"effect = (1 - trace_post) * (going * effect{arriving})",
        credit=joined(
            f"effect = awake_post * (membrane_memory * effect{entering}) + (1 - awake_post) * effect",
            credit,
        ),
        learn=learn,
        forget="gradient = 0",
        constants=constants or {},
    )


def surprise(escape: float) -> Neuron:
    """Cell that knows how little it expected its spike, or the lack of one, under noise of scale `escape`."""
    return Neuron(
        state=("chance", "surprise"),
        before=f"chance = awake / (1 + exp(-{OVER} / escape))",
        after="surprise = trace - chance",
        constants={"escape": escape},
    )

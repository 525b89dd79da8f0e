"""Spiking cells as rules see them: surprises, and what a change of a potential leads to."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neuroanp.arrays import contiguous, namespace
from neuroanp.engine.recursion import Recursion
from neuroanp.errors import InvalidValue
from neuroanp.network.dynamics import Cells
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.rules._factors import arrived, outer, recurrent
from neuroanp.synapse import Neuron, Synapse, joined
from neuroanp.types import Array, Arrays

OVER = "(potential - adaptation - threshold)"
"""Way of the potential above the threshold, in a statement of a `Neuron`."""

ESCAPE = np.pi / np.sqrt(3)
"""Standard deviation of logistic noise of scale 1."""


class CellRule(Rule):
    """Base of the rules that follow the potentials of spiking cells, whose constants a model has to give."""

    recorded = ("potential", "adaptation")
    supports_sparse = True


class Course(NamedTuple):
    """Cells in a trial, without noise where there are passes to compare."""

    cells: Cells
    spikes: Array
    """(T, L, N)"""
    states: tuple[Array, ...]
    """Potential as the threshold saw it and, where there is one, the rise of the threshold; (T, L, N)."""
    free: Array
    """1 where a cell isn't refractory, as far as spikes from the step before the trial on tell; (T, L, N)."""


_AWAKE = Recursion(
    """
    free = left < 1
    left = left - 1 + z * (silent + 1 - left)
    """,
    arrays=("z", "free"), carried=("left",), numbers=("silent",),
)  # fmt: skip


def course(record: Record) -> Course:
    """Course of a record's cells; `InvalidValue` for units that aren't such cells."""
    if record.cells is None:
        raise InvalidValue("Record.cells", "a model of spiking cells, such as lif or alif", "none")
    z = contiguous(record.trace[1:])
    names = [name for name in ("potential", "adaptation") if name in record.hidden]
    states = tuple(contiguous(record.passes.clean(record.hidden[name])) for name in names)
    silent, empty = record.cells.refractory, namespace(z).empty_like(z)
    (_, free), _ = _AWAKE([z, empty], carried=[silent * record.trace[0]], numbers=[silent])
    return Course(record.cells, z, states, free)


@functools.cache
def _surprising(adapting: bool) -> Recursion:
    return Recursion(
        f"""
        p = free / (1 + exp((threshold - v{" + b" if adapting else ""}) / scale))
        uncertainty = uncertainty + p * (1 - p)
        surprise = z - p
        """,
        arrays=("z", "free", "surprise", "v", "b")[: 4 + adapting],
        carried=("uncertainty",),
        numbers=("threshold", "scale"),
    )


def surprises(course: Course, scale: float) -> tuple[Array, Array]:
    r"""Surprise :math:`z - p` (T, L, N) of noisy cells, and :math:`\sum_{t,l} p (1 - p)` (N,).

    :math:`p = 1 / (1 + e^{-(v - \theta - b) / s})`, 0 for a refractory cell, is the chance of a spike under
    logistic noise of scale s.
    """
    z, xp = course.spikes, namespace(course.spikes)
    (_, _, surprise, *_), (uncertainty,) = _surprising(len(course.states) > 1)(
        [z, course.free, xp.empty_like(z), *course.states],
        carried=[xp.zeros_like(z[0])],
        numbers=[course.cells.threshold, scale],
    )
    return surprise, uncertainty.sum(axis=0, dtype=np.float64)


@functools.cache
def _crediting(sloped: bool, adapting: bool, reset_arrivals: bool) -> Recursion:
    """Recursion of `weights_update`, from the last step to the first."""
    slope = """
        near = threshold - abs(v OVER - threshold)
        h = slope * free * near * (near > 0)
        post = post * h
    """.replace("OVER", "- b" if adapting else "")
    thresholds = """
        change = rise * h * raised
        raised = fading * raised - change - post
        post = post + change
    """
    arriving = "arriving = later" if reset_arrivals else "arriving = late"
    membrane = f"""
        later = later * (1 - z)
        {arriving}
        post = post + later
        later = (1 - free * (1 - memory)) * post
        {"" if reset_arrivals else "late = free * memory * post"}
        post = drive * free * post
    """
    return Recursion(
        joined(slope if sloped else "", thresholds if sloped and adapting else "", membrane),
        arrays=("post", "z", "free", "arriving", *("v", "b")[: sloped * (1 + adapting)]),
        units=("rise",),
        carried=("later", "late", "raised"),
        numbers=("threshold", "slope", "memory", "drive", "fading"),
        backwards=True,
    )


def weights_update(record: Record, course: Course, post: Array, damping: float = 0.0) -> Arrays:
    r"""Updates of ``W_in`` and ``W_rec`` from the effect of each spike or potential on the loss.

    A weight acts on the potential of its cell, where it fades with the membrane until a spike resets it:

    .. math:: \epsilon_{t,ij} = (1 - z_{t-1,i}) \, \alpha \, (\epsilon_{t-1,ij} + z_{t-1,j}), \qquad
              \Delta W_{ij} \propto \sum_t c_{t,i} \, \epsilon_{t,ij}

    (for ``W_in`` with the input instead, in the step itself); a refractory cell doesn't leak, and takes no
    input but spikes. Cells without `Cells.reset_arrivals` keep a spike that arrives as they fire.

    With a damping :math:`\gamma`, `post` is the effect of a spike, and that of a potential has the slope
    :math:`h_t = \gamma / \theta \, \max(0, 1 - |v_t - \theta - b_t| / \theta)` in it, and the way through the
    thresholds after the spike: with :math:`c'` the direct effect and :math:`\lambda_t = -c'_t + \rho (1 -
    \beta h_t) \lambda_{t+1}` that of a change of the threshold, :math:`c_t = c'_t + \rho \beta h_t
    \lambda_{t+1}`.

    The sums are formed from the last step to the first, with a number a cell instead of one a synapse.

    Parameters
    ----------
    record : Record
    course : Course
    post : (T, L, N) array
        Overwritten.
    damping : float
        :math:`\gamma`; 0 for a `post` that is the effect of a potential itself.
    """
    cells, z, states, free = course
    xp = namespace(z)
    rise = xp.zeros_like(z[0]) + np.asarray(cells.fading * np.asarray(cells.rise), z.dtype)
    states = states if damping else ()
    (post, _, _, leads, *_), (later, late, _) = _crediting(
        bool(damping), len(states) > 1, cells.reset_arrivals
    )(
        [post, z, free, xp.empty_like(z), *states],
        units=[rise],
        carried=[xp.zeros_like(z[0]) for _ in range(3)],
        numbers=[cells.threshold, damping / cells.threshold**2, cells.memory, cells.drive, cells.fading],
    )
    first = later * (1 - record.trace[0]) if cells.reset_arrivals else late
    leads = xp.concatenate([first[None], leads[:-1]])  # what a spike of the step before leads to
    D, seen = record.decorrelation, record.trace[:-1] if record.wiring is None else arrived(record, z)
    return {
        "W_in": outer(post, record.inputs, D.get("D_in")),
        "W_rec": recurrent(record, leads, seen, D.get("D_hidden")),
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

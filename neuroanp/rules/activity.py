"""Activity-based node perturbation (ANP)."""

from __future__ import annotations

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.config.sources import ANP
from neuroanp.network.record import Record
from neuroanp.rules._base import Layer, NodeRule
from neuroanp.rules._factors import times
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array


class ActivityPerturbation(NodeRule):
    r"""Credit of each unit for the effect of its change of activity on the loss, with unknown noise.

    .. math:: \Delta W = -\eta \sqrt{N} \sum_{t,l} \frac{M_{t,l}}{\lVert \delta a_t \rVert^2} \;
              \delta a_{t,l} \; \mathrm{pre}_{t,l}^\top

    where

    - :math:`\delta a_{t,l}` is the change of the postsynaptic layer's activity: plus minus clean, or half of
      plus minus minus;
    - :math:`\lVert \delta a_t \rVert^2` is its squared norm over the units of that layer and over the lanes
      that share a modulator: all with scope ``"global"`` (the published rule), one with scope ``"lane"``;
    - N is the number of units of input, hidden and output layer together;
    - :math:`M_{t,l}` and :math:`\mathrm{pre}_{t,l}` are as in `NodePerturbation`.

    Steps whose :math:`\lVert \delta a_t \rVert` is within 4 units of rounding of the activity are left out:
    they carry no information, and would be divided by nearly 0.

    Limit of many trials
    --------------------
    The change at step t holds the noise of that step and the effect of earlier noise,

    .. math:: \delta a_t = \sum_{s \le t} J_{ts} \, \xi_s, \qquad J_{tt} = 1, \quad
              J_{ts} = W_{rec} D \, \mathrm{diag}(\phi'(a_{t-1})) \, J_{t-1,s}

    to first order, for a network whose whole state is its activity (the tanh network). Earlier noise reaches
    the return from t on through :math:`a_t` alone, so with :math:`g_t = \partial R_t / \partial a_t`

    .. math:: \delta R_t = g_t^\top \delta a_t + \text{noise later than } t

    .. math:: \mathrm{E}\Big[ \frac{\delta R_t \, \delta a_t}{\lVert \delta a_t \rVert^2} \Big] = P_t \, g_t,
              \qquad P_t = \mathrm{E}\Big[ \frac{\delta a_t \delta a_t^\top}{\lVert \delta a_t \rVert^2} \Big]

    So the update of ``W_in`` and ``W_rec`` converges to :math:`\sqrt{N} \sum_t P_t \, g_t \,
    \mathrm{pre}_t^\top`: the gradient, each step's part multiplied by a positive semidefinite matrix of
    trace 1. For Gaussian noise :math:`P_t` shares its eigenvectors with the covariance :math:`\sigma^2
    \sum_s J_{ts} J_{ts}^\top` and weighs most the directions that the recurrence amplifies. No step's part
    ever points uphill in its own activity, but the parts are weighed unequally, so the whole is not the
    gradient. Where nothing recurs, :math:`P_t = 1/n` for a layer of n units and the update is the gradient
    times :math:`\sqrt{N}/n`: its size does not depend on :math:`\sigma`, but on the width.

    For ``W_out`` the same holds with discount 0; with a single output in a single lane (or scope ``"lane"``)
    :math:`P_t = 1` and the update is the delta rule times :math:`\sqrt{N}`. With returns the changes of
    later outputs go with those of step t, because both come from the same hidden noise, and
    :math:`\sum_{s>t} \gamma^{s-t} \mathrm{E}[\delta y_t \delta y_s^\top / \lVert \delta y_t \rVert^2]\, g_s`
    is added: a bias, which readout ``"delta"`` avoids.

    See `Rule` for the options.

    Examples
    --------
    >>> rule = ActivityPerturbation(sigma=0.01, mirrored=False)
    >>> rule.passes
    ('clean', 'plus')
    >>> update = rule(record, Modulator(discount=0, scope="global")(record, {}), {})     # doctest: +SKIP

    References
    ----------
    Fernández, Keemink, van Gerven, arXiv 2405.08967; Front. Neurosci. (2024).
    """

    name = "activity-perturbation"
    sources = (ANP,)
    bias_note = (
        "Each step is divided by the squared norm of the change of activity, which is larger where noise of "
        "earlier steps has grown: late steps count less than in the gradient, and the change holds the "
        "effect of earlier noise besides the noise itself."
    )
    recorded = ("activity",)
    needs_two_passes = True

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        return NotLocal(
            quantity="the squared norm over the layer of each step's change of activity between passes",
            variant="NodePerturbation with Modulator(baseline=RunningMean())",
        )

    def post(self, layer: Layer, record: Record, modulator: Array) -> Array:
        da = record.passes.effect(layer.activity)
        norm2 = _squared_norm(da, modulator)
        activity2 = _squared_norm(layer.activity[:, record.passes.index("plus")], modulator)
        informative = norm2 > (4 * np.finfo(da.dtype).eps) ** 2 * activity2
        units = record.inputs.shape[-1] + record.trace.shape[-1] + record.targets.shape[-1]
        where = namespace(norm2).where
        scale = where(informative, np.sqrt(units) * modulator / where(informative, norm2, 1.0), 0.0)
        return times(scale, da)


def _squared_norm(values: Array, modulator: Array) -> Array:
    """Sum of squares over units, and over lanes where one modulator serves all: shaped as the modulator."""
    squares = namespace(values).einsum("tln,tln->tl", values, values).astype(np.float64, copy=False)
    return squares if modulator.shape == squares.shape else squares.sum(axis=1, keepdims=True)

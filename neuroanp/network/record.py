"""`Record`: one trial, for reward, rules and decorrelation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.network.dynamics import Cells, Dynamics, Rates
from neuroanp.network.layout import Passes
from neuroanp.network.wiring import Wiring
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """One trial: T steps, P passes, L lanes, N hidden units.

    Parameters
    ----------
    passes : Passes
        Names of axis P.
    loss : (T, P, L) array
        Loss of each step, mean over outputs of the squared error; the mask is not applied.
    mask : (T, L) array
        Weight of each step in the loss.
    inputs : (T, L, n_in) array
        Input, before decorrelation.
    trace : (T + 1, L, N) array
        Hidden trace without noise, before decorrelation; that before the first step first.
    traces : (T, P, L, N) array
        Hidden trace of each pass, before decorrelation; empty where there are several passes and the rule's
        `recorded` doesn't name ``"trace"``.
    activity : (T, P, L, N) array
        Hidden activity, with the noise in it.
    noise : (T, L, N) array
        Hidden perturbation of the plus pass; the minus pass saw its negative.
    outputs : (T, P, L, n_out) array
        Readout, with its noise in it: the activity of the output layer.
    targets : (T, L, n_out) array
    noise_out : (T, L, n_out) array
        Output perturbation of the plus pass, zeros where the readout isn't perturbed.
    weight_noise : callable, optional
        Weight perturbation: ``weight_noise()`` yields for each step, or once for noise that is held for the
        trial, a dict of (post, pre) noise by weight name; (L, post, pre) where each lane has its own.
    decorrelation : mapping
        ``D_in`` (n_in, n_in) and ``D_hidden`` (N, N) in force in this trial; empty without decorrelation.
    hidden : mapping
        Other hidden variables (T, P, L, N) that the rule's `recorded` names, as thresholds saw them.
    weights : mapping
        Weights in force in this trial, by name.
    dt : float
        Length of a step in seconds.
    readout_memory : float
        Part of the readout that is left after a step, 0 for one that doesn't leak.
    cells : Cells, optional
        Constants of spiking cells.
    rates : Rates, optional
        Constants of tanh units.
    dynamics : callable, optional
        ``dynamics()`` is the model as one step on arrays, for gradients, formed at the first call.
    wiring : Wiring, optional
        Recurrent synapses that exist; None for all.
    past : (D + 1, L, N) array, optional
        With a wiring of longest delay D: hidden trace without noise in the steps before the first one, the
        last of them last, as far as synapses have not seen it by then.
    inputs_before : (D, L, n_in) array, optional
        Inputs of the D steps before the first one, the last of them last, which a direct connection to the
        readout still sees.
    carried : bool
        True for a trial that went on from the one before.
    owner : object, optional
        Object whose memory the arrays are, kept alive by the record.
    """

    passes: Passes
    loss: Array
    mask: Array
    inputs: Array
    trace: Array
    traces: Array
    activity: Array
    noise: Array
    outputs: Array
    targets: Array
    noise_out: Array
    weight_noise: Callable[[], Iterator[dict[str, Array]]] | None = None
    decorrelation: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    hidden: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    dt: float = 0.001
    readout_memory: float = 0.0
    cells: Cells | None = None
    rates: Rates | None = None
    dynamics: Callable[[], Dynamics | None] | None = None
    wiring: Wiring | None = None
    past: Array | None = None
    inputs_before: Array | None = None
    carried: bool = False
    owner: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "passes", Passes(self.passes))

    @property
    def mean_loss(self) -> float:
        """Mean over counted steps and lanes of the loss without noise."""
        return float(np.vdot(self.passes.clean(self.loss), self.mask) / np.add.reduce(self.mask, axis=None))

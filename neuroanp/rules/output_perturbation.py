"""Output perturbation: errors estimated from noise on the outputs, given to cells as e-prop does."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

import numpy as np

from neuroanp.config.option import SEEDS, option
from neuroanp.config.sources import E_PROP, FIETE_SEUNG, WILLIAMS
from neuroanp.filters import leaky, leaky_back
from neuroanp.network.layout import Layout
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules import _cells as spiking
from neuroanp.rules._factors import times, to_readout
from neuroanp.rules.e_prop import EProp
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays

MEMORY = 0.98
"""Weight of the trials before against the newest one in the fit of the variances."""

FLOOR = 0.02
"""Least variance of an output's error, in the largest one of the trial: a fit can go below 0."""

POWERS = np.arange(3)
"""Powers of an output whose sum its expected squared error is."""


class OutputPerturbation(spiking.CellRule):
    r"""Errors of the outputs estimated from one scalar a trial, and given to the cells as e-prop does.

    No targets and no errors are known. Noise is on the outputs alone, a handful of numbers where there are
    hundreds of cells; what it says of the outputs' errors reaches the hidden weights through feedback and
    eligibility traces. With d the deviation of the outputs that the noise makes, one draw of which lasts for
    `hold` steps, and r the modulator when a draw begins,

    .. math:: \hat e_{t,o} = \frac{m_t \, c_o(y_{t,o}) \, d_{t,o} \, r}
              {s + \sum_{t',o'} m_{t'} \, c_{o'}(y_{t',o'}) \, d_{t',o'}^2}, \qquad
              \Delta W_{ij} = -\eta \sum_{t,l} \sum_o B_{o,i} \, \hat e_{t,l,o} \; \bar e_{t,l,ij}

    where

    - m is the mask, and sums are over the steps of a draw;
    - c is the expected squared error of an output, a quadratic function of its value without noise, and s is
      the variance of what the noise doesn't explain. Both are learned, by the least squares fit of

      .. math:: r^2 \approx s + \sum_{t,o} m_t \, d_{t,o}^2 \, (a_0 + a_1 y_{t,o} + a_2 y_{t,o}^2)

      over the trials so far. So :math:`\hat e` is the mean of the error given r and d, for errors that are
      independent of these variances (a Kalman gain). Outputs that are seldom wrong get little of the blame
      for r. Noise of two values can't tell the outputs apart, and a network of one output needn't;
    - B and :math:`\bar e`, the feedback and the eligibility filtered as the readout is, are those of `EProp`.

    The readout learns from the unbiased estimate :math:`m d r / \langle \sum m d^2 \rangle` (``"perturb"``),
    or by the delta rule where targets are there after all.

    Noise on the outputs doesn't reach the cells, so it can be as large as the outputs, and one noisy pass is
    enough. The square of the noise is then most of the return: the baseline `NoiseCritic` takes it off; noise
    of two values, whose square is always the same, needs none but `RunningMean`. It is a rule for losses at
    the end of a trial: where every step counts, errors change within a draw.

    Needs of a synapse
    ------------------
    Local: the eligibility of `EProp`. Of a cell: its vector B, and :math:`B^\top (m c d)` at each step, the
    outputs' own noise. Broadcast: the noise of the outputs during a trial, and a scalar at its end. The fit
    of four numbers is one for the whole network.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise on the readout. Where outputs leak it is summed: it moves them by up
        to sigma divided by the part that is lost in a step.
    hold : int
        Steps for which one draw of noise is held; the default outlasts trials: one scalar each.
    feedback : str
        ``"kolen-pollack"``: B starts elsewhere and changes as ``W_out`` does; ``"symmetric"``: the present
        ``W_out``, carried back; ``"random"``.
    feedback_seed : int
        Seed of the feedback that random and Kolen-Pollack feedback start with.
    damping : float
        Height of the pseudo-derivative of a spike, above 0.
    distribution : str
        ``"gaussian"``, or ``"sign"``: plus or minus sigma.

    See `Rule` for `readout`.

    Raises
    ------
    InvalidValue
        For values out of range, and for a model that doesn't give its `cells`.

    Examples
    --------
    One noisy pass of each trial, and no other to compare it with::

        train(ALIF(), DelayedXOR(), rule=OutputPerturbation(), modulator=Modulator(baseline=NoiseCritic()))

    References
    ----------
    Reward at the outputs and eligibilities: reward-based e-prop of Bellec et al., Nature Communications 11,
    3625 (2020), whose outputs choose actions by chance. Williams, Machine Learning 8, 229 (1992); Fiete and
    Seung, Phys. Rev. Lett. 97, 048104 (2006). The learned variances are of this library.
    """

    name = "output-perturbation"
    sources: ClassVar[tuple[str, ...]] = (E_PROP, WILLIAMS, FIETE_SEUNG)
    bias_note = (
        "Errors reach the cells that drive the readout alone, and those of outputs that are seldom wrong are "
        "shrunk."
    )
    needs_baseline = True

    sigma: float = option(0.05, "standard deviation of the noise on the readout", least=0)
    hold: int = option(1_000_000, "steps for which one draw of noise is held", least=1)
    feedback: Literal["kolen-pollack", "symmetric", "random"] = option(
        "kolen-pollack", "what brings errors back to cells"
    )
    feedback_seed: int = option(0, "seed of random feedback", least=0, most=SEEDS)
    damping: float = option(0.3, "height of the pseudo-derivative of a spike", above=0)
    distribution: Literal["gaussian", "sign"] = option("gaussian", "distribution of the noise")

    @property
    def passes(self) -> tuple[str, ...]:
        return ("plus",)

    @property
    def perturbation(self) -> Perturbation:
        return Perturbation(
            target="nodes", sigma=0.0, distribution=self.distribution, hold_steps=self.hold, readout=True,
            readout_sigma=self.sigma, recorded=self.recorded,
        )  # fmt: skip

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> NotLocal:
        return NotLocal(
            quantity="the variances of the errors of all outputs, which are fitted to the trials before",
            variant="NodePerturbation with Modulator(baseline=RunningMean())",
        )

    def start(self, layout: Layout) -> Arrays:
        n = len(POWERS) + 1
        return {"square": np.zeros((n, n)), "product": np.zeros(n)}

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        d = leaky(record.noise_out, record.readout_memory)
        outputs = record.outputs - d[:, None].astype(record.outputs.dtype, copy=False)
        record = dataclasses.replace(record, outputs=outputs)
        if self.sigma == 0:
            return self.readout_update(record)
        starts = np.arange(0, len(d), self.hold)
        r = np.broadcast_to(modulator[starts], (len(starts), d.shape[1])) * d.shape[1]
        power = record.mask[:, :, None] * d**2
        scale = np.add.reduceat(power, starts).mean() or 1.0
        unit = float(state.setdefault("unit", np.array(scale)))
        expected, unexplained = self._variances(record, power / unit, r, starts, state)
        explained = np.add.reduceat((expected * power).sum(axis=2), starts) / unit
        variance = unexplained + explained
        gain = np.divide(r, variance, out=np.zeros(r.shape), where=variance > 0)
        update = self._hidden(record, self._signal(record, expected * d, gain / unit), state)
        if self.readout != "perturb":
            return update | self.readout_update(record)
        return update | to_readout(record, self._signal(record, d, r / scale))

    def _signal(self, record: Record, d: Array, gain: Array) -> Array:
        """Counted deviations d (T, L, n_out) times a gain (draws, L), as `delta` has errors."""
        steps, lanes = record.mask.shape
        each = np.repeat(gain, self.hold if len(gain) > 1 else steps, axis=0)[:steps]
        error = times(each * record.mask / lanes, d)
        return leaky_back(error, record.readout_memory).astype(record.trace.dtype, copy=False)

    def _hidden(self, record: Record, signal: Array, state: Arrays) -> Arrays:
        """Update of the hidden weights from the errors of the outputs, as `EProp` does."""
        e_prop = EProp(feedback=self.feedback, feedback_seed=self.feedback_seed)
        B = e_prop.back(record, state).astype(signal.dtype, copy=False)
        course = spiking.course(record)
        return spiking.weights_update(record, course, np.tensordot(signal, B, 1), self.damping)

    def _variances(
        self, record: Record, power: Array, r: Array, starts: Array, state: Arrays
    ) -> tuple[Array, float]:
        """Expected squared errors (T, L, n_out), and the variance that they leave, by the trials before.

        All outputs are alike in the first trial. This one joins the fit for the next.
        """
        y = record.passes.clean(record.outputs).astype(float)[..., None] ** POWERS
        expected, unexplained = np.ones(power.shape), 0.0
        if state["square"].any():
            *a, unexplained = np.linalg.lstsq(state["square"], state["product"], rcond=None)[0]
            expected = y @ a
            largest = expected[np.asarray(record.mask) > 0].max(initial=0.0)
            expected = np.maximum(expected, FLOOR * largest)
        sums = np.add.reduceat(np.einsum("tlo,tlop->tlp", power, y), starts)
        factors = np.concatenate([sums, np.ones((*r.shape, 1))], axis=2).reshape(-1, len(POWERS) + 1)
        state["square"] = MEMORY * state["square"] + factors.T @ factors / len(factors)
        state["product"] = MEMORY * state["product"] + factors.T @ r.reshape(-1) ** 2 / len(factors)
        return expected, max(float(unexplained), 0.0)

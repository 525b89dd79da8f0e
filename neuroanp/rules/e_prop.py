"""E-prop."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.arrays import chosen, namespace, waited
from neuroanp.config.option import SEEDS, option
from neuroanp.config.sources import E_PROP, LANSDELL
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.record import Record
from neuroanp.rules import _cells as spiking
from neuroanp.rules._factors import delta, outer
from neuroanp.synapse import Neuron, NotLocal, Synapse, joined
from neuroanp.types import Array, Arrays

KOLEN_POLLACK = """@inproceedings{kolen1994backpropagation,
  author = {Kolen, John F. and Pollack, Jordan B.},
  title = {Backpropagation without weight transport},
  booktitle = {Proceedings of the IEEE International Conference on Neural Networks},
  pages = {1375--1380},
  year = {1994},
  doi = {10.1109/ICNN.1994.374486}
}"""

AKROUT = """@inproceedings{akrout2019deep,
  author = {Akrout, Mohamed and Wilson, Collin and Humphreys, Peter C. and Lillicrap, Timothy and
    Tweed, Douglas},
  title = {Deep learning without weight transport},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
  eprint = {1904.05391},
  archivePrefix = {arXiv}
}"""

START = 0.1
"""Standard deviation times sqrt(N) of the feedback that Kolen-Pollack learning starts with."""

BACK = {
    "learned": Synapse(
        state=("correlation",),
        credit="correlation += going * (received_pre - explained_pre) * surprise_post",
        learn="weight += noisy * correlation / (N_post + uncertainty_post)",
        forget="correlation = 0",
    ),
    "kolen-pollack": Synapse(
        state=("filtered", "gradient"),
        credit="""
            filtered = going * readout_memory * filtered + trace_post
            gradient += error_pre * filtered
        """,
        forget="gradient = 0",
    ),
    "random": Synapse(),
}
"""A feedback synapse, from an output (pre) to a cell (post), by `EProp.feedback`."""


class EProp(spiking.CellRule):
    r"""Eligibility traces of spiking cells times a learning signal of each cell, brought back by feedback.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} S_{t,l,i} \; \bar e_{t,l,ij}, \qquad
              S_{t,l} = \frac{2}{n_{out} L} B^\top (y_{t,l} - y^*_{t,l}), \qquad
              \bar e_t = \kappa \bar e_{t-1} + e_t

    .. math:: e_{t,ij} = h_{t,i} (\epsilon^v_{t,ij} - \epsilon^b_{t,ij}), \qquad
              \epsilon^b_{t+1,ij} = \rho \, (\epsilon^b_{t,ij} + \beta_i \, e_{t,ij}), \qquad
              h_{t,i} = \frac{\gamma}{\theta} \max\Big(0, 1 - \frac{|v_{t,i} - \theta - b_{t,i}|}{\theta}\Big)

    where

    - :math:`\epsilon^v` is the effect of a weight on the potential: presynaptic spikes (for ``W_in`` the
      input) filtered by the membrane, cut where a spike resets the potential;
    - :math:`\epsilon^b` is its effect on the threshold, 0 for cells that don't adapt;
    - h is the pseudo-derivative of a spike, 0 while a cell is refractory, and :math:`\gamma` its `damping`;
    - :math:`\kappa` is the part of the readout that is left after a step;
    - :math:`\alpha, \rho, \beta, \theta` are those of the record's `Cells`.

    B (n_out, N) brings errors back, by `feedback`:

    - ``"learned"``, from the cells' own noise. A cell spikes by chance, as logistic noise of scale s at its
      threshold has it (escape noise); its surprise :math:`\zeta` is independent of that of all others, so
      that what of the readout's input B doesn't explain is paired with it:

      .. math:: p_t = \frac{1}{1 + e^{-(v_t - \theta - b_t) / s}}, \qquad \zeta_t = z_t - p_t, \qquad
                r_t = y_t - \kappa y_{t-1} - B z_t

      .. math:: B_i \leftarrow B_i + \frac{\sum_{t,l} r_t \, \zeta_{t,i}}
                {N + \sum_{t,l} p_{t,i} (1 - p_{t,i})}

      B becomes the readout's weights, without their being carried back;
    - ``"kolen-pollack"``, by the readout's own local updates: B starts elsewhere and changes as ``W_out``
      does. No noise;
    - ``"symmetric"``, the present ``W_out``;
    - ``"random"``, fixed, of standard deviation 1 / sqrt(N).

    Sums over steps are computed from the last step to the first, with a number a cell instead of one a
    synapse: the same update at the cost of an outer product. The modulator is not used; its baseline decides
    only which passes run.

    Needs of a synapse
    ------------------
    Local: presynaptic spikes through a filter, potential, threshold and spikes of the postsynaptic cell,
    :math:`\epsilon^v, \epsilon^b`. Of a cell: its vector B, and for learned feedback its surprise.
    Broadcast: the errors of all outputs at each step, which are more than a scalar; for learned feedback
    also r. Symmetric feedback carries weights back, which no synapse can.

    Parameters
    ----------
    feedback : str
        ``"learned"``, ``"kolen-pollack"``, ``"symmetric"`` or ``"random"``.
    feedback_seed : int
        Seed of the feedback that random and Kolen-Pollack feedback start with.
    damping : float
        :math:`\gamma`, above 0.
    escape : float
        Scale s of the noise, in the unit of the potential. Learned feedback only, as the next two.
    every : int
        Updates of which one has noise: noise makes another network of cells that are tested without.
    warmup : int
        Updates at the start in which readout and feedback learn alone: hidden weights would drift on a wrong
        B.
    readout : str
        ``"delta"`` or ``"fixed"``.

    Raises
    ------
    InvalidValue
        For values out of range, and for a model that doesn't give its `cells`.

    Examples
    --------
    >>> EProp().perturbation.target, EProp(feedback="random").perturbation.target
    ('thresholds', 'none')

    References
    ----------
    Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein, Maass, Nature Communications 11, 3625 (2020). There
    the rise of the threshold decays from the step after the one that follows a spike, here from that one, as
    the ALIF cells do; and there a reset doesn't cut the filter. Feedback weights learned from noise: Akrout
    et al., NeurIPS (2019); Lansdell, Prakash, Kording, ICLR (2020). By equal updates: Kolen, Pollack, ICNN
    (1994). Escape noise of spiking cells as the noise, and the residual r, are of this library.
    """

    name = "e-prop"
    sources = (E_PROP, AKROUT, LANSDELL, KOLEN_POLLACK)
    bias_note = (
        "Errors reach the cells that drive the readout alone, not the cells that drive those: all paths "
        "through a second recurrent synapse are left out."
    )

    readout: Literal["delta", "fixed"] = option("delta", "how the readout learns")
    feedback: Literal["learned", "kolen-pollack", "symmetric", "random"] = option(
        "learned", "what brings errors back to cells"
    )
    feedback_seed: int = option(0, "seed of random feedback", least=0, most=SEEDS)
    damping: float = option(0.3, "height of the pseudo-derivative of a spike", above=0)
    escape: float = option(0.05, "learned feedback: scale of the noise at the threshold", above=0)
    every: int = option(4, "learned feedback: updates of which one has noise", least=1)
    warmup: int = option(4, "learned feedback: updates before hidden weights learn", least=0)

    @property
    def passes(self) -> tuple[str, ...]:
        return ("plus",) if self.feedback == "learned" else ("clean",)

    @property
    def perturbation(self) -> Perturbation:
        if self.feedback != "learned":
            return super().perturbation
        return Perturbation(
            target="thresholds", sigma=spiking.ESCAPE * self.escape, distribution="logistic",
            every=self.every, recorded=self.recorded,
        )  # fmt: skip

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if self.feedback == "symmetric":
            return NotLocal(
                quantity="the readout's present weights, through which errors come back to the cell",
                variant='EProp(feedback="learned")',
            )
        if name == "B":
            return BACK[self.feedback]
        warm = f"gradient = int(trials > {self.warmup}) * gradient" if self.feedback == "learned" else ""
        return spiking.synapse(
            name,
            state=("raised", "eligibility", "filtered"),
            credit="""
                eligibility = slope_post * (effect - going * raised)
                raised = threshold_memory * (going * raised + rise_post * eligibility)
                filtered = going * readout_memory * filtered + eligibility
                gradient += signal_post * filtered
            """,
            learn=warm,
        )

    @property
    def neuron(self) -> Neuron:
        slope = "slope = awake * damping / threshold * clip(1 - abs(OVER) / threshold, 0, 1)"
        slope = slope.replace("OVER", spiking.OVER)
        if self.feedback != "learned":
            return Neuron(state=("slope",), before=slope, constants={"damping": self.damping})
        surprise = spiking.surprise(self.escape)
        return Neuron(
            state=("slope", *surprise.state, "uncertainty"),
            before=joined(slope, surprise.before, "uncertainty += chance * (1 - chance)"),
            after=surprise.after,
            forget="uncertainty = 0",
            constants={"damping": self.damping, **surprise.constants},
        )

    def feedback_start(self, n_out: int, hidden: int) -> Array:
        if self.feedback == "learned":
            return np.zeros((n_out, hidden))
        scale = (START if self.feedback == "kolen-pollack" else 1.0) / np.sqrt(hidden)
        return scale * np.random.default_rng(self.feedback_seed).standard_normal((n_out, hidden))

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        course, error = spiking.course(record), delta(record)
        B = self.back(record, state).astype(error.dtype, copy=False)
        update = self.readout_update(record, error)
        if self.feedback == "learned":
            state["trials"] = state.get("trials", np.zeros((), np.int64)) + 1
            known = record.noise[0].any()
            state["feedback"] = chosen(known, lambda: B + self._learned(record, B, course), B)
        if self.feedback != "learned":
            return update | self._hidden(record, course, error, B)
        return update | waited(state["trials"] > self.warmup, lambda: self._hidden(record, course, error, B))

    def _hidden(self, record: Record, course: spiking.Course, error: Array, B: Array) -> Arrays:
        credit = namespace(error).tensordot(error, B, 1)
        return spiking.weights_update(record, course, credit, self.damping)

    def _learned(self, record: Record, B: Array, course: spiking.Course) -> Array:
        """Change of B (n_out, N) by what it doesn't explain of the readout's input."""
        surprise, uncertainty = spiking.surprises(course, self.escape)
        y = record.passes.clean(record.outputs)
        r = y[1:] - np.asarray(record.readout_memory, y.dtype) * y[:-1] - course.spikes[1:] @ B.T
        return (outer(r, surprise[1:]) / (B.shape[1] + uncertainty)).astype(B.dtype, copy=False)

    def back(self, record: Record, state: Arrays) -> Array:
        """B (n_out, N) in force; Kolen-Pollack feedback is brought up to date in `state`."""
        D = record.decorrelation.get("D_hidden")
        W = record.weights["W_out"] if D is None else record.weights["W_out"] @ D
        if self.feedback == "symmetric":
            return W
        B = state["feedback"] if "feedback" in state else self.feedback_start(*W.shape)
        if self.feedback == "kolen-pollack":
            B = B + W - state.get("readout", W)
            state |= {"feedback": B, "readout": W.copy()}
        return B

"""Reward-modulated spike-timing-dependent plasticity."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.filters import leaky
from neuroanp.network.record import Record
from neuroanp.rules._factors import arrived, before, outer, recurrent, recurrent_leaky, times
from neuroanp.rules.node import NodePerturbation
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

IZHIKEVICH_2007 = """@article{izhikevich2007solving,
  author = {Izhikevich, Eugene M.},
  title = {Solving the distal reward problem through linkage of {STDP} and dopamine signaling},
  journal = {Cerebral Cortex},
  volume = {17},
  number = {10},
  pages = {2443--2452},
  year = {2007},
  doi = {10.1093/cercor/bhl152}
}"""

FREMAUX = r"""@article{fremaux2010functional,
  author = {Fr{\'e}maux, Nicolas and Sprekeler, Henning and Gerstner, Wulfram},
  title = {Functional requirements for reward-modulated spike-timing-dependent plasticity},
  journal = {Journal of Neuroscience},
  volume = {30},
  number = {40},
  pages = {13326--13337},
  year = {2010},
  doi = {10.1523/JNEUROSCI.6249-09.2010}
}"""


class RewardSTDP(NodePerturbation):
    r"""Pairs of spikes make a synapse eligible, reward decides how it changes.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} M_{t,l} \big( A_+ \, z_{t,l,i} \, p_{t,l,j}
              - A_- \, q_{t,l,i} \, s_{t,l,j} \big)

    .. math:: p_t = e^{-dt / \tau_+} p_{t-1} + s_t, \qquad q_t = e^{-dt / \tau_-} (q_{t-1} + z_{t-1})

    where

    - z are the postsynaptic spikes, s the presynaptic ones as they arrive: one step after they were fired
      for ``W_rec``, the input for ``W_in``. A spike that arrives in the step of a postsynaptic one comes
      before it;
    - :math:`M_{t,l}` is the modulator. Its discount is the decay of the eligibility c: with
      :math:`\ell_s - b_s` the surprise of one step and :math:`c_s = \gamma c_{s-1} + \mathrm{STDP}_s`,
      :math:`\sum_t M_t \, \mathrm{STDP}_t = \sum_s (\ell_s - b_s) \, c_s`. A time constant of 1 s is a
      discount of 0.999 at steps of 1 ms.

    The modulator must be a surprise, with a mean of 0: another mean turns into plain STDP, which changes all
    synapses whatever their effect. Noise on the cells makes the trials differ. The rule sees it in the spikes
    only, so it works with unknown noise, and is no estimate of a gradient: it credits causal pairs, also
    those without noise.

    The readout doesn't spike: with ``"perturb"`` it learns by node perturbation.

    Needs of a synapse
    ------------------
    Local: a fading count of its presynaptic spikes, one of its postsynaptic cell's, its eligibility.
    Broadcast: M.

    Parameters
    ----------
    tau_plus, tau_minus : Quantity
        Time before and after a postsynaptic spike in which presynaptic ones count.
    a_plus, a_minus : float
        Weight of a pair, 0 or more.

    See `NodePerturbation` for the other options.

    Examples
    --------
    >>> RewardSTDP(sigma=0.1, hold=10).perturbation.hold_steps
    10

    References
    ----------
    Izhikevich, Cerebral Cortex 17, 2443 (2007); Frémaux, Sprekeler, Gerstner, Journal of Neuroscience 30,
    13326 (2010), on the mean of the reward.
    """

    name = "reward-stdp"
    sources = (IZHIKEVICH_2007, FREMAUX)
    bias_note = (
        "Pairs of spikes make eligible what fired together, whether or not noise made it fire: it follows "
        "the covariance of reward and pairing, not the gradient."
    )

    recorded = ("trace",)

    tau_plus: Any = option(
        20 * ms, "time before a postsynaptic spike in which others count", unit="ms", above=0
    )
    tau_minus: Any = option(
        20 * ms, "time after a postsynaptic spike in which others count", unit="ms", above=0
    )
    a_plus: float = option(1.0, "weight of a presynaptic spike before a postsynaptic one", least=0)
    a_minus: float = option(1.0, "weight of a presynaptic spike after a postsynaptic one", least=0)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        if name == "W_out":
            return super().own_synapse(name, passes)
        if len(passes) > 1:
            return NotLocal(
                quantity="the spikes of one pass in the other, whose loss decides about them too",
                variant="Modulator(baseline=RunningMean()), one pass compared with the trials before",
            )
        return Synapse(
            state=("arrived", "ahead", "behind", "eligibility", "gradient"),
            eligibility="""
                arrived = trace_pre
                ahead = going * exp(-dt / tau_plus) * ahead + trace_pre
                behind = exp(-dt / tau_minus) * (going * behind + trace_post)
            """,
            credit="""
                eligibility = decay * eligibility + a_plus * trace_post * ahead - a_minus * behind * arrived
                gradient += modulator * eligibility
            """,
            forget="gradient = 0",
            constants={name: getattr(self, name) for name in ("tau_plus", "tau_minus", "a_plus", "a_minus")},
        )

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        decay_plus = float(np.exp(-record.dt / float(self.tau_plus)))
        decay_minus = float(np.exp(-record.dt / float(self.tau_minus)))
        D = record.decorrelation
        D_in, D_hidden = D.get("D_in"), D.get("D_hidden")
        z = record.passes.noisy(record.traces)
        p = leaky(record.inputs, decay_plus)
        q = decay_minus * leaky(before(record, z), decay_minus).astype(z.dtype)
        potentiation = times(modulator * self.a_plus, z)
        depression = times(modulator * self.a_minus, q)
        arriving = arrived(record, z)
        update = {
            "W_in": outer(potentiation, p, D_in) - outer(depression, record.inputs, D_in),
            "W_rec": recurrent_leaky(record, potentiation, arriving, decay_plus, D_hidden)
            - recurrent(record, depression, arriving, D_hidden),
        }
        return update | self._readout(record, modulator)

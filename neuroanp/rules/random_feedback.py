"""Random feedback, local and online, for rate units."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.arrays import accumulated
from neuroanp.config.option import SEEDS, option
from neuroanp.errors import InvalidValue
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.rules._factors import delta, slope
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays

MURRAY = """@article{murray2019local,
  author = {Murray, James M.},
  title = {Local online learning in recurrent networks with random feedback},
  journal = {eLife},
  volume = {8},
  pages = {e43299},
  year = {2019},
  doi = {10.7554/eLife.43299}
}"""

LILLICRAP = """@article{lillicrap2016random,
  author = {Lillicrap, Timothy P. and Cownden, Daniel and Tweed, Douglas B. and Akerman, Colin J.},
  title = {Random synaptic feedback weights support error backpropagation for deep learning},
  journal = {Nature Communications},
  volume = {7},
  pages = {13276},
  year = {2016},
  doi = {10.1038/ncomms13276}
}"""


class RandomFeedback(Rule):
    r"""Errors reach each unit through fixed random weights, and go back in time by its leak alone.

    .. math:: \Delta W_{ij} = -\eta \sum_{t,l} \big(B^\top \delta_{t,l}\big)_i \, p_{t,l,ij}, \qquad
              p_{t,ij} = m_i \, p_{t-1,ij} + (1 - m_i) \, \phi'(a_{t,i}) \, x_{t-1,j}

    with :math:`\phi = \tanh`, the memory :math:`m` of `Rates`, the error :math:`\delta` of
    `neuroanp.rules.delta` and B (n_out, N) of standard deviation 1 / sqrt(N). Without noise and reward, it is
    a gradient-like rule to compare with: a vector of errors instead of a scalar.

    The sum over steps is formed from the last to the first, with a number a unit instead of one a synapse.

    Parameters
    ----------
    feedback_seed : int
        Seed of B.
    readout : str
        ``"delta"`` or ``"fixed"``.

    Raises
    ------
    InvalidValue
        For a seed below 0, and at the update for a model that isn't one of tanh units.

    References
    ----------
    Murray, eLife 8, e43299 (2019); Lillicrap, Cownden, Tweed, Akerman, Nature Communications 7, 13276 (2016).
    """

    name = "random-feedback"
    sources = (MURRAY, LILLICRAP)
    bias_note = (
        "Errors come back through random weights instead of the readout's own, and through no recurrent "
        "synapse: before learning has aligned the readout with them, its direction has little to do with the "
        "gradient's."
    )

    readout: Literal["delta", "fixed"] = option("delta", "how the readout learns")
    feedback_seed: int = option(0, "seed of the weights that bring errors back", least=0, most=SEEDS)

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> NotLocal:
        return NotLocal(
            quantity="a signal for each unit at each step, the errors of all outputs through its own weights",
            variant="NodePerturbation with Modulator(baseline=RunningMean())",
        )

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        if record.rates is None:
            raise InvalidValue("Record.rates", "a model of tanh units, such as tanh or leaky-tanh", "none")
        x = record.trace[1:]
        error = delta(record)
        memory = np.asarray(record.rates.memory, x.dtype)
        B = np.random.default_rng(self.feedback_seed).standard_normal((error.shape[2], x.shape[2]))
        credit = error @ (B / np.sqrt(x.shape[2])).astype(error.dtype)
        credit = accumulated(credit, memory, backwards=True)
        post = credit * (1 - memory) * slope(record)
        return self.hidden_update(record, post) | self.readout_update(record, error)

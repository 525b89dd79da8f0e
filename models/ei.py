"""Excitatory and inhibitory cells that keep to Dale's law."""

from __future__ import annotations

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.models.lif import LIF
from neuroanp.network.model import Weights

SONG = """@article{song2016training,
  author = {Song, H. Francis and Yang, Guangyu R. and Wang, Xiao-Jing},
  title = {Training excitatory-inhibitory recurrent neural networks for cognitive tasks: a simple and
    flexible framework},
  journal = {PLoS Computational Biology},
  volume = {12},
  number = {2},
  pages = {e1004792},
  year = {2016},
  doi = {10.1371/journal.pcbi.1004792}
}"""


class EI(LIF):
    r"""LIF cells that are excitatory or inhibitory, and stay so while they learn.

    The first part of the cells, as many as `excitatory` says, has recurrent weights of 0 or more, the others
    of 0 or less: all weights of a column of ``W_rec`` have one sign. At the start inhibitory weights are so
    much larger that both kinds cancel on average. Learning stops a weight at zero. Readout weights are free:
    a readout is no cell, but the difference of what two populations would see.

    Decorrelation is refused, as it would mix cells of both kinds.

    References
    ----------
    Song, Yang, Wang, PLoS Computational Biology 12, e1004792 (2016), on training such networks.
    """

    name = "ei"
    sources = (SONG,)
    signed = ("W_rec",)

    excitatory: float = option(0.8, "part of the cells that are excitatory", least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < round(self.excitatory * self.hidden) < self.hidden:
            raise InvalidValue("EI.excitatory", "a part that leaves cells of both kinds", self.excitatory)

    def initial_weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> Weights:
        weights = super().initial_weights(rng, n_in, n_out)
        excitatory = round(self.excitatory * self.hidden)
        ratio = excitatory / (self.hidden - excitatory)
        sign = np.where(np.arange(self.hidden) < excitatory, 1.0, -ratio)
        if self.outgoing is not None:
            sign = np.repeat(sign, self.outgoing)
        return weights | {"W_rec": np.abs(weights["W_rec"]) * sign}

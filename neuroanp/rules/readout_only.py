"""Learning of the readout alone."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

JAEGER = """@techreport{jaeger2001echo,
  author = {Jaeger, Herbert},
  title = {The ``echo state'' approach to analysing and training recurrent neural networks},
  institution = {German National Research Center for Information Technology},
  type = {GMD Report},
  number = {148},
  year = {2001}
}"""

MAASS = r"""@article{maass2002real,
  author = {Maass, Wolfgang and Natschl{\"a}ger, Thomas and Markram, Henry},
  title = {Real-time computing without stable states: a new framework for neural computation based on
    perturbations},
  journal = {Neural Computation},
  volume = {14},
  number = {11},
  pages = {2531--2560},
  year = {2002},
  doi = {10.1162/089976602760407955}
}"""


class ReadoutOnly(Rule):
    r"""Delta rule for the readout of a network whose hidden weights stay: an echo state network.

    .. math:: \Delta W_{out} = -\eta \sum_{t,l} \delta_{t,l} \, x_{t,l}^\top

    with :math:`\delta` as in `neuroanp.rules.delta`. Any other rule has to beat it: the rest was learned by
    the hidden weights.

    References
    ----------
    Jaeger, GMD Report 148 (2001); Maass, Natschläger, Markram, Neural Computation 14, 2531 (2002).
    """

    name = "readout-only"
    sources = (JAEGER, MAASS)
    bias_note = "Only the readout learns, by its gradient; that of the hidden weights is not estimated."
    supports_sparse = True

    readout: Literal["delta"] = option("delta", "how the readout learns")

    @property
    def by_steps(self) -> bool:
        return True

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        return Synapse()

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        return self.readout_update(record)

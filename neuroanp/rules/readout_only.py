"""Learning of the readout alone."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.network.record import Record
from neuroanp.rules._base import Rule
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays


class ReadoutOnly(Rule):
    r"""The delta rule for the readout of a network that stays as it is drawn: an echo state network.

    .. math:: \Delta W_{out} = -\eta \sum_{t,l} \delta_{t,l} \, x_{t,l}^\top

    with :math:`\delta` as in `neuroanp.rules.delta`. What it reaches is what any other rule has to beat: the
    rest was learned by the hidden weights.

    References
    ----------
    Jaeger, GMD Report 148 (2001); Maass, Natschläger, Markram, Neural Computation 14, 2531 (2002).
    """

    name = "readout-only"
    bias_note = "Only the readout learns, by its gradient; that of the hidden weights is not estimated."
    supports_sparse = True

    readout: Literal["delta"] = option("delta", "how the readout learns")

    def own_synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        return Synapse()

    def __call__(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        return self.readout_update(record)

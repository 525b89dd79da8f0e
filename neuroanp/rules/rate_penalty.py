"""`RatePenalty`: a term beside any rule's estimate that keeps cells from silence and from constant firing."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, second

from neuroanp.arrays import namespace
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.network.record import Record
from neuroanp.rules._factors import arrived
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Array, Arrays

LEARNED = ("W_in", "W_rec")
"""Weights that decide on the rates of the cells."""


class RatePenalty(Part):
    r"""Penalty on mean rates of spiking cells out of a range, added to the estimate of the hidden weights.

    .. math:: g_{ij} \leftarrow g_{ij} + s \, \big(r_i - \mathrm{clip}(r_i, r_{low}, r_{high})\big) \,
              \overline{\mathrm{pre}}_j

    with :math:`r_i` the rate of cell i, and :math:`\overline{\mathrm{pre}}_j` the mean trace of the source as
    the synapse sees it, both over steps and lanes and without noise, and s the strength. A cell above the
    range loses input, most from the sources that send most, one below gains, one within is left alone. It is
    the gradient of :math:`\tfrac{s}{2} \sum_i (r_i - \mathrm{clip}(r_i))^2` but for the slope of a cell's
    rate by its mean input, for which 1 stands.

    Rates are those of one trial: windows of a few steps on a few lanes have none that mean anything.

    Weights of which the rule estimates nothing stay as they are, in a warm-up too, where a chip already
    penalizes. The strength that suits depends on the task, as
    estimates differ in size: those of e-prop are as large as the penalty's with 0.2 in delayed XOR, and with
    0.001 in spiking digits.

    Needs of a synapse
    ------------------
    Local: a count of the spikes that arrived in the trial, one of its cell's. Broadcast: nothing but the
    length of a trial.

    Parameters
    ----------
    strength : float
        s, for rates in Hz.
    lowest, highest : Quantity
        Range of rates without a penalty.

    Raises
    ------
    InvalidValue
        For values out of range, and a `lowest` above `highest`.

    Examples
    --------
    >>> RatePenalty(highest=20 * Hz)
    RatePenalty(highest=20. * hertz)
    """

    strength: float = option(0.01, "weight of the penalty, for rates in Hz", least=0)
    lowest: Any = option(1 * Hz, "rate below which cells gain input", unit="Hz", least=0)
    highest: Any = option(50 * Hz, "rate above which cells lose input", unit="Hz", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lowest > self.highest:
            raise InvalidValue("RatePenalty.lowest", f"at most highest ({self.highest})", self.lowest)

    def check(self, where: str, model: Model) -> None:
        """Raise `InvalidValue` for a model whose cells don't spike."""
        if model.threshold is None:
            raise InvalidValue(where, f"None, as units of {model.name} don't spike", self)

    def __call__(self, record: Record, estimate: Arrays) -> Arrays:
        """Estimate with the penalty in it; that of weights that are not in it stays out.

        Parameters
        ----------
        record : Record
        estimate : dict of arrays
            From a rule.
        """
        excess = self.strength * self.excess(record)
        terms = {name: self._term(record, name, excess) for name in LEARNED if name in estimate}
        return {name: g + terms[name] if name in terms else g for name, g in estimate.items()}

    def excess(self, record: Record) -> Array:
        """Part (N,) of each cell's rate in Hz that is above the range, or below it with a minus."""
        rates = record.trace[1:].mean(axis=(0, 1), dtype=np.float64) / record.dt
        return rates - namespace(rates).clip(rates, float(self.lowest), float(self.highest))

    @staticmethod
    def _term(record: Record, name: str, excess: Array) -> Array:
        sent = record.inputs if name == "W_in" else arrived(record, record.trace[1:])
        mean = sent.mean(axis=(0, 1), dtype=np.float64)
        if name == "W_rec" and record.wiring is not None:
            return np.asarray(excess[record.wiring.targets] * mean[:, None]).ravel()
        D = record.decorrelation.get("D_in" if name == "W_in" else "D_hidden")
        return excess[:, None] * (mean if D is None else D @ mean)

    def synapse(self, name: str, passes: tuple[str, ...]) -> Synapse | NotLocal:
        """Work of one synapse of `name` in the on-chip mode, beside that of the rule."""
        if name not in LEARNED:
            return Synapse()
        if "clean" not in passes and "minus" in passes:
            return NotLocal(
                quantity="the mean of the spikes over the plus and the minus pass",
                variant="a rule with mirrored=False",
            )
        return Synapse(
            state=("arrivals", "fired", "gradient"),
            eligibility="arrivals += course * trace_pre",
            credit="fired += course * trace_post",
            learn="""
                fired -= clip(fired, lowest * dt * steps, highest * dt * steps)
                gradient += strength / dt * fired * arrivals / steps**2
            """,
            forget="""
                fired = 0
                arrivals = 0
            """,
            constants={
                "strength": self.strength * second, "lowest": self.lowest, "highest": self.highest
            },
        )  # fmt: skip

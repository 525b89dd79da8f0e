"""`FixedPoint`: a substrate that computes in integers."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue


class FixedPoint(Part):
    r"""Whole numbers in place of floating point, for cells and synapses, as a digital chip has them.

    A variable of b bits stands for its integer times a power of two, chosen from the range that it has in
    the first trials, with `headroom` to spare. Products and sums are exact; each assignment is rounded once
    and saturates, it never wraps.

    Parameters
    ----------
    weight_bits, gradient_bits : int
        Bits of a weight, and of the estimate that gathers over a trial.
    eligibility_bits : int
        Bits of the other variables of a synapse.
    potential_bits : int
        Bits of the variables of a cell, and of its noise unless that has a sign alone.
    broadcast_bits : int
        Bits of numbers that are broadcast, such as the modulator.
    constants : {"multiply", "shift"}
        Decays and other constants as integers to multiply with, of `constant_bits` bits; or as powers of two,
        a decay :math:`\alpha` as :math:`x - x / 2^k` with the k nearest to
        :math:`-\log_2 (1 - \alpha)`, which needs no multiplier.
    rounding : {"stochastic", "nearest", "floor"}
        Rounding in synapses: up with the probability of what is cut off, by a draw a synapse; to the nearest;
        or toward minus infinity, as a shift alone does. Cells round to the nearest.
    noise : {"counter", "xorshift"}
        Noise and draws: NeuroANP's own, functions of seed, trial, step and place; or those of one
        generator on the chip, Marsaglia's xorshift of 32 bits, which needs noise of sign distribution.
    weight_range, readout_range : float
        Greatest weight of a projection, in units of its largest at the start: readouts start small. The
        report says where weights have reached it.
    headroom : float
        Room of the other variables, in units of their largest size in the first trials.

    A trap: ``e -= e >> k``, a decay by floor rounding, adds :math:`(2^k - 1) / 2` on average to every e that
    has come to rest, a false credit that is the same for all synapses. ``IntegerChip.report`` shows it.

    References
    ----------
    Gupta, Agrawal, Gopalakrishnan, Narayanan, ICML (2015), on stochastic rounding; Marsaglia, Journal of
    Statistical Software 8, 14 (2003), on the generator.
    """

    weight_bits: int = option(16, "bits of a weight", least=2, most=24)
    eligibility_bits: int = option(16, "bits of other variables of a synapse", least=2, most=24)
    gradient_bits: int = option(24, "bits of the gradient estimate", least=2, most=31)
    potential_bits: int = option(24, "bits of the variables of a cell", least=4, most=31)
    broadcast_bits: int = option(16, "bits of broadcast numbers", least=4, most=24)
    constants: Literal["multiply", "shift"] = option("multiply", "constants as factors or as powers of two")
    constant_bits: int = option(14, "bits of constants that multiply", least=3, most=24)
    rounding: Literal["stochastic", "nearest", "floor"] = option("stochastic", "rounding in synapses")
    noise: Literal["counter", "xorshift"] = option("counter", "source of noise and draws")
    weight_range: float = option(2.0, "greatest hidden weight, in units of the largest at the start", above=0)
    readout_range: float = option(
        16.0, "greatest weight of the readout, in units of the largest at the start", above=0
    )
    headroom: float = option(4.0, "room of variables, in units of their size in the first trials", least=1)

    def bits_of(self, variable: str) -> int:
        """Bits of a variable of a synapse."""
        return {"weight": self.weight_bits, "gradient": self.gradient_bits}.get(
            variable, self.eligibility_bits
        )

    @property
    def multiplier_bits(self) -> int | None:
        """Bits of constants that multiply, None for powers of two."""
        return self.constant_bits if self.constants == "multiply" else None

    def check_noise(self, where: str, distribution: str) -> None:
        """Check that the source can draw a distribution, the option `where`; `InvalidValue` if not."""
        if self.noise == "xorshift" and distribution != "sign":
            raise InvalidValue(where, "'sign' with FixedPoint(noise='xorshift')", repr(distribution))

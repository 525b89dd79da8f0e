"""`Builder`: microcode of a reading, with exponents and scales that fit the bits there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from neuroanp.hardware.export._loihi_microcode import Microcode, Rounded, Sent
from neuroanp.hardware.export._loihi_statements import (
    POST_SPIKE,
    NotReadableError,
    PreTrace,
    Product,
    Reading,
    time_constant,
)
from neuroanp.substrate.loihi_microcode import EXPONENTS, Factor, Term, equation, lost_bits, nearest_power

WEIGHT_MAX = 256
"""Size of the largest weight there."""

TYPICAL_SENT, TYPICAL_TAG = 32, 8
"""Third factor of typical size, a quarter of the largest, and what an event of typical size adds to a tag."""

IMPULSE_OF_TRACE, IMPULSE_OF_SPIKE = 16, 64
"""Impulses of a trace that adds spikes up, eight of which fit, and of one that each step forgets."""

MODULATORS = (("y2", "positive"), ("y3", "negative"))
"""Ports of a modulator and of its negative."""


class Builder:
    """Microcode of a reading.

    Parameters
    ----------
    reading : Reading
    rate : float
        Learning rate at the start.
    sizes : mapping
        Typical sizes of what is sent, by expression, and of ``"weight"`` the largest.

    Raises
    ------
    NotReadableError
        For more traces or third factors than there are, and for signed ones where postsynaptic spikes arrive.
    """

    def __init__(self, reading: Reading, rate: float, sizes: Mapping[str, float]) -> None:
        self.reading, self.rate, self.sizes = reading, rate, sizes
        self.weight_unit = sizes["weight"] / WEIGHT_MAX
        self.traces: dict[float, str] = {}
        self.sent: list[Sent] = []
        self.rounded: list[Rounded] = []
        self.notes: list[str] = []
        self.tag_unit = 0.0

    def microcode(self) -> Microcode:
        """Equations, traces and third factors."""
        credit = self._credit()
        post_spikes = any(product.sent == POST_SPIKE for product in self.reading.eligibility)
        dt = self._eligibility(post_spikes) if credit.pre is None else self._copied(credit.pre)
        dw = self._weights(credit)
        traces: dict[str, Any] = {}
        for tau, name in self.traces.items():
            traces[f"{name}_tau"] = tau
            traces[f"{name}_impulse"] = float(_impulse(tau))
        return Microcode(
            dw=equation(dw), dt=equation(dt), sent=tuple(self.sent), cell=self.reading.cell,
            post_spikes=post_spikes, weight_unit=self.weight_unit, tag_unit=self.tag_unit,
            rounded=tuple(self.rounded), notes=tuple(self.notes), **traces,
        )  # fmt: skip

    def _credit(self) -> Product:
        """Term of the weights: what is sent times the tag, or times a trace that the tag is a copy of."""
        if len(self.reading.credit) != 1:
            raise NotReadableError(
                f"gradient: {len(self.reading.credit)} terms, where one times the tag can go"
            )
        (credit,) = self.reading.credit
        if not credit.sent:
            raise NotReadableError("gradient: a term without a modulator")
        if not credit.tag and (credit.pre is None or self.reading.tag):
            raise NotReadableError("gradient: a term in which the tag is not a factor")
        return credit

    def _copied(self, pre: PreTrace) -> tuple[Term, ...]:
        """Tag that is the trace of the step before, as a modulator comes a step late."""
        name, tau = self._trace(pre)
        self.tag_unit = pre.gain / _impulse(tau)
        return Term("u", 1, 0, (Factor(name),)), Term("u", -1, 0, (Factor("t"),))

    def _eligibility(self, post_spikes: bool) -> tuple[Term, ...]:
        terms = list[Term]()
        products = sorted(self.reading.eligibility, key=lambda product: product.sent not in ("", POST_SPIKE))
        for product in products:
            if product.pre is None:
                raise NotReadableError(f"{self.reading.tag}: {product.sent}, which no presynaptic part is in")
            is_sent = product.sent not in ("", POST_SPIKE)
            if is_sent:
                terms.append(self._with_third_factor(product, product.pre, post_spikes))
            else:
                terms.append(self._of_spikes(product, product.pre))
        return (*terms, *self._fading())

    def _fading(self) -> Iterator[Term]:
        forgotten = 1 - self.reading.memory
        if not forgotten:
            return
        exponent = nearest_power(forgotten)
        if exponent not in EXPONENTS:
            self.notes.append(
                f"the tag doesn't fade: {forgotten:.4g} a step is less than 2^{EXPONENTS[0]} can say"
            )
            return
        self._round("decay of the tag in a step", forgotten, exponent)
        yield Term("u", -1, exponent, (Factor("t"),))

    def _of_spikes(self, product: Product, pre: PreTrace) -> Term:
        """Term of a trace alone, at postsynaptic spikes or in every step."""
        name, tau = self._trace(pre)
        added = abs(product.coefficient) * pre.gain / _impulse(tau)
        if not self.tag_unit:
            exponent = nearest_power(TYPICAL_TAG / _impulse(tau))
            self.tag_unit = added / 2.0**exponent
        else:
            exponent = nearest_power(added / self.tag_unit)
            self._round(f"{pre.name} in the tag", added / self.tag_unit, exponent)
        condition = "y0" if product.sent == POST_SPIKE else "u"
        return Term(condition, _sign(product), self._possible(exponent), (Factor(name),))

    def _with_third_factor(self, product: Product, pre: PreTrace, post_spikes: bool) -> Term:
        """Term with y1, whose scale makes its size exact."""
        factors: tuple[Factor, ...] = (Factor("y1"),)
        condition, impulse = "x0", 1
        if pre.memory:
            name, tau = self._trace(pre)
            factors, condition, impulse = (Factor(name), *factors), "u", _impulse(tau)
        lost = lost_bits(*(factor.variable for factor in factors))
        size = self.sizes.get(product.sent, 1.0)
        added = abs(product.coefficient) * pre.gain / impulse
        if not self.tag_unit:
            exponent = nearest_power(TYPICAL_TAG / (impulse * TYPICAL_SENT))
            self.tag_unit = added * size / TYPICAL_SENT / 2.0**exponent
        else:
            exponent = nearest_power(added * size / (self.tag_unit * TYPICAL_SENT))
        self._send(product.sent, added / (self.tag_unit * 2.0**exponent), 2**lost, post_spikes)
        return Term(condition, _sign(product), self._possible(exponent + lost), factors)

    def _round(self, quantity: str, asked: float, exponent: int) -> None:
        if asked != 2.0**exponent:
            self.rounded.append(Rounded(quantity=quantity, asked=asked, exponent=exponent))

    def _send(self, expression: str, scale: float, multiple: int, post_spikes: bool) -> None:
        if any(sent.port == "y1" for sent in self.sent):
            raise NotReadableError(f"{expression}: a fourth third factor, beside those of the modulator")
        if post_spikes and expression not in self.reading.counts:
            raise NotReadableError(
                f"{expression}, which may be negative: the postsynaptic spikes that the rule needs too "
                "turn it into 0"
            )
        part = "positive" if expression in self.reading.counts else "signed"
        when = "each step, with the spikes that arrive in it"
        self.sent.append(Sent("y1", expression, scale, part, when, multiple))

    def _weights(self, credit: Product) -> tuple[Term, Term]:
        """Change of the weights by two factors, as a postsynaptic spike turns a negative one into 0."""
        lost = lost_bits("t", "y2")
        change = abs(credit.coefficient) * self.tag_unit / self.weight_unit
        size = self.rate * self.sizes.get(credit.sent, 1.0)
        wanted = nearest_power(change * size / TYPICAL_SENT) + lost
        exponent = min(max(wanted, EXPONENTS[0]), EXPONENTS[-1])
        scale = change / 2.0 ** (exponent - lost)
        if exponent != wanted:
            self.notes.append(
                f"the exponent of dw would be {wanted}; with {exponent} a modulator of typical size is "
                f"{scale * size:.3g} in the mean"
            )
        sent = f"learning_rate * {credit.sent}"
        when = "one step later" if self.reading.each_step else "in the step after the last of a trial, else 0"
        self.sent += [Sent(port, sent, scale, part, when, 2**lost) for port, part in MODULATORS]
        sign = _sign(credit)
        return (
            Term("u", sign, exponent, (Factor("t"), Factor("y2"))),
            Term("u", -sign, exponent, (Factor("t"), Factor("y3"))),
        )

    def _trace(self, pre: PreTrace) -> tuple[str, float]:
        tau = time_constant(pre.memory)
        if tau not in self.traces and len(self.traces) == 2:
            raise NotReadableError(f"{pre.name}: a third presynaptic trace, where there are two")
        return self.traces.setdefault(tau, f"x{len(self.traces) + 1}"), tau

    def _possible(self, exponent: int) -> int:
        if exponent not in EXPONENTS:
            raise NotReadableError(
                f"{self.reading.tag}: terms whose sizes differ by more than exponents from {EXPONENTS[0]} "
                f"to {EXPONENTS[-1]} can say"
            )
        return exponent


def _sign(product: Product) -> int:
    return 1 if product.coefficient > 0 else -1


def _impulse(tau: float) -> int:
    return IMPULSE_OF_TRACE if tau else IMPULSE_OF_SPIKE

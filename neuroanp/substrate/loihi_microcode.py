"""Microcode of Loihi's three-factor learning: equations of Lava as terms, and bits that products lose."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from neuroanp.errors import InvalidValue

WIDTHS = {**dict.fromkeys(("x1", "x2", "y1", "y2", "y3"), 7), "w": 9, "t": 9}
"""Bits of each variable, the sign aside."""

MANTISSA, ACCUMULATOR, FRACTION = 4, 15, 7
"""Bits of a mantissa, of an accumulator without its sign, and of these the bits behind the point."""

EXPONENTS = range(-7, 9)
"""Exponents that a term may have."""

VARIABLES = ", ".join(WIDTHS)

SUM = "a sum of products, e.g. 2^-4*u0*t*y2"

_TERM = re.compile(r"([+-]?)((?:[^+\-()^]|\^[+-]?|\([^()]*\))+)")
_VARIABLE = re.compile(r"([a-z]\w*)(?:([+-])(\d+))?")


class Factor(NamedTuple):
    """Variable of a term, with a constant added to it."""

    variable: str
    constant: int = 0
    sign_only: bool = False

    def __str__(self) -> str:
        inner = f"{self.variable}{self.constant:+d}" if self.constant else self.variable
        if self.sign_only:
            return f"sgn({inner})"
        return f"({inner})" if self.constant else inner


class Term(NamedTuple):
    """Product that a synapse adds where its condition holds: mantissa * 2^exponent * factors."""

    condition: str
    """``"x0"``: the source fired in the epoch, ``"y0"``: the postsynaptic cell did, ``"u"``: each epoch."""
    mantissa: int
    exponent: int
    factors: tuple[Factor, ...]
    decimation: int = 0
    """k of ``uk``: the term counts in each 2^k-th epoch."""

    @property
    def lost_bits(self) -> int:
        """Bits of the product that fixed point drops and Lava's floating point keeps."""
        return lost_bits(*(factor.variable for factor in self.factors))

    def __str__(self) -> str:
        condition = f"u{self.decimation}" if self.condition == "u" else self.condition
        size = [] if abs(self.mantissa) == 1 else [str(abs(self.mantissa))]
        text = "*".join([*size, f"2^{self.exponent}", condition, *map(str, self.factors)])
        return f"-{text}" if self.mantissa < 0 else text


def lost_bits(*variables: str) -> int:
    """Bits that fixed point drops of a product of variables.

    Examples
    --------
    >>> lost_bits("x1", "y1"), lost_bits("t", "y2"), lost_bits("y1")
    (3, 5, 0)
    """
    return max(0, sum(WIDTHS[name] for name in variables) + MANTISSA - ACCUMULATOR)


def equation(terms: tuple[Term, ...]) -> str:
    """Equation as Lava reads it.

    Examples
    --------
    >>> equation(parsed("-2^-4*u0*t*y2+x0*(x2-4)", "dw"))
    '-2^-4*u0*t*y2 + 2^0*x0*(x2-4)'
    """
    return " + ".join(map(str, terms)).replace("+ -", "- ")


def parsed(text: str, where: str) -> tuple[Term, ...]:
    """Terms of an equation.

    Parameters
    ----------
    text : str
        Sum of products, e.g. ``"-2^-4*u0*t*y2 + 2^-3*y0*(x2-4)"``.
    where : str
        Name for errors.

    Raises
    ------
    InvalidValue
        For what Lava refuses (unknown variables, terms without x0, y0 or uk, different k, mantissas
        beyond -8 to 7 and exponents beyond -7 to 8), and for delays, which aren't covered here.
    """
    rest, terms = text.replace(" ", ""), list[Term]()
    while rest:
        match = _TERM.match(rest)
        if match is None or (terms and not match[1]):
            raise InvalidValue(where, SUM, text)
        terms.append(_term(-1 if match[1] == "-" else 1, match[2], where))
        rest = rest[match.end() :]
    if not terms:
        raise InvalidValue(where, SUM, "an empty text")
    require_one_decimation(terms, where)
    return tuple(terms)


def require_one_decimation(terms: list[Term], where: str) -> None:
    """Raise `InvalidValue` for terms with different k of ``uk``."""
    decimations = sorted({term.decimation for term in terms if term.condition == "u"})
    if len(decimations) > 1:
        raise InvalidValue(where, "one k in all terms with uk", ", ".join(f"u{k}" for k in decimations))


def _term(sign: int, text: str, where: str) -> Term:
    mantissa, exponent, conditions, factors = sign, 0, list[str](), list[Factor]()
    for word in text.split("*"):
        if power := re.fullmatch(r"2\^([+-]?\d+)", word):
            exponent += int(power[1])
        elif word.isdecimal():
            mantissa *= int(word)
        elif re.fullmatch(r"x0|y0|u\d", word):
            conditions.append(word)
        else:
            factors.append(_factor(word, where))
    if len(conditions) != 1:
        raise InvalidValue(where, "one of x0, y0 and u0 to u9 in each term", text)
    while abs(mantissa) > 7 and mantissa % 2 == 0 and exponent < EXPONENTS[-1]:
        mantissa, exponent = mantissa // 2, exponent + 1
    if not -8 <= mantissa <= 7:
        raise InvalidValue(where, "a whole number from -8 to 7 times a power of two in each term", text)
    if exponent not in EXPONENTS:
        raise InvalidValue(where, f"exponents from {EXPONENTS[0]} to {EXPONENTS[-1]}", text)
    condition = conditions[0]
    if condition.startswith("u"):
        return Term("u", mantissa, exponent, tuple(factors), int(condition[1:]))
    return Term(condition, mantissa, exponent, tuple(factors))


def _factor(word: str, where: str) -> Factor:
    if not word:
        raise InvalidValue(where, SUM, "an operator or a bracket too many")
    bare = re.fullmatch(r"(sgn)?\((.*)\)", word)
    match = _VARIABLE.fullmatch(bare[2] if bare else word)
    if match is None or (match[2] and not bare):
        expected = f"one of {VARIABLES}, with a constant as (x1-4), or a power of two as 2^-4"
        raise InvalidValue(where, expected, word)
    if match[1] == "d":
        raise InvalidValue(where, f"one of {VARIABLES}; delays aren't covered", word)
    if match[1] not in WIDTHS:
        raise InvalidValue(where, f"one of {VARIABLES}", match[1])
    sign_only = bool(bare and bare[1])
    if sign_only and match[1] not in ("w", "t"):
        raise InvalidValue(where, "sgn of w or t", word)
    return Factor(match[1], int((match[2] or "") + (match[3] or "0")), sign_only)


def nearest_power(value: float) -> int:
    """Exponent of the power of two nearest to a positive number, by their ratio."""
    return math.floor(math.log2(value) + 0.5)

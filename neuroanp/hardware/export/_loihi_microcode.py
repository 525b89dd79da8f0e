"""`Microcode`: equations of one projection on Loihi, what the host sends, and the units of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from neuroanp.substrate.loihi import TRACE_MAX
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True)
class Sent:
    """Third factor that the host or the postsynaptic cell sends.

    Parameters
    ----------
    port : str
        ``"y1"``, ``"y2"`` or ``"y3"``.
    expression : str
        Number in the names of the rule's statements.
    scale : float
        Sent is ``scale * expression``, rounded, of a size of at most 127.
    part : str
        ``"signed"``, or the part of it that is sent: ``"positive"``, ``"negative"`` (with its sign turned).
    when : str
    multiple : int
        Number whose multiples are sent, the one above or below at random, so that the mean is right. A
        product that loses bits is then exact; else it is rounded down, and weights drift down with it.
    """

    port: str
    expression: str
    scale: float
    part: str
    when: str
    multiple: int = 1

    def values(self, numbers: Any, rng: np.random.Generator) -> Array:
        """Whole numbers to send.

        Parameters
        ----------
        numbers : array
            Values of the expression, of any shape.
        rng : Generator
            Draws for the rounding, one a number.
        """
        exact = self.scale * np.asarray(numbers, float)
        if self.part != "signed":
            exact = np.maximum(exact if self.part == "positive" else -exact, 0.0)
        rounded = np.floor(exact / self.multiple + rng.random(exact.shape)).astype(int)
        largest = TRACE_MAX // self.multiple
        return self.multiple * np.clip(rounded, -largest, largest)

    def __str__(self) -> str:
        size = f"{self.scale:.4g} * {self.expression}"
        signs = {"signed": size, "positive": f"max(0, {size})", "negative": f"max(0, -{size})"}
        multiples = f", in multiples of {self.multiple} by random rounding" if self.multiple > 1 else ""
        return f"{signs[self.part]}{multiples}, {self.when}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounded:
    """Number that is a power of two there.

    Parameters
    ----------
    quantity : str
    asked : float
        Number of the rule.
    exponent : int
    """

    quantity: str
    asked: float
    exponent: int

    @property
    def error(self) -> float:
        """Relative error."""
        return float(2.0**self.exponent / self.asked - 1)

    def __str__(self) -> str:
        return f"{self.quantity}: {self.asked:.4g} as 2^{self.exponent}, {100 * self.error:+.1f} %"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Microcode:
    """Learning of one projection in Lava's ``Loihi3FLearningRule``, for its fixed point.

    Parameters
    ----------
    dw, dt, dd : str
        Equations; empty for none. Delays never learn.
    x1_impulse, x1_tau, x2_impulse, x2_tau : float
        Presynaptic traces, time constants in steps.
    t_epoch : int
    sent : tuple of Sent
        Third factors.
    cell : tuple of str
        Statements that the postsynaptic cell, or the host for it, executes before it sends.
    post_spikes : bool
        True where the connection's ``s_in_bap`` has to be connected; else it must not be.
    weight_unit, tag_unit : float
        Weight and eligibility of the rule that 1 there stands for.
    rounded : tuple of Rounded
    notes : tuple of str
        Differences from the rule that only this projection has.
    """

    dw: str = ""
    dt: str = ""
    dd: str = ""
    x1_impulse: float = 0.0
    x1_tau: float = 0.0
    x2_impulse: float = 0.0
    x2_tau: float = 0.0
    t_epoch: int = 1
    sent: tuple[Sent, ...] = ()
    cell: tuple[str, ...] = ()
    post_spikes: bool = False
    weight_unit: float = 1.0
    tag_unit: float = 1.0
    rounded: tuple[Rounded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def learns(self) -> bool:
        """True where weights change."""
        return bool(self.dw)

    def arguments(self) -> dict[str, Any]:
        """Arguments of ``Loihi3FLearningRule``, and of `LoihiLearning`."""
        names = ("dw", "dt", "x1_impulse", "x1_tau", "x2_impulse", "x2_tau", "t_epoch")
        return {name: getattr(self, name) for name in names if getattr(self, name) != ""}

    def lines(self) -> Iterator[str]:
        """Lines of a table."""
        if not self.learns:
            yield _row("fixed", "does not learn")
            return
        yield _row("dw", self.dw)
        yield _row("dt", self.dt)
        for name in ("x1", "x2"):
            impulse, tau = getattr(self, f"{name}_impulse"), getattr(self, f"{name}_tau")
            if impulse:
                yield _row(name, f"impulse {impulse:g}, tau {tau:.4g} steps")
        for place, statement in enumerate(self.cell):
            yield _row("" if place else "cell", statement)
        for sent in self.sent:
            yield _row(sent.port, str(sent))
        yield _row("s_in_bap", "spikes of the postsynaptic cells" if self.post_spikes else "not connected")
        yield _row("units", f"weight {self.weight_unit:.4g}, tag {self.tag_unit:.4g}")
        for place, text in enumerate((*map(str, self.rounded), *self.notes)):
            yield _row("" if place else "differs", text)


def _row(title: str, text: str) -> str:
    return f"  {title:<10}{text}"

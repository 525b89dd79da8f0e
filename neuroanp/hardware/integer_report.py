"""`IntegerReport`: bits, saturation and bias of rounding of a network in fixed point."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from neuroanp.rendering.statements import AGE

if TYPE_CHECKING:
    from neuroanp.substrate.integer_machine import IntegerMachine


@dataclasses.dataclass(frozen=True)
class VariableReport:
    """One variable: its format, and statistics of all values that it was assigned.

    Attributes
    ----------
    bits, fraction : int
        Width, and bits behind the point.
    used : int
        Bits of the largest value.
    saturated : int
        Values that didn't fit, of `values`.
    bias : float
        Mean error of an assignment by rounding, in last bits.
    """

    bits: int
    fraction: int
    used: int
    saturated: int
    values: int
    bias: float

    @property
    def cut(self) -> str:
        """Values that didn't fit, of all, in words."""
        return f"{self.saturated} of {self.values}"


@dataclasses.dataclass(frozen=True)
class IntegerReport:
    """Statistics of all variables that are assigned; printed, a table.

    Attributes
    ----------
    variables : dict of VariableReport
        By place and name, ``"W_rec.eligibility"`` or ``"hidden.v"``.
    """

    variables: dict[str, VariableReport]

    @classmethod
    def of(cls, machine: IntegerMachine) -> IntegerReport:
        """Report of a machine since its start."""
        variables = {}
        for name, (values, saturated, error, largest) in machine.counts.items():
            place, _, variable = name.partition(".")
            if variable not in machine.blocks.formats[place] or variable == AGE:
                continue  # a count of steps stops at its greatest value
            format_ = machine.blocks.formats[place][variable]
            bias = error / values if values else 0.0
            used = min(format_.bits, int(largest).bit_length() + 1)
            variables[name] = VariableReport(
                format_.bits, format_.fraction, used, int(saturated), int(values), bias
            )
        return cls(variables)

    @property
    def saturated(self) -> int:
        """Values that didn't fit, of all variables."""
        return sum(variable.saturated for variable in self.variables.values())

    def __str__(self) -> str:
        head = f"{'variable':<22}{'bits':>5}{'used':>5}{'fraction':>9}{'saturated':>20}{'bias':>10}"
        rows = [
            f"{name:<22}{v.bits:>5}{v.used:>5}{v.fraction:>9}{v.cut:>20}{v.bias:>10.4f}"
            for name, v in self.variables.items()
        ]
        return "\n".join([head, *rows, "bias: mean error of an assignment by rounding, in last bits"])

"""Variables of one group as the columns of another group's variable, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class Interleave(Operation):
    """Copy between variables of a group of R cells and one variable of a group of (R, width) cells.

    Cell r's k-th variable of `many` and cell ``r * width + k`` of `one` hold the same; cells of `one` beyond
    the last variable are left alone.

    Parameters
    ----------
    many : NeuronGroup
    names : tuple of str
        Variables of `many`, at most ``len(one) / len(many)``.
    one : NeuronGroup
    variable : str
        Variable of `one`.
    outward : bool
        From `many` to `one`; else from `one` to `many`.
    gate : str, optional
        Variable of `many`: where it is 0, zeros are copied.
    when, order : str, int
        Slot of the step and place in the slot.
    name : str
    """

    native = """
    for (const auto& rows : neuroanp::stretches(@@rows))
        for (int64_t row = rows.first; row < rows.end; row++) {
            const bool open = @@open;
            @@copies
        }
    """
    by_rows = True

    def __init__(
        self,
        many: Any,
        names: tuple[str, ...],
        one: Any,
        variable: str,
        *,
        outward: bool,
        gate: str | None = None,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(many, when, order, name)
        self.columns = [f"column{index}" for index in range(len(names))]
        for column, read in zip(self.columns, names, strict=True):
            self._refer(column, many, read)
        self._refer("one", one, variable)
        if gate is not None:
            self._refer("gate", many, gate)
        self.outward, self.gated = outward, gate is not None
        self.rows, self.width = len(many), len(one) // len(many)
        copies = []
        for index, column in enumerate(self.columns):
            ends = f"@{column}[row]", f"@one[row * {self.width} + {index}]"
            source, target = ends if outward else ends[::-1]
            copies.append(f"{target} = open ? {source} : 0;")
        condition = "@gate[row] != 0" if self.gated else "true"
        self.native = self.native.replace("@@copies", " ".join(copies)).replace("@@open", condition)
        self._ready(rows=self.rows)

    def step(self) -> None:
        """The copy in NumPy."""
        one = self.array("one").reshape(self.rows, self.width)
        is_open = self.array("gate") != 0 if self.gated else np.ones(self.rows, bool)
        for index, column in enumerate(self.columns):
            ends = self.array(column), one[:, index]
            source, target = ends if self.outward else ends[::-1]
            target[:] = np.where(is_open, source, 0)

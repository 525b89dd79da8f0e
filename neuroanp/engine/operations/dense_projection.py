"""Dense projection: one matrix product a step over all passes and lanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation

WIDEST = 16
"""Numbers of the widest vector that weights are packed in."""


class DenseProjection(Operation):
    """``target = source @ W.T`` for every pass and lane, or ``target +=`` the same.

    Parameters
    ----------
    source, target : NeuronGroup
        Groups of (passes, lanes, n) cells.
    read, write : str
        Variable read from `source` and written in `target`.
    rows : int
        Passes x lanes.
    add : bool
        Add to what is in the target variable instead of replacing it.
    alike : int
        Passes whose rows of the source are the same: their product is formed once, and replaces the target.
    blocks : int
        1 when all rows share one weight matrix; else the number of passes, or of passes x lanes, each with
        a matrix of its own (weight perturbation).
    """

    # `packed` is the address of the panels with the weights in force, 0 while there are none
    native_before = """
    auto* const panels = neuroanp::aligned(@panels);
    if (@packed[0] != (int64_t)panels)
        for (int block = 0; block < @@blocks; block++)
            neuroanp::pack(@weights + block * @@n_out * @@n_in, panels + block * @@panel, @@n_in, @@n_out);
    @packed[0] = (int64_t)panels;
    """
    native = f"""{native_before}
    const auto rows = neuroanp::stretches(@@blocks * @@rows);
    for (int block = 0; block < @@blocks; block++)
        neuroanp::project_shared(panels + block * @@panel, @source, @target,
                                 neuroanp::among(rows, block * @@rows, @@rows), @@n_in, @@n_out, @@add);
    """
    native_alike = f"""{native_before}
    for (const auto& lanes : neuroanp::stretches(@@rows / @@alike)) {{
        neuroanp::project_shared(panels, @source, @target, {{{{lanes}}, 1}}, @@n_in, @@n_out, false);
        for (int pass = 1; pass < @@alike; pass++)
            std::memcpy(@target + (pass * (@@rows / @@alike) + lanes.first) * @@n_out,
                        @target + lanes.first * @@n_out,
                        (lanes.end - lanes.first) * @@n_out * sizeof(@target[0]));
    }}
    """
    by_rows = True

    def __init__(
        self,
        source: Any,
        read: str,
        target: Any,
        write: str,
        *,
        rows: int,
        add: bool,
        when: str,
        order: int,
        name: str,
        blocks: int = 1,
        alike: int = 1,
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("source", source, read)
        self._refer("target", target, write)
        self.rows, self.n_in, self.n_out = rows, len(source) // rows, len(target) // rows
        self.add, self.blocks = add, blocks
        dtype = target.variables[write].dtype
        self._buffer("weights", dtype, blocks * self.n_out * self.n_in)
        self.variables.add_array("packed", size=1, dtype=np.int64)
        panel = -(-self.n_out // WIDEST) * WIDEST * self.n_in
        self._buffer("panels", dtype, blocks * panel + WIDEST)
        if alike > 1:
            self.native = self.native_alike
        sizes = {
            "rows": rows // blocks, "n_in": self.n_in, "n_out": self.n_out, "panel": panel, "alike": alike,
        }  # fmt: skip
        self._ready(add=str(add).lower(), blocks=blocks, **sizes)

    @property
    def weights(self) -> Any:
        """(n_out, n_in) view of the weights; with blocks (blocks, n_out, n_in)."""
        shape = (self.n_out, self.n_in)
        return self.array("weights").reshape(shape if self.blocks == 1 else (self.blocks, *shape))

    def prepare(self) -> None:
        """Make ready for a trial: the weights may have changed."""
        self.array("packed")[0] = 0

    def step(self) -> None:
        """The product in NumPy."""
        rows = self.rows // self.blocks
        source = self.array("source").reshape(self.blocks, rows, self.n_in)
        target = self.array("target").reshape(self.blocks, rows, self.n_out)
        weights = self.array("weights").reshape(self.blocks, self.n_out, self.n_in)
        for x, y, w in zip(source, target, weights, strict=True):
            if self.add:
                y += x @ w.T
            else:
                y[:] = x @ w.T

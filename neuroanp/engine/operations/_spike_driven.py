"""`SpikeDriven`: a projection whose cost follows the spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine.operations._base import Operation


class SpikeDriven(Operation):
    """Base of projections that add weights to a variable for each spike of their source.

    With `inhibit`, only positive weights are added; the size of negative ones goes to that variable.

    Parameters
    ----------
    source, target : NeuronGroup
        Groups of (passes, lanes, n) cells; the source has a threshold.
    write : str
        Variable of `target` that the weights are added to.
    rows : int
        Passes x lanes.
    inhibit : str, optional
        Variable of `target` that negative weights are added to.
    when, order, name
        As in `Operation`.
    """

    def __init__(
        self,
        source: Any,
        target: Any,
        write: str,
        *,
        rows: int,
        inhibit: str | None = None,
        when: str,
        order: int,
        name: str,
    ) -> None:
        super().__init__(target, when, order, name)
        self._refer("spikes", source, "_spikespace")
        self._refer("target", target, write)
        if inhibit is not None:
            self._refer("inhibited", target, inhibit)
        self.signed = inhibit is not None
        self.rows, self.n_in, self.n_out = rows, len(source) // rows, len(target) // rows

    def _spikes(self) -> np.ndarray:
        """Indices of the source's cells that fire in this step."""
        space = self.array("spikes")
        return space[: space[-1]]

    def _add(self, where: Any, weights: np.ndarray) -> None:
        """Add weights in NumPy, at an index of the target as (rows, n_out)."""
        if self.signed:
            np.add.at(self.array("inhibited").reshape(-1, self.n_out), where, np.maximum(-weights, 0))
            weights = np.maximum(weights, 0)
        np.add.at(self.array("target").reshape(-1, self.n_out), where, weights)

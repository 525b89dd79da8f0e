"""Clipping by the norm of the whole update."""

from __future__ import annotations

import math
from typing import Any

from neuroanp.arrays import chosen, namespace, number, sqrt
from neuroanp.config.option import option
from neuroanp.optim._base import Stage
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.types import Arrays


class Clip(Stage):
    r"""Longest update: longer ones are shortened, in the same direction.

    .. math:: g \leftarrow g \, \min(1, c / \lVert g \rVert)

    with the norm over all weight matrices together.

    Parameters
    ----------
    norm : float
        Longest norm c, above 0; infinite for any length.
    """

    norm: float = option(
        1.0, "longest norm of the gradient estimate, over all weights", above=0, finite=False
    )

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        if self.norm == math.inf:
            return update
        length = sqrt(sum(number(namespace(g).vdot(g, g)) for g in update.values()))
        return chosen(length > self.norm, lambda: _scaled(update, self.norm / length), update)

    def synapse(self) -> Synapse | NotLocal:
        if self.norm == math.inf:
            return Synapse()
        return NotLocal(
            quantity="the norm of the update over all weights of the network",
            variant="WeightBounds, or Clip(norm=inf), which is none",
        )


def _scaled(update: Arrays, factor: Any) -> Arrays:
    return {name: g * factor for name, g in update.items()}

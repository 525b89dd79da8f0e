"""`Wiring`: the recurrent synapses that exist, and the delays of spikes on their way to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Wiring:
    """N cells with K outgoing synapses each; ``W_rec`` is a vector of N K weights.

    Weight ``j * K + k`` is that of the synapse from cell j to cell ``targets[j, k]``.

    Parameters
    ----------
    targets : (N, K) array of int32
        Postsynaptic cells of each cell, none twice in a row.
    delays : (N,) array of int32
        Axonal delay of each cell in steps, 0 or more. A spike without delay reaches the cells of the next
        step.
    """

    targets: Array
    delays: Array

    @classmethod
    def draw(
        cls, rng: np.random.Generator, cells: int, outgoing: int, shortest: int = 0, longest: int = 0
    ) -> Wiring:
        """Random targets, the cell itself among the candidates, and delays spread evenly.

        Parameters
        ----------
        rng : Generator
        cells, outgoing : int
            N and K.
        shortest, longest : int
            Range of the delays in steps, both ends included.
        """
        targets = np.empty((cells, outgoing), np.int32)
        for row in targets:
            row[:] = np.sort(rng.choice(cells, outgoing, replace=False, shuffle=False))
        return cls(targets=targets, delays=rng.integers(shortest, longest + 1, cells, dtype=np.int32))

    @classmethod
    def stored(cls, arrays: Mapping[str, Array]) -> Wiring | None:
        """Wiring among the weights of a run, see `arrays`; None without one."""
        if not {"rec_targets", "rec_delays"} <= set(arrays):
            return None
        return cls(targets=arrays["rec_targets"], delays=arrays["rec_delays"])

    def arrays(self) -> dict[str, Array]:
        """``rec_targets`` and ``rec_delays``, to be kept with the weights of a run."""
        return {"rec_targets": self.targets, "rec_delays": self.delays}

    def fired(self, arriving: Array) -> Array:
        """Trace (D + 1, L, N) in the steps before a trial, the last one last; D is the longest delay.

        Parameters
        ----------
        arriving : (D + 1, L, N) array
            Spikes from before the trial, at the first steps of it in which they arrive.
        """
        past = np.zeros_like(arriving)
        step, lane, cell = np.nonzero(arriving)
        past[len(past) - 1 + step - self.delays[cell], lane, cell] = arriving[step, lane, cell]
        return past

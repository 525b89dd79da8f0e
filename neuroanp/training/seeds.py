"""Seeds of a run: one number, spawned per purpose."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Random streams of a run, each a function of the run's seed alone.

    Parameters
    ----------
    seed : int
        0 or more.

    Examples
    --------
    >>> Seeds(1).trial(7).random() == Seeds(1).trial(7).random()
    True
    """

    seed: int

    @property
    def weights(self) -> np.random.Generator:
        """Stream of the initial weights."""
        return np.random.default_rng(self._spawned(0))

    @property
    def noise(self) -> int:
        """Seed of the perturbation and of the wiring."""
        return int(self._spawned(1).generate_state(1, np.uint64)[0] >> 1)

    def trial(self, index: int) -> np.random.Generator:
        """Stream of one training trial."""
        return np.random.default_rng(self._spawned(2, index))

    @property
    def evaluation(self) -> np.random.Generator:
        """Stream of the unseen trials."""
        return np.random.default_rng(self._spawned(3))

    def _spawned(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=key)


CHOSEN_ON = tuple(range(5))
"""Seeds of runs that our settings are chosen on."""

REPORTED_FROM = 100
"""First seed of runs that are reported: no setting was chosen on it or on one after it."""


def fresh(count: int) -> tuple[int, ...]:
    """Seeds of so many runs to report."""
    return tuple(range(REPORTED_FROM, REPORTED_FROM + count))

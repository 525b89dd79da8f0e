"""Rates that fall to zero over a run."""

from __future__ import annotations

import math

from neuroanp.arrays import cos


def annealed(rate: float, anneal: str, progress: float) -> float:
    """Rate in force at a point of the run.

    Parameters
    ----------
    rate : float
        Rate at the start.
    anneal : str
        ``"none"`` keeps it, ``"linear"`` gives ``rate * (1 - progress)``, ``"cosine"`` gives
        ``rate * (1 + cos(pi * progress)) / 2``.
    progress : float
        Part of the run that is over, from 0 to 1.
    """
    if anneal == "linear":
        return rate * (1.0 - progress)
    if anneal == "cosine":
        return rate * 0.5 * (1.0 + cos(math.pi * progress))
    return rate

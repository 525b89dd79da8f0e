"""`Stage` and `Chain`: small steps from the gradient estimate to the change of the weights."""

from __future__ import annotations

import functools
from typing import Any

from neuroanp.config import checks
from neuroanp.optim.schedule import annealed
from neuroanp.synapse import UNDECLARED, NotLocal, Synapse
from neuroanp.types import Arrays


class Stage:
    """One step of the way from a gradient estimate to what is added to the weights.

    Stages before the optimizer see the gradient estimate, those after it the change to be added. A stage is
    stateless; what it remembers is in a dict of arrays that it changes in place, so that a run can be stored
    and resumed.
    """

    def start(self, weights: Arrays) -> Arrays:
        """State before the first update; empty for a stage that remembers nothing."""
        return {}

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        """The update after this stage.

        Parameters
        ----------
        update : dict of arrays
            By weight name; weights that don't learn are not in it. Its arrays are worked on in place.
        weights : dict of arrays
            Weights before the update.
        state : dict of arrays
            What `start` gave; changed in place.
        progress : float
            Part of the run that is over, from 0 to 1.
        """
        raise TypeError(f"{type(self).__name__} does not define __call__")

    def synapse(self) -> Synapse | NotLocal:
        """What one synapse does with its estimate ``gradient`` at the end of a trial (on-chip mode)."""
        return UNDECLARED

    def told(self, name: str, progress: float) -> dict[str, float]:
        """What the synapses of one projection are told at the end of a trial, by name."""
        return {}


class Chain(Stage):
    """Stages one after the other, as one stage.

    Parameters
    ----------
    *stages : Stage
        In the order ``Clip``, optimizer, ``WeightBounds``.

    Examples
    --------
    >>> import numpy as np
    >>> from neuroanp.optim import SGD, Clip, WeightBounds
    >>> chain = Chain(Clip(norm=1.0), SGD(lr=0.1), WeightBounds(low=-1.0, high=1.0))
    >>> weights = {"W_out": np.array([[0.95, 0.0]])}
    >>> state = chain.start(weights)
    >>> chain({"W_out": np.array([[-8.0, 6.0]])}, weights, state, progress=0.0)["W_out"].round(3)
    array([[ 0.05, -0.06]])
    """

    def __init__(self, *stages: Stage) -> None:
        self.stages = stages

    def start(self, weights: Arrays) -> Arrays:
        return {
            f"{place}.{key}": value
            for place, stage in enumerate(self.stages)
            for key, value in stage.start(weights).items()
        }

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for stage, keys in zip(self.stages, _owned(tuple(state), len(self.stages)), strict=True):
            own = {key: state[whole] for whole, key in keys}
            update = stage(update, weights, own, progress)
        return update

    def synapse(self) -> Synapse | NotLocal:
        whole = Synapse()
        for stage in self.stages:
            part = stage.synapse()
            if isinstance(part, NotLocal):
                return part
            whole = whole.then(part)
        return whole

    def told(self, name: str, progress: float) -> dict[str, float]:
        return {key: value for stage in self.stages for key, value in stage.told(name, progress).items()}


@functools.lru_cache
def _owned(keys: tuple[str, ...], stages: int) -> list[list[tuple[str, str]]]:
    """For each stage of a chain the keys of its state, in the chain's state and in its own."""
    prefixes = [f"{place}." for place in range(stages)]
    return [[(key, key.removeprefix(start)) for key in keys if key.startswith(start)] for start in prefixes]


OWN_RATES = {"W_in": "input_lr", "W_out": "readout_lr"}
"""Which option of an optimizer is the learning rate of which weights, where it is given."""


def check_rates(optimizer: Any) -> None:
    """Learning rates are numbers of 0 or more."""
    given = [name for name in OWN_RATES.values() if getattr(optimizer, name) is not None]
    checks.not_negative(optimizer, "lr", *given)


def rate(optimizer: Any, name: str, progress: float) -> float:
    """Learning rate of one weight matrix at this point of the run."""
    own = getattr(optimizer, OWN_RATES[name]) if name in OWN_RATES else None
    return annealed(optimizer.lr if own is None else own, optimizer.anneal, progress)

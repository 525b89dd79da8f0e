"""`RewardMonitor`: the Brian2 object that records the loss of every step, pass and lane."""

from __future__ import annotations

from typing import Any

from neuroanp.engine.operations import BlockMean


class RewardMonitor(BlockMean):
    """Loss of each step: the mean over a readout's outputs of an expression of its variables.

    Reward is minus loss. `start` returns the (T, P, L) array that the run fills. On a plant, a group of
    (passes, lanes) cells, it reads the plant's variables, with `n_out` 1.

    Parameters
    ----------
    readout : NeuronGroup
        Group of (passes, lanes, n_out) outputs.
    n_out : int
    loss : str
        Dimensionless Brian2 expression for one output, e.g. ``"(y - target)**2"``.
    name : str

    Examples
    --------
    >>> RewardMonitor(readout, n_out=10, loss="(y - target)**2")     # doctest: +SKIP
    """

    def __init__(self, readout: Any, *, n_out: int, loss: str, name: str = "reward") -> None:
        super().__init__(readout, loss, block=n_out, when="end", order=3, name=name)

"""`Stage` and `Chain`: small steps from the gradient estimate to the change of the weights."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal

from neuroanp.config.naming import ClassName
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.optim.schedule import annealed
from neuroanp.synapse import UNDECLARED, NotLocal, Synapse
from neuroanp.types import Arrays


class Stage(Part):
    """One step of the way from a gradient estimate to the change of the weights.

    Stages before the optimizer see the gradient estimate, those after it the change. The state is a dict of
    arrays beside the stage, changed in place, so that a run can be stored and resumed.
    """

    registered_as: ClassVar[str] = "optimizer"

    def start(self, weights: Arrays) -> Any:
        """State before the first update: a dict of arrays, empty for a stage without state."""
        return {}

    @abc.abstractmethod
    def __call__(self, update: Arrays, weights: Arrays, state: Any, progress: float) -> Arrays:
        """Update after this stage.

        Parameters
        ----------
        update : dict of arrays
            By weight name; weights that don't learn are not in it. It and its arrays may be changed.
        weights : dict of arrays
            Weights before the update.
        state : dict of arrays
            From `start`; brought up to date here.
        progress : float
            Part of the run that is over, from 0 to 1.
        """

    def synapse(self) -> Synapse | NotLocal:
        """Work of one synapse on its estimate ``gradient`` at the end of a trial (on-chip mode)."""
        return UNDECLARED

    def broadcast(self, name: str, progress: float) -> dict[str, float]:
        """Numbers for the synapses of one projection at the end of a trial, by name."""
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

    stages: ClassVar[tuple[Stage, ...]]

    def __init__(self, *stages: Stage) -> None:
        object.__setattr__(self, "stages", stages)

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.stages))})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.stages == other.stages

    def start(self, weights: Arrays) -> list[Any]:
        """States of the stages."""
        return [stage.start(weights) for stage in self.stages]

    def __call__(self, update: Arrays, weights: Arrays, state: list[Any], progress: float) -> Arrays:
        for stage, memory in zip(self.stages, state, strict=True):
            update = stage(update, weights, memory, progress)
        return update

    def synapse(self) -> Synapse | NotLocal:
        whole = Synapse()
        for stage in self.stages:
            part = stage.synapse()
            if isinstance(part, NotLocal):
                return part
            whole = whole.then(part)
        return whole

    def broadcast(self, name: str, progress: float) -> dict[str, float]:
        return {key: value for stage in self.stages for key, value in stage.broadcast(name, progress).items()}


class Optimizer(Stage):
    """Base of the stages that have learning rates.

    Parameters
    ----------
    lr : float
        Learning rate at the start of the run, 0 or more.
    readout_lr : float, optional
        The same for ``W_out``; `lr` when left out.
    skip_lr : float, optional
        The same for ``W_skip``, from the inputs to the readout; `readout_lr` when left out.
    input_lr : float, optional
        The same for ``W_in``, whose currents reach a cell of a spiking network as a part dt / tau only.
    anneal : {"none", "linear", "cosine"}
        Fall of the learning rate over the run.

    Attributes
    ----------
    name : str
        Name in the shell.
    """

    name: ClassVar[str] = ClassName()  # type: ignore[assignment]

    lr: float = option(0.001, "learning rate", least=0)
    readout_lr: float | None = option(None, "learning rate of the readout, where another than lr", least=0)
    input_lr: float | None = option(
        None, "learning rate of the input weights, where another than lr", least=0
    )
    skip_lr: float | None = option(
        None, "learning rate of the direct connection, where another than the readout's", least=0
    )
    anneal: Literal["none", "linear", "cosine"] = option("none", "fall of the learning rate over the run")

    def rate(self, name: str, progress: float) -> float:
        """Learning rate of one weight matrix at a point of the run."""
        skip_lr = self.readout_lr if self.skip_lr is None else self.skip_lr
        rate = {"W_in": self.input_lr, "W_out": self.readout_lr, "W_skip": skip_lr}.get(name)
        return annealed(self.lr if rate is None else rate, self.anneal, progress)

    def broadcast(self, name: str, progress: float) -> dict[str, float]:
        return {"learning_rate": self.rate(name, progress)}

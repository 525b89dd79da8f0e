"""`Machine`: the order of a trial, whatever the numbers are."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from neuroanp.substrate.network import GRADIENT, HIDDEN, READOUT, SynapticNetwork
from neuroanp.types import Array, Arrays

Judge = Callable[[int, Array], Mapping[str, Any]]
"""Broadcast numbers of a step, a number or (L,) each, from its outputs (L, n_out)."""


class Pass(NamedTuple):
    """Pass of a trial.

    Parameters
    ----------
    inputs : (T, L, n_in) array
        The bias among them.
    targets : (T, L, n_out) array
    trial : int
        Number of the trial.
    name : str
        ``"plus"``, ``"minus"`` or ``"clean"``.
    before : mapping
        Broadcast numbers that are known before the step's loss.
    """

    inputs: Array
    targets: Array
    trial: int
    name: str
    before: Mapping[str, Any]

    def numbers(self, step: int) -> dict[str, Any]:
        """Broadcast numbers at the beginning of a step."""
        return dict(self.before) | {"going": int(step > 0), "resting": int(step == 0)}


class Machine(abc.ABC):
    """Network whose cells and synapses run their statements, in numbers that a subclass chooses.

    Parameters
    ----------
    network : SynapticNetwork

    Attributes
    ----------
    synapses : dict of dict
        Variables by projection and name: (1, post, pre) where lanes share them, else (L, post, pre).
    """

    def __init__(self, network: SynapticNetwork) -> None:
        self.network = network
        self.synapses: dict[str, Arrays] = {}
        for name in network.synapses:
            each = network.each_lane(name)
            self.synapses[name] = {
                variable: np.zeros(
                    (network.lanes if variable in each else 1, *network.sizes(name)), self.kept_dtype
                )
                for variable in network.kept(name)
            }

    kept_dtype: Any

    @abc.abstractmethod
    def perturb_weights(self, index: int) -> None:
        """Draw the noise of a trial on weights."""

    @abc.abstractmethod
    def rest(self, shown: Pass) -> None:
        """Begin a pass of a trial with all cells at rest."""

    @abc.abstractmethod
    def hear(self, name: str, step: int) -> None:
        """Sum of a projection's signals for each postsynaptic cell."""

    @abc.abstractmethod
    def move(self, group: str, step: int) -> None:
        """Cells of a group, one step."""

    @abc.abstractmethod
    def outputs(self) -> Array:
        """Outputs (L, n_out) in the task's units."""

    @abc.abstractmethod
    def run(self, name: str, block: str, step: int, numbers: Mapping[str, Any]) -> None:
        """Block of statements of all synapses of a projection."""

    @abc.abstractmethod
    def mean(self, values: Array) -> Array:
        """Mean of (L, post, pre) over lanes, (1, post, pre)."""

    def play(self, shown: Pass, judge: Judge | None) -> Array:
        """Pass of a trial; returns outputs (T, L, n_out).

        Parameters
        ----------
        shown : Pass
        judge : callable, optional
            See `Judge`; without it there is no noise, and nothing learns.
        """
        self.before, self.quiet = shown.before, judge is None
        self.rest(shown)
        outputs = np.empty((len(shown.inputs), self.network.lanes, self.network.n_out))
        for step in range(len(shown.inputs)):
            numbers = shown.numbers(step)
            for name in HIDDEN:
                self.hear(name, step)
            if judge is not None:
                for name in HIDDEN:
                    self.run(name, "eligibility", step, numbers)
            self.move("hidden", step)
            self.hear(READOUT, step)
            self.move("readout", step)
            outputs[step] = self.outputs()
            if judge is not None:
                numbers |= judge(step, outputs[step])
                for name in (*HIDDEN, READOUT):
                    self.run(name, "credit", step, numbers)
        return outputs

    def learn(self, numbers: Mapping[str, Mapping[str, Any]]) -> None:
        """End of a trial: the lanes' estimates become their mean, and every synapse changes.

        Parameters
        ----------
        numbers : mapping
            Broadcast numbers by projection.
        """
        for name, variables in self.synapses.items():
            own = variables.get(GRADIENT)
            if own is not None and len(own) > 1:
                own[:] = self.mean(own)
            self.run(name, "trial", 0, numbers[name])

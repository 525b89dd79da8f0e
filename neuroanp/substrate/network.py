"""Network of cells and plastic synapses as statements, for machines that run them one trial at a time.

========== ==================================================================================
order      what a step does
========== ==================================================================================
1          noise of hidden cells is drawn
2          each hidden cell hears its synapses: inputs of this step, spikes of the step before
3          eligibility of these synapses
4          hidden cells move, and spike
5          noise of outputs is drawn; each output hears the spikes of this step, and moves
6          the reward unit judges, and broadcasts
7          credit of hidden synapses; eligibility and credit of the readout's
========== ==================================================================================

Order 7 after the last step of a trial is followed by ``learn`` and ``forget`` of all synapses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.layout import PROJECTIONS
from neuroanp.network.model import Model
from neuroanp.network.perturbation import Perturbation
from neuroanp.substrate.cells import Cells, cells
from neuroanp.synapse import BROADCAST, Synapse, joined, names
from neuroanp.types import Arrays

HIDDEN, READOUT = ("W_in", "W_rec"), "W_out"
STEP = {"W_in": ("eligibility", "credit"), "W_rec": ("eligibility", "credit"), "W_out": ("credit",)}
"""Blocks of a projection that run in each step."""

GRADIENT = "gradient"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SynapticNetwork:
    """Cells, readout and the declared synapse of each projection.

    Parameters
    ----------
    model : Model
        With cells that spike.
    n_in, n_out : int
        Inputs, the bias among them, and outputs.
    dt : Quantity
    lanes : int
        Chips side by side, which share their weights.
    perturbation : Perturbation
    synapses : mapping
        By ``"W_in"``, ``"W_rec"`` and ``"W_out"``.
    weights : mapping
        Weights at the start.
    discount : float
        Of the modulator.
    constants : mapping
        Broadcast numbers that never change, by projection.
    """

    model: Model
    n_in: int
    n_out: int
    dt: Any
    lanes: int
    perturbation: Perturbation
    synapses: Mapping[str, Synapse]
    weights: Arrays
    discount: float
    constants: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        hidden, readout = cells(self.model, self.dt)
        object.__setattr__(self, "cells", {"hidden": hidden, "readout": readout})
        for name, synapse in self.synapses.items():
            self._check_shared(name, synapse)

    cells: Mapping[str, Cells] = dataclasses.field(init=False)
    """``"hidden"`` and ``"readout"``."""

    def _check_shared(self, name: str, synapse: Synapse) -> None:
        if self.lanes == 1:
            return
        read = {n for n in names(synapse.each_trial) if synapse.kind(n) == "synapse"}
        alone = read & set(self.each_lane(name)) - {GRADIENT} - set(_written_first(synapse.each_trial))
        if alone or "weight" in self.each_lane(name):
            expected = "1 for a rule whose synapses learn from more than a gradient and the broadcast"
            raise InvalidValue("IntegerChip.lanes", expected, self.lanes)

    def each_lane(self, name: str) -> list[str]:
        """Variables of the synapses of a projection that each lane has for itself."""
        synapse = self.synapses[name]
        return [n for n in dict.fromkeys(names(synapse.each_step)) if synapse.kind(n) == "synapse"]

    def kept(self, name: str) -> list[str]:
        """Variables of a synapse of a projection."""
        return list(dict.fromkeys(("weight", *self.synapses[name].state)))

    def code(self, name: str, block: str) -> str:
        """Statements of a projection's block: ``"eligibility"``, ``"credit"`` or ``"trial"``."""
        synapse = self.synapses[name]
        if block == "trial":
            return synapse.each_trial
        if name == READOUT:
            return joined(synapse.eligibility, synapse.credit) if block == "credit" else ""
        return synapse.eligibility if block == "eligibility" else synapse.credit

    def sizes(self, name: str) -> tuple[int, int]:
        """Numbers of postsynaptic and presynaptic units of a projection."""
        counts = {"inputs": self.n_in, "hidden": self.model.hidden, "readout": self.n_out}
        projection = PROJECTIONS[name]
        return counts[projection.target], counts[projection.source]

    def sigma(self, source: str) -> float:
        """Standard deviation of the noise of a layer or projection; 0 where there is none."""
        noise = self.perturbation
        on_weights = source in PROJECTIONS
        if noise.target != ("weights" if on_weights else "nodes"):
            return 0.0
        if source in ("output", READOUT) and not noise.readout:
            return 0.0
        return noise.deviation(source)

    def numbers(self, name: str) -> dict[str, float]:
        """Constants that the statements of a projection name."""
        posts, pres = self.sizes(name)
        known = {
            "N_pre": float(pres), "N_post": float(posts), "dt": float(self.dt),
            "readout_memory": self.model.readout_memory(self.dt),
        }  # fmt: skip
        own = {n: float(np.asarray(v)) for n, v in self.synapses[name].constants.items()}
        return known | own | dict(self.constants[name])

    def broadcasts(self, name: str) -> list[str]:
        """Broadcast numbers that change and that the statements of a projection name."""
        fixed = self.constants[name]
        return [n for n in self.synapses[name].reads("broadcast") if n not in fixed and n in BROADCAST]


def _written_first(code: str) -> list[str]:
    """Variables that statements write before they read them."""
    written: list[str] = []
    read: set[str] = set()
    for line in code.splitlines():
        target, _, value = line.partition("=")
        read |= set(names(value if target.strip().isidentifier() else line))
        if target.strip().isidentifier() and target.strip() not in read:
            written.append(target.strip())
    return written

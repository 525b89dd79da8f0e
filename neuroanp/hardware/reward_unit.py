"""`RewardUnit`: the host's part of a chip, from outputs to what is broadcast in each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Passes
from neuroanp.network.model import Model
from neuroanp.network.trial import Trial
from neuroanp.reward import Modulator, OtherLanes, OtherPass, RunningMean
from neuroanp.substrate.sums import scalar
from neuroanp.training.task import Task
from neuroanp.types import Array


class RewardUnit:
    r"""Surprise of each step, as the steps come: :math:`m_s = c \, (\mathrm{mask}_s \ell_s - b_s)`.

    Its eligibility sums make it the modulator of `neuroanp.train` (see `Synapse`): :math:`b_s` is the running
    mean of the step over the trials before, or the mean of the other lanes with the same input; c is the
    part of the pass in the comparison, 1 for a single one.

    Parameters
    ----------
    task : Task
    model : Model
    modulator : Modulator
        With baseline `RunningMean`, `OtherLanes` or `OtherPass`.
    passes : Passes

    Attributes
    ----------
    outcome : float
        Mean over lanes of the discounted sum of the surprise, over the passes of the trial so far.
    course : int
        1 in the pass that stands for the course without noise.
    """

    def __init__(self, task: Task, model: Model, modulator: Modulator, passes: Passes) -> None:
        kinds = (RunningMean, OtherLanes, OtherPass)
        if not isinstance(modulator.baseline, kinds) or modulator.scope != "lane":
            expected = "scope lane and baseline running-mean, other-lanes or other-pass"
            raise InvalidValue("IntegerChip.modulator", expected, repr(modulator))
        self._loss = task.loss or model.loss
        self.modulator, self.passes = modulator, passes
        self.expected: Array | None = None

    def begin(self, trial: Trial) -> None:
        """Begin a trial."""
        self.trial, self.outcome = trial, 0.0
        self.charges = np.zeros((len(self.passes), trial.steps, trial.lanes))

    def begin_pass(self, name: str) -> None:
        """Begin a pass of the trial."""
        self.place = self.passes.index(name)
        self.share = self.passes.contrast[self.place]
        self.course = int(name == "clean" or self.passes == ("plus",))

    def __call__(self, step: int, outputs: Array) -> dict[str, Any]:
        """Broadcast numbers of a step, (L,), from its outputs (L, n_out)."""
        mask = np.asarray(self.trial.mask)[step]
        loss = scalar(self._loss, {"y": outputs, "target": self.trial.targets[step]})
        charge = mask * np.asarray(loss).mean(axis=1)
        self.charges[self.place, step] = charge
        surprise = self.share * (charge - self._expectation(step, charge))
        self.outcome += float(self.modulator.discount**step * surprise.mean())
        return {"modulator": surprise, "mask": mask}

    def _expectation(self, step: int, charge: Array) -> Any:
        baseline = self.modulator.baseline
        if isinstance(baseline, RunningMean):
            if self.expected is None:
                return charge.mean()
            if len(self.expected) != self.trial.steps:
                expected = f"{len(self.expected)} steps a trial"
                raise InvalidValue("Modulator.baseline", expected, f"{self.trial.steps} steps")
            return self.expected[step]
        if isinstance(baseline, OtherLanes):
            copies = baseline.lanes_per_input(len(charge))
            grouped = charge.reshape(-1, copies)
            return ((grouped.sum(axis=1, keepdims=True) - grouped) / (copies - 1)).ravel()
        return 0.0

    def end(self) -> float:
        """End of a trial: expectations follow; returns the mean loss of a counted step."""
        baseline = self.modulator.baseline
        if isinstance(baseline, RunningMean):
            newest = self.charges[self.passes.index("plus")].mean(axis=1)
            before = newest if self.expected is None else self.expected
            self.expected = baseline.memory * before + (1.0 - baseline.memory) * newest
        return float(self.charges.mean(axis=0).sum() / np.asarray(self.trial.mask).sum())

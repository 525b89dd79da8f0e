"""Delayed exclusive or: compare two cues, some time apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, ms

from neuroanp.config.option import option
from neuroanp.models import ALIF
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import EProp, NodePerturbation, OutputPerturbation
from neuroanp.tasks._decisions import Decision, decision, fraction_right, linear_answers, poisson, steps
from neuroanp.training.recipe import Recipe


class DelayedXOR(Decision):
    """Cue A, a delay, cue B, a delay, decision: the readout is positive for cues that differ.

    A cue is a burst of Poisson spikes in one of two sets of inputs, drawn anew for every trial and lane; all
    inputs fire in the background the whole time. One more input is 1 in the decision period. The four pairs
    of cues come in turn, lane after lane and, where the lanes don't divide by four, trial after trial. A
    linear function of the spike counts says no more than chance.
    """

    name = "delayed-xor"
    presets = ("best", "node", "published", "scalar")
    periods = ("cue", "decision")

    cue: Any = option(50 * ms, "length of a cue", unit="ms", above=0)
    delay: Any = option(20 * ms, "time after each cue", unit="ms", least=0)
    decision: Any = option(20 * ms, "time in which the readout counts", unit="ms", above=0)
    rate: Any = option(200 * Hz, "rate of an input while its cue is on", unit="Hz")

    @property
    def n_in(self) -> int:
        return 2 * self.channels + 1

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Spikes (T, lanes, n_in): the inputs of cue value 0, those of 1, and the signal to decide."""
        cue, delay, last = (steps(self, field) for field in ("cue", "delay", "decision"))
        condition = (index * lanes + np.arange(lanes)) % 4
        values = (condition // 2, condition % 2)
        hertz = np.full((2 * (cue + delay) + last, lanes, 2, self.channels), float(self.background))
        for start, value in zip((0, cue + delay), values, strict=True):
            hertz[start : start + cue, np.arange(lanes), value] = float(self.rate)
        spikes = poisson(rng, hertz.reshape(len(hertz), lanes, -1), self.dt)
        signal = np.zeros((len(hertz), lanes, 1))
        signal[-last:] = 1
        answer = np.where(values[0] != values[1], 1.0, -1.0)
        return decision(np.concatenate([spikes, signal], axis=2), answer, last)

    def trivial_scores(self) -> dict[str, float]:
        """Fraction right without memory, and of least squares on the spike counts of the whole trial."""
        rng = np.random.default_rng(0)
        trial, others = self.evaluation(rng), self.evaluation(rng)
        counts = linear_answers(others, trial, others.inputs.sum(axis=0), trial.inputs.sum(axis=0))
        return super().trivial_scores() | {"linear on the spike counts": fraction_right(counts, trial)}

    def recipe(self, preset: str) -> Recipe:
        """Adaptive cells: a threshold that jumps at a spike remembers, and makes the exclusive or linear.

        "node" is node perturbation. In "scalar", and by default for a reward of one bit, nothing is known but
        one number a trial, see `OutputPerturbation`.
        """
        general = super().recipe(preset)
        if preset == "published":
            return general
        node = general.replace(
            model=ALIF(input_gain=3.0, beta=1.0, tau_a=400 * ms),
            rule=NodePerturbation(sigma=0.3, hold=10, readout="delta"),
            modulator=Modulator(discount=1.0, baseline=OtherLanes(copies=4)),
            optimizer=Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2),
            decorrelation=None,
            lanes=128,
            updates=200,
        )
        if preset == "node":
            return node
        if preset == "best" and self.reward == "error":
            faster = Adam(lr=4e-3, input_lr=2e-2, readout_lr=1e-2)
            rule = EProp()
            return node.replace(rule=rule, modulator=Modulator(), optimizer=faster, lanes=64, updates=100)
        return node.replace(
            rule=OutputPerturbation(distribution="sign"),
            modulator=Modulator(baseline=RunningMean()),
            optimizer=Adam(lr=2e-3, input_lr=2e-2, readout_lr=1e-2),
            lanes=64,
            updates=100,
        )

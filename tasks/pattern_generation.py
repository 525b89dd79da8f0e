"""Pattern generation: draw a fixed curve in time from a clock."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from brian2 import Hz, ms

from neuroanp.config.option import SEEDS, option
from neuroanp.config.sources import E_PROP, NICOLA_CLOPATH
from neuroanp.errors import InvalidValue
from neuroanp.models import LIF
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD, Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.tasks import _linear as trivial
from neuroanp.tasks._decisions import check_times, steps
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

HERTZ = np.array([1.0, 2.0, 3.0, 5.0])
"""Frequencies of the sinusoids."""


class PatternGeneration(Task):
    """Generation of sums of sinusoids, 1, 2, 3 and 5 Hz, with random amplitudes and phases and variance 1.

    The input is a clock: of `ticks` channels, one after the other is 1 for an equal part of the trial. The
    curves are the same in every trial and lane, in training and evaluation.

    With a `window` a training trial is a part of the pattern and the next one goes on from it, so that
    weights change within the pattern; the evaluation is the whole pattern.

    References
    ----------
    Nicola, Clopath, Nature Communications 8, 2208 (2017); Bellec et al., ibid. 11, 3625 (2020).
    """

    name = "pattern-generation"
    sources = (NICOLA_CLOPATH, E_PROP)
    score_name = "mean square error over the target's variance"
    higher_is_better = False
    presets = ("best", "node", "published", "scalar")

    duration: Any = option(1000 * ms, "length of the pattern", unit="ms", above=0)
    ticks: int = option(20, "channels of the clock", least=1)
    curves: int = option(1, "curves to draw at the same time, an output each", least=1)
    pattern_seed: int = option(0, "seed of amplitudes and phases", least=0, most=SEEDS)
    window: Any = option(0 * ms, "part of the pattern in a training trial; 0 for all", unit="ms", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "duration")
        if steps(self, "duration") < 2:
            raise InvalidValue("PatternGeneration.duration", "two steps or more", self.duration)

    @property
    def n_in(self) -> int:
        return self.ticks

    @property
    def n_out(self) -> int:
        return self.curves

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Clock (T, lanes, ticks) and curves (T, lanes, curves), the same for every lane."""
        whole, window = self._pattern(lanes), steps(self, "window")
        if not window:
            return whole
        first = index * window % (-(-whole.steps // window) * window)
        part = slice(first, first + window)
        return Trial(whole.inputs[part], whole.targets[part], carry=first > 0)

    def _pattern(self, lanes: int) -> Trial:
        """Trial of the whole pattern."""
        length = steps(self, "duration")
        channel = np.arange(length) * self.ticks // length
        curve = _curves(length, float(self.dt), self.curves, self.pattern_seed)
        clock = np.eye(self.ticks)[channel]
        return Trial(np.repeat(clock[:, None], lanes, axis=1), np.repeat(curve[:, None], lanes, axis=1))

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Pattern, on one lane."""
        return self._pattern(1)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Mean square error over the variance that the targets have in time."""
        return loss(outputs, trial) / float(trial.targets.var(axis=0).mean())

    def trivial(self) -> dict[str, float]:
        """Loss of the curve's mean, and of the best linear function of the clock."""
        trial = self.evaluation(np.random.default_rng(0))
        clock, curve = trial.inputs[:, 0], trial.targets[:, 0]
        every = range(len(clock))
        guesses = {
            "mean of the curve": np.broadcast_to(curve.mean(axis=0), curve.shape),
            "linear on the clock": trivial.linear(clock, curve, every, every),
        }
        return {name: loss(guess[:, None], trial) for name, guess in guesses.items()}

    def recipe(self, preset: str) -> Recipe:
        """LIF cells; "node": node perturbation, against other lanes; "scalar": no target for the readout."""
        if preset == "published":
            return super().recipe(preset).replace(optimizer=SGD(lr=1e-3))
        general = super().recipe(preset)
        node = general.replace(
            model=LIF(input_gain=2.0),
            rule=NodePerturbation(sigma=0.1, hold=10, readout="delta"),
            modulator=Modulator(discount=0.98, baseline=OtherLanes()),
            optimizer=Adam(lr=2e-3, input_lr=2e-2, readout_lr=1e-2),
            decorrelation=None,
            lanes=32,
            updates=200,
        )
        if preset == "node":
            return node
        if preset == "best":
            faster = Adam(lr=8e-3, input_lr=8e-2, readout_lr=1e-2)
            rule = EProp(every=2, warmup=0)  # there is one trial only, to learn feedback from too
            rates = RatePenalty(strength=0.03, lowest=0 * Hz, highest=40 * Hz)
            return node.replace(rule=rule, modulator=Modulator(), optimizer=faster, rates=rates)
        return node.replace(
            rule=NodePerturbation(sigma=0.1, hold=10, readout_sigma=0.03),
            optimizer=Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2),
            updates=400,
        )


@lru_cache(maxsize=8)
def _curves(length: int, dt: float, curves: int, seed: int) -> Array:
    """Sums of sinusoids (length, curves), each of mean 0 and variance 1."""
    rng = np.random.default_rng(seed)
    amplitude = rng.uniform(0.5, 2.0, (curves, len(HERTZ)))
    phase = rng.uniform(0, 2 * np.pi, (curves, len(HERTZ)))
    time = dt * np.arange(length)
    curve: Array = (amplitude * np.sin(2 * np.pi * HERTZ * time[:, None, None] + phase)).sum(axis=2)
    return (curve - curve.mean(axis=0)) / curve.std(axis=0)

"""Cue accumulation: choose, after a delay, the side with more cues."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, ms

from neuroanp.config.option import option
from neuroanp.config.sources import E_PROP
from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.tasks._decisions import Decision, decision, fraction_right, linear_answers, poisson, steps
from neuroanp.training.recipe import Recipe

MORCOS_HARVEY = """@article{morcos2016history,
  author = {Morcos, Ari S. and Harvey, Christopher D.},
  title = {History-dependent variability in population dynamics during evidence accumulation in cortex},
  journal = {Nature Neuroscience},
  volume = {19},
  pages = {1672--1681},
  year = {2016},
  doi = {10.1038/nn.4403}
}"""


class CueAccumulation(Decision):
    """Row of cues on the left or right, a delay, and a signal to turn to the side with more of them.

    Four sets of inputs fire as Poisson spikes: left and right while their cues are on, the signal in the
    decision period, and one in the background all the time. In each trial one side, drawn at random, is more
    likely to have a cue than the other.

    References
    ----------
    Morcos, Harvey, Nature Neuroscience 19, 1672 (2016); Bellec et al., Nature Communications 11, 3625 (2020).
    """

    name = "cue-accumulation"
    sources = (MORCOS_HARVEY, E_PROP)
    presets = ("best", "node", "published")
    periods = ("cue", "decision")

    cues: int = option(7, "number of cues, odd", least=1)
    cue: Any = option(100 * ms, "length of a cue", unit="ms", above=0)
    gap: Any = option(50 * ms, "time after a cue", unit="ms", least=0)
    delay: Any = option(500 * ms, "time from the last gap to the decision", unit="ms", least=0)
    decision: Any = option(150 * ms, "time in which the readout counts", unit="ms", above=0)
    minority: float = option(0.3, "probability of a cue on the less likely side", least=0, most=1)
    background: Any = option(10 * Hz, "rate of the inputs that fire all the time", unit="Hz")
    evaluation_trials: int = option(256, "fresh trials to judge on")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cues % 2 == 0:
            raise InvalidValue("CueAccumulation.cues", "an odd number, for a majority", self.cues)

    @property
    def n_in(self) -> int:
        return 4 * self.channels

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Spikes (T, lanes, n_in) of four sets of inputs: left, right, signal, background."""
        cue, every = steps(self, "cue"), self._every
        delay, last = steps(self, "delay"), steps(self, "decision")
        likely = rng.integers(2, size=lanes)
        sides = np.where(rng.random((self.cues, lanes)) < self.minority, 1 - likely, likely)
        hertz = np.zeros((self.cues * every + delay + last, lanes, 4, self.channels), np.float32)
        for k, side in enumerate(sides):
            hertz[k * every : k * every + cue, np.arange(lanes), side] = float(self.rate)
        hertz[-last:, :, 2] = float(self.rate)
        hertz[:, :, 3] = float(self.background)
        answer = np.where(2 * sides.sum(axis=0) > self.cues, 1.0, -1.0)
        return decision(poisson(rng, hertz.reshape(len(hertz), lanes, -1), self.dt), answer, last)

    @property
    def _every(self) -> int:
        """Steps from the start of a cue to that of the next."""
        return steps(self, "cue") + steps(self, "gap")

    def trivial_scores(self) -> dict[str, float]:
        """Fraction right without memory, and of least squares on the spikes of the last cue, or of all."""
        rng = np.random.default_rng(0)
        trial, others = self.evaluation(rng), self.evaluation(rng)
        ends = self.cues * self._every
        parts = {"by the last cue": slice(ends - self._every, ends), "by the spikes of all cues": slice(ends)}
        scores = super().trivial_scores()
        for name, part in parts.items():
            counts = (trials.inputs[part].sum(axis=0) for trials in (others, trial))
            scores[name] = fraction_right(linear_answers(others, trial, *counts), trial)
        return scores

    def recipe(self, preset: str) -> Recipe:
        """Cells of which half adapt, as long as a trial, with inputs too weak to count the cues.

        "node": node perturbation of cells with strong inputs and a longer memory, from which a readout alone
        reads most decisions.
        """
        general = super().recipe(preset)
        if preset == "published":
            return general
        best = general.replace(
            model=ALIF(tau_a=2000 * ms, tau_out=50 * ms),
            rule=EProp(),
            modulator=Modulator(),
            optimizer=Adam(lr=3e-3, input_lr=3e-2, readout_lr=5e-3),
            decorrelation=None,
            lanes=32,
            updates=100,
        )
        if preset == "best" and self.reward == "error":
            return best
        return best.replace(
            model=ALIF(
                hidden=200, input_gain=10.0, recurrent_gain=0.0, adaptive=1.0, tau_a=5000 * ms,
                tau_out=50 * ms,
            ),
            rule=NodePerturbation(sigma=1.0, hold=10, readout="delta"),
            modulator=Modulator(discount=1.0, baseline=OtherLanes(copies=2)),
            lanes=64,
        )  # fmt: skip

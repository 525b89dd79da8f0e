"""Mackey-Glass: forecast a chaotic series."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Literal

import numpy as np
from brian2 import ms

from neuroanp.config import checks
from neuroanp.config.option import SEEDS, option
from neuroanp.models import ALIF
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.tasks._series import Course, SeriesTask, forecast
from neuroanp.training.recipe import Recipe
from neuroanp.types import Array

TAU = 17
SUBSTEPS = 10
TRANSIENT = 100
TRAIN_FRACTION = 0.8

MACKEY_GLASS = """@article{mackey1977oscillation,
  author = {Mackey, Michael C. and Glass, Leon},
  title = {Oscillation and chaos in physiological control systems},
  journal = {Science},
  volume = {197},
  number = {4300},
  pages = {287--289},
  year = {1977},
  doi = {10.1126/science.267326}
}"""


class MackeyGlass(SeriesTask):
    """Forecast of a Mackey-Glass series (tau 17) `ahead` steps on, or recall of `ahead` steps back.

    The delay equation dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x is integrated by Euler's method
    with steps of 0.1 from a random history of 1.1 to 1.3, sampled once per unit of time after 100
    samples of transient, squashed by tanh(x - 1) and centred on the mean of the training part.
    The first 80 % of the steps are for training, the rest is held out.

    References
    ----------
    Mackey, Glass. Oscillation and chaos in physiological control systems. Science 197 (1977).
    """

    name = "mackey-glass"
    sources = (MACKEY_GLASS,)
    presets = ("best", "published", "spiking", "spiking-node")
    n_out = 1

    ahead: int = option(15, "steps between input and target", least=1)
    direction: Literal["forecast", "recall"] = option(
        "forecast", "forecast: target in the future; recall: target in the past"
    )
    steps: int = option(5000, "steps of the series, training and held-out part together")
    series_seed: int = option(34, "seed of the history that the series starts from", least=0, most=SEEDS)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole(self, 10 * (self.ahead + 20), "steps")

    @property
    def n_in(self) -> int:
        return self.taps

    @property
    def series(self) -> Course:
        return _series(self.steps, self.ahead, self.direction, self.series_seed)

    def trivial(self) -> dict[str, float]:
        return {
            "zero": self.level(lambda steps: np.zeros((len(steps), 1))),
            "linear on the present": self.linear_level(1),
            "linear on 5 inputs": self.linear_level(5),
            "linear on 20 inputs": self.linear_level(20),
        }

    def recipe(self, preset: str) -> Recipe:
        """Fewer updates than usual, of larger steps; "spiking": ALIF cells, in "spiking-node" perturbed."""
        general = super().recipe(preset).replace(updates=500)
        if preset == "best":
            return general.replace(optimizer=Adam(lr=4.5e-3, readout_lr=1e-2, b1=0.8, b2=0.9))
        if preset == "published":
            return general
        node = general.replace(
            model=ALIF(input_gain=4.0, beta=0.2, tau=10 * ms, tau_a=100 * ms, tau_out=30 * ms),
            rule=NodePerturbation(sigma=0.3, hold=5, readout="delta"),
            modulator=Modulator(discount=0.98, baseline=OtherLanes(copies=4)),
            optimizer=Adam(lr=1e-3, input_lr=1e-2, readout_lr=1e-2),
            decorrelation=None,
        )
        if preset == "spiking-node":
            return node
        faster = Adam(lr=4e-3, input_lr=2e-2, readout_lr=1e-2)
        rule = EProp(every=1, warmup=24)
        return node.replace(rule=rule, modulator=Modulator(), optimizer=faster)


@lru_cache(maxsize=8)
def _series(steps: int, ahead: int, direction: str, seed: int) -> Course:
    held_out = int(TRAIN_FRACTION * steps)
    values = np.tanh(_mackey_glass(steps + ahead, seed) - 1)
    values = (values - values[:held_out].mean())[:, None]
    future = forecast(values, [0], ahead, held_out)
    if direction == "forecast":
        return future
    return dataclasses.replace(future, inputs=future.targets, targets=future.inputs)


def _mackey_glass(samples: int, seed: int) -> Array:
    """Euler integration of the delay equation; (samples,) values, one per unit of time."""
    rng = np.random.default_rng(seed)
    x = list(1.2 + 0.2 * (rng.random(TAU * SUBSTEPS) - 0.5))
    x.append(1.2)
    for step in range((TRANSIENT + samples) * SUBSTEPS):
        delayed = x[step]
        x.append(x[-1] + (0.2 * delayed / (1 + delayed**10) - 0.1 * x[-1]) / SUBSTEPS)
    first = len(x) - 1 - (samples - 1) * SUBSTEPS
    return np.array(x[first::SUBSTEPS])

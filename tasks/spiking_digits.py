"""Spiking digits: name a handwritten digit whose rows come as spikes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from brian2 import Hz, ms

from neuroanp.config.option import option
from neuroanp.models import ALIF
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, NoiseCritic, OtherLanes
from neuroanp.rules import EProp, NodePerturbation, OutputPerturbation
from neuroanp.tasks._decisions import check_rates, check_times, poisson, steps
from neuroanp.tasks.digits import Digits, Images, digit_trial, find_images, fraction_named
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task
from neuroanp.types import Array

DARK = 0.1
"""Latency code: a pixel up to this grey stays silent."""


class SpikingDigits(Task):
    """Classification of a handwritten digit whose rows are shown as spikes, one after the other.

    The images are scikit-learn's of 8 x 8 pixels, split as in the task ``digits``, or with `data` those of
    MNIST. With ``step="pixel"`` they are shown a pixel at a time. With ``code="rate"`` an input fires as
    Poisson spikes at `rate` times the grey value of its column's pixel, drawn anew in every trial; with
    ``code="latency"`` once a row, the sooner the brighter, and not at all for a dark pixel. One more input
    is 1 in the decision period, the only one that counts. The target is one-hot.
    """

    name = "spiking-digits"
    score_name = "fraction of digits right"
    n_out = 10
    presets = ("best", "node", "published", "scalar")

    data: str | None = option(None, "file of full MNIST (mnist.npz); scikit-learn's digits when not given")
    step: Literal["row", "pixel"] = option("row", "what is shown at a time: row or pixel")
    row: Any = option(5 * ms, "time for which a row, or a pixel, is shown", unit="ms", above=0)
    decision: Any = option(20 * ms, "time in which the readout counts", unit="ms", above=0)
    code: Literal["rate", "latency"] = option("rate", "how a grey value becomes spikes")
    rate: Any = option(800 * Hz, "rate of a white pixel", unit="Hz")
    copies: int = option(4, "inputs for a column, or for the one pixel", least=1)
    evaluation_trials: int = option(1000, "held-out images to judge on, at most", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "row", "decision")
        check_rates(self, "rate")

    @property
    def images(self) -> Images:
        """Images, those held out among them."""
        return find_images(self, self.data, permuted=False)

    @property
    def _shown(self) -> int:
        """Pixels that are shown at a time."""
        return self.images.side if self.step == "row" else 1

    @property
    def n_in(self) -> int:
        return self._shown * self.copies + 1

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Images of the training part, one for each lane, as spikes (T, lanes, n_in)."""
        images = self.images
        chosen = rng.integers(len(images.train), size=lanes)
        return self._present(rng, images.train[chosen], images.train_digits[chosen])

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out images, a lane each."""
        few = slice(self.evaluation_trials)
        return self._present(rng, self.images.test[few], self.images.test_digits[few])

    def _present(self, rng: np.random.Generator, images: Array, digits: Array) -> Trial:
        row, last = steps(self, "row"), steps(self, "decision")
        shown = images.reshape(len(images), -1, self._shown).swapaxes(0, 1)
        grey = shown.repeat(row, axis=0).repeat(self.copies, axis=2)
        inputs = np.zeros((len(grey) + last, len(images), self.n_in))
        inputs[: len(grey), :, :-1] = self._spikes(rng, grey, row)
        inputs[-last:, :, -1] = 1
        return digit_trial(inputs, digits, last)

    def _spikes(self, rng: np.random.Generator, grey: Array, row: int) -> Array:
        """Spikes of grey values (T, L, n), each of which lasts for the `row` steps of its row."""
        if self.code == "rate":
            return poisson(rng, grey * float(self.rate), self.dt)
        step = (np.arange(len(grey)) % row)[:, None, None]
        spikes: Array = (grey > DARK) & (step == np.floor((1 - grey) * (row - 1)))
        return spikes.astype(np.float64)

    def score(self, outputs: Array, trial: Trial) -> float:
        return fraction_named(outputs, trial)

    @property
    def _digits(self) -> Digits:
        """Task with the same images, in grey values."""
        return Digits(data=self.data, evaluation_trials=self.evaluation_trials)

    def trivial(self) -> dict[str, float]:
        """Levels of ``digits``, from the grey values of the same held-out images."""
        return self._digits.trivial()

    def trivial_scores(self) -> dict[str, float]:
        """Scores of ``digits``, from the grey values of the same held-out images."""
        return self._digits.trivial_scores()

    def recipe(self, preset: str) -> Recipe:
        """Cells of which half adapt, for longer than the image is shown; "node": node perturbation.

        In "scalar" nothing is known but one number a trial, see `OutputPerturbation`.
        """
        general = super().recipe(preset)
        if preset == "published":
            return general
        best = general.replace(
            model=ALIF(hidden=200, beta=0.3, tau_a=200 * ms, readout_gain=0.1),
            rule=EProp(),
            modulator=Modulator(),
            optimizer=Adam(lr=2e-3, input_lr=2e-2, readout_lr=5e-3),
            decorrelation=None,
            lanes=64,
            updates=400,
        )
        if preset == "best":
            return best
        if preset == "scalar":
            return best.replace(
                rule=OutputPerturbation(),
                modulator=Modulator(baseline=NoiseCritic()),
                optimizer=Adam(lr=4e-3, input_lr=2e-2, readout_lr=3e-3),
            )
        return best.replace(
            rule=NodePerturbation(sigma=0.3, hold=10, readout="delta"),
            modulator=Modulator(discount=1.0, baseline=OtherLanes(copies=2)),
            optimizer=Adam(lr=6e-4, input_lr=3e-3, readout_lr=1e-2),
        )

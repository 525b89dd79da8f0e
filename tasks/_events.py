"""Base of the tasks that show a recording of events and ask for its class at the end."""

from __future__ import annotations

import abc
import functools
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models import ALIF
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.tasks import _linear as trivial
from neuroanp.tasks._decisions import check_times, steps
from neuroanp.tasks._recordings import Recordings
from neuroanp.tasks.digits import digit_trial, fraction_named
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

ROUNDING = 1e-6
"""Part of a step by which a time may lie before the step that it is meant to begin."""

FIT_AT_MOST = 2000
ORDER_SEED = 0


class EventTask(Task):
    """Classification of a recording of events, whose class is asked for in a period after it.

    An event is a spike of the input that its channel belongs to. Events after `duration` are left out. One
    more input is 1 in the decision period, the only one that counts. The target is one-hot. A subclass says
    where the recordings are, and which channels share an input.
    """

    score_name = "fraction of recordings named right"
    presets = ("best", "node", "published")

    duration: Any = option(1000 * ms, "time that is shown of a recording", unit="ms", above=0)
    decision: Any = option(
        20 * ms, "time after the recording in which the readout counts", unit="ms", above=0
    )
    counts: bool = option(False, "show the number of events in a step, where it is 1 for any otherwise")
    evaluation_trials: int = option(256, "held-out recordings to judge on, at most", least=1)
    verify: bool = option(True, "refuse files of the published names whose checksums are others")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "duration", "decision")

    @property
    @abc.abstractmethod
    def recordings(self) -> tuple[Recordings, Recordings]:
        """Recordings for training and those held out; `DataError` where there are none."""

    @property
    @abc.abstractmethod
    def inputs(self) -> int:
        """Number of inputs that events come on."""

    @abc.abstractmethod
    def input_of(self, channels: Array) -> Array:
        """Input (n,) that the events of channels (n,) come on."""

    @property
    def n_in(self) -> int:
        return self.inputs + 1

    @property
    def n_out(self) -> int:
        return 1 + max(int(part.labels.max()) for part in self.recordings)

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Recordings of the training part, one for each lane: (T, lanes, n_in)."""
        part = self.recordings[0]
        return self._present(part, rng.integers(len(part), size=lanes))

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out recordings, a lane each, drawn once; the same for every `rng`."""
        part = self.recordings[1]
        return self._present(part, _some(part, self.evaluation_trials))

    def _present(self, part: Recordings, chosen: Array) -> Trial:
        shown, last = steps(self, "duration"), steps(self, "decision")
        inputs = np.zeros((shown + last, len(chosen), self.n_in))
        for lane, (step, source) in enumerate(self._events(part, chosen)):
            np.add.at(inputs[:, lane], (step, source), 1)
        if not self.counts:
            np.minimum(inputs, 1, out=inputs)
        inputs[shown:, :, -1] = 1
        return digit_trial(inputs, part.labels[chosen], last, self.n_out)

    def _events(self, part: Recordings, chosen: Array) -> Any:
        """Steps and inputs of the events of each recording, up to `duration`."""
        shown = steps(self, "duration")
        for times, channels in part.events(chosen):
            step = np.floor(np.minimum(times / float(self.dt) + ROUNDING, shown)).astype(np.intp)
            yield step[step < shown], self.input_of(channels)[step < shown]

    def score(self, outputs: Array, trial: Trial) -> float:
        return fraction_named(outputs, trial)

    @functools.cached_property
    def _counted(self) -> tuple[Array, Array, int]:
        """Events by input, and classes, of recordings for training, so many of them, and of held-out ones."""
        counts, labels = [], []
        for part, most in zip(self.recordings, (FIT_AT_MOST, self.evaluation_trials), strict=True):
            chosen = _some(part, most)
            labels.append(part.labels[chosen])
            counts += [np.bincount(source, minlength=self.inputs) for _, source in self._events(part, chosen)]
        return np.array(counts, float), np.concatenate(labels), len(labels[0])

    def trivial(self) -> dict[str, float]:
        """Test loss of the mean training target, and of least squares on the spike counts of the inputs."""
        counts, labels, fitted = self._counted
        one_hot = np.eye(self.n_out)[labels]
        trial = digit_trial(np.zeros((1, len(labels) - fitted, 1)), labels[fitted:], 1, self.n_out)
        guesses = {
            "mean of the classes": one_hot[:fitted].mean(axis=0),
            "linear on the spike counts": trivial.linear(
                counts, one_hot, range(fitted), range(fitted, len(labels))
            ),
        }
        return {name: loss(guess * np.ones(trial.targets.shape), trial) for name, guess in guesses.items()}

    def trivial_scores(self) -> dict[str, float]:
        """Fraction of held-out recordings that the commonest class names, and logistic regression."""
        from sklearn.linear_model import LogisticRegression

        counts, labels, fitted = self._counted
        spread = counts[:fitted].std(axis=0)
        scaled = (counts - counts[:fitted].mean(axis=0)) / np.where(spread > 0, spread, 1)
        commonest = np.bincount(labels[:fitted]).argmax()
        regression = LogisticRegression(C=0.1, tol=1e-2).fit(scaled[:fitted], labels[:fitted])
        return {
            "chance": float((labels[fitted:] == commonest).mean()),
            "logistic regression on the spike counts": float(
                regression.score(scaled[fitted:], labels[fitted:])
            ),
        }

    def recipe(self, preset: str) -> Recipe:
        """Cells of which half adapt; "node": node perturbation. Chosen on made-up recordings of this form."""
        general = super().recipe(preset)
        if preset == "published":
            return general
        best = general.replace(
            model=ALIF(hidden=200, beta=0.3, tau_a=200 * ms, input_gain=2.0, readout_gain=0.1),
            rule=EProp(),
            modulator=Modulator(),
            optimizer=Adam(lr=2e-3, input_lr=1e-2, readout_lr=1e-2),
            decorrelation=None,
            lanes=64,
            updates=1000,
        )
        if preset == "best":
            return best
        return best.replace(
            rule=NodePerturbation(sigma=0.3, hold=10, readout="delta"),
            modulator=Modulator(discount=1.0, baseline=OtherLanes(copies=2)),
        )


def _some(part: Recordings, most: int) -> Array:
    """Numbers of at most so many recordings of a part, in an order that is drawn once: files go by class."""
    return np.random.default_rng(ORDER_SEED).permutation(len(part))[:most]

"""`check_task` lets a good task through and says what is wrong with each broken one."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
import pytest
from brian2 import mV

from neuroanp.config.option import option
from neuroanp.errors import DataError, InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.testing import check_task
from neuroanp.training.task import Task, loss


class Echo(Task):
    """Say the last input again."""

    name = "echo"
    score_name = "fraction of signs right"

    steps: int = option(6, "steps of a trial")

    @property
    def n_in(self):
        return 2

    @property
    def n_out(self):
        return 1

    def trial(self, rng, lanes, index=0):
        inputs = rng.standard_normal((self.steps, lanes, 2))
        mask = np.ones((self.steps, lanes))
        mask[0] = 0
        return Trial(inputs, np.roll(inputs[:, :, :1], 1, axis=0), mask)

    def evaluation(self, rng):
        return self.trial(rng, 20)

    def score(self, outputs, trial):
        return float((np.sign(outputs) == np.sign(trial.targets)).mean())

    def trivial(self):
        trial = self.evaluation(np.random.default_rng(1))
        return {"zero": loss(np.zeros_like(trial.targets), trial)}


@dataclasses.dataclass(kw_only=True, eq=False, unsafe_hash=True)
class Changing:
    """Not even a task."""

    name: ClassVar[str] = "changing"


class Nameless(Echo):
    """A name that the shell would need quotes for."""

    name = "Echo Task"


class Silent(Echo):
    __doc__ = ""


class Unexplained(Echo):
    """An option without a line of help."""

    extra: int = 3


class Unwritable(Echo):
    """An option that the shell can't give."""

    extra: Any = option(None, "something")


class Forgetful(Echo):
    """An option that changes on its way through config.json."""

    extra: int = option(0, "grows by one at every construction")

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "extra", self.extra + 1)


class Wireless(Echo):
    """No inputs."""

    n_in = 0


class OldStyle(Echo):
    """A trial that can't be told its number."""

    def trial(self, rng, lanes):
        return super().trial(rng, lanes)


class Timeless(Echo):
    """Steps of a voltage."""

    dt = 1 * mV


class Scoreless(Echo):
    """A score of nothing."""

    score_name = ""


class Misled(Echo):
    """A recipe for what can't be cooked."""

    @classmethod
    def recipe(cls, preset):
        return {"learning_rate": 1.0}


class Pair(Echo):
    """A pair of arrays for a trial."""

    def trial(self, rng, lanes, index=0):
        return np.zeros((3, lanes, 2)), np.zeros((3, lanes, 1))


class Crowded(Echo):
    """As many lanes as it likes."""

    def trial(self, rng, lanes, index=0):
        return super().trial(rng, 4)


class Wide(Echo):
    """More targets than outputs."""

    def trial(self, rng, lanes, index=0):
        trial = super().trial(rng, lanes)
        return Trial(trial.inputs, trial.inputs, trial.mask)


class Uncounted(Echo):
    """No step counts."""

    def trial(self, rng, lanes, index=0):
        trial = super().trial(rng, lanes)
        return Trial(trial.inputs, trial.targets, 0 * trial.mask)


class Owing(Echo):
    """Steps that are paid for."""

    def trial(self, rng, lanes, index=0):
        trial = super().trial(rng, lanes)
        return Trial(trial.inputs, trial.targets, trial.mask - 0.5)


class NotANumber(Echo):
    """Data with a hole."""

    def trial(self, rng, lanes, index=0):
        trial = super().trial(rng, lanes)
        return Trial(trial.inputs / 0, trial.targets, trial.mask)


class Unseeded(Echo):
    """Random numbers from somewhere else."""

    def trial(self, rng, lanes, index=0):
        return super().trial(np.random.default_rng(), lanes)


class Frozen(Echo):
    """The same trial for ever."""

    def trial(self, rng, lanes, index=0):
        return super().trial(np.random.default_rng(1), lanes)

    def evaluation(self, rng):
        return super().trial(rng, 20)


class Restless(Echo):
    """The first trial goes on from nothing."""

    def trial(self, rng, lanes, index=0):
        return dataclasses.replace(super().trial(rng, lanes), carry=True)


class RestlessEvaluation(Echo):
    """The evaluation goes on from training."""

    def evaluation(self, rng):
        return dataclasses.replace(super().evaluation(rng), carry=True)


SHARED = np.random.default_rng(0)


class Remembering(Echo):
    """An evaluation that depends on what was drawn before."""

    def trial(self, rng, lanes, index=0):
        SHARED.random()
        return super().trial(rng, lanes)

    def evaluation(self, rng):
        return super().trial(SHARED, 20)


class Leaking(Echo):
    """Judged on what it was trained with."""

    def evaluation(self, rng):
        return super().trial(np.random.default_rng(1), 32)


class LeakingSeries(Echo):
    """Windows of the very series that is judged."""

    def _series(self):
        inputs = np.random.default_rng(9).standard_normal((200, 1, 2))
        return inputs, np.roll(inputs[:, :, :1], 1, axis=0)

    def trial(self, rng, lanes, index=0):
        inputs, targets = self._series()
        steps = rng.integers(150, size=lanes) + np.arange(10)[:, None]
        return Trial(inputs[steps, 0], targets[steps, 0])

    def evaluation(self, rng):
        return Trial(*self._series())


class Incomparable(Echo):
    """No trivial level."""

    def trivial(self):
        return {}


class Infinite(Echo):
    """A trivial level that isn't a loss."""

    def trivial(self):
        return {"zero": float("nan")}


class Fickle(Echo):
    """Other trivial levels at every call."""

    def trivial(self):
        return {"guess": float(np.random.default_rng().random())}


class OtherScale(Echo):
    """Trivial levels of targets before they were scaled."""

    def trivial(self):
        return {"zero": super().trivial()["zero"] / 4}


class OtherData(Echo):
    """Trivial levels on other data than the evaluation, which is always the same."""

    def evaluation(self, rng):
        return super().trial(np.random.default_rng(99), 20)

    def trivial(self):
        trial = self.trial(np.random.default_rng(77), 20)
        return {"zero": loss(np.zeros_like(trial.targets), trial)}


class Flattering(Echo):
    """A trivial level that anything beats."""

    def trivial(self):
        return {"worst": 100.0}


class TrivialScores(Echo):
    """The score of a trivial predictor isn't a number."""

    def trivial_scores(self):
        return {"zero": float("inf")}


class Backwards(Echo):
    """A loss sold as a score."""

    def score(self, outputs, trial):
        return loss(outputs, trial)


class Scoring(Echo):
    """A score for each lane."""

    def score(self, outputs, trial):
        return ((outputs - trial.targets) ** 2).mean(axis=(0, 2))


BROKEN = [
    (Changing(), r"check_task\.task: expected an instance of a subclass of Task"),
    (Echo, r"check_task\.task: expected an instance"),
    (Nameless(), r"Nameless\.name: expected small letters"),
    (Silent(), r"Silent: expected a docstring"),
    (Unexplained(), r"Unexplained\.extra: expected option\(default, doc\)"),
    (Unwritable(), r"Unwritable\.extra: expected a type that text can give"),
    (Forgetful(), r"Forgetful: expected the same fields after a config\.json"),
    (Wireless(), r"Wireless\.n_in: expected a whole number of 1 or more, got 0"),
    (OldStyle(), r"OldStyle\.trial: expected parameters rng, lanes, index"),
    (Timeless(), r"Timeless\.dt: expected a time above 0"),
    (Scoreless(), r"Scoreless\.score_name: expected what score measures"),
    (Misled(), r"Misled\.recipe: expected a Recipe, got"),
    (Pair(), r"Pair\.trial: expected a Trial, got tuple"),
    (Crowded(), r"Crowded\.trial: expected inputs of shape \(6, 1, 2\), got shape \(6, 4, 2\)"),
    (Wide(), r"Wide\.trial: expected targets of shape \(6, 1, 1\), got shape \(6, 1, 2\)"),
    (Uncounted(), r"Trial\.mask: expected weights of 0 or more, not all of them 0, got zeros"),
    (Owing(), r"Trial\.mask: expected weights of 0 or more, not all of them 0, got -0\.5"),
    (NotANumber(), r"Trial\.inputs: expected finite numbers"),
    (Unseeded(), r"Unseeded\.trial: expected the same trial under the same seed"),
    (Frozen(), r"Frozen\.trial: expected other trials under other seeds"),
    (Restless(), r"Restless\.trial: expected a first trial that starts from rest"),
    (RestlessEvaluation(), r"RestlessEvaluation\.evaluation: expected a trial that starts from rest"),
    (Remembering(), r"Remembering\.evaluation: expected the same trial under the same seed, whatever"),
    (Leaking(), r"Leaking\.evaluation: expected trials that training does not show .* got 32 of 32"),
    (LeakingSeries(), r"LeakingSeries\.evaluation: expected trials that training does not show"),
    (Incomparable(), r"Incomparable\.trivial: expected a level"),
    (Infinite(), r"Infinite\.trivial: expected a loss of 0 or more for 'zero', got nan"),
    (Fickle(), r"Fickle\.trivial: expected the same levels at every call"),
    (OtherScale(), r"OtherScale\.trivial: expected the loss of zero output on the evaluation"),
    (OtherData(), r"OtherData\.trivial: expected the loss of zero output on the evaluation"),
    (Flattering(), r"Flattering\.trivial: expected a best level no worse than the best constant"),
    (TrivialScores(), r"TrivialScores\.trivial_scores: expected a number for 'zero', got inf"),
    (Backwards(), r"Backwards\.score: expected a higher score for the targets themselves than for zeros"),
    (Scoring(), r"Scoring\.score: expected a finite float"),
]


class FewDraws(Echo):
    """Trivial levels on another draw of the evaluation than the one that is judged: that is all right."""

    def trivial(self):
        trial = self.evaluation(np.random.default_rng(3))
        return {"zero": loss(np.zeros_like(trial.targets), trial)}


@pytest.mark.parametrize("task", [Echo(), FewDraws()])
def test_a_good_task_passes_its_check(task):
    check_task(task)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(("task", "message"), BROKEN, ids=[message.split(":")[0] for _, message in BROKEN])
def test_a_broken_task_is_told_what_is_wrong(task, message):
    with pytest.raises(InvalidValue, match=message):
        check_task(task)


def test_a_task_passes_its_check_without_what_it_cannot_help():
    check_task(Frozen(), varies=False)
    check_task(Leaking(), held_out=False)


def test_a_class_that_cannot_be_imported_again_is_told_so():
    class Local(Echo):
        """Known in this function only."""

    with pytest.raises(DataError, match="neither offered"):
        check_task(Local())

"""Rules of one pass on the real engines: the noise they get, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.models import LeakyTanhRNN, TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD, Adam
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import (
    DelayedHebbian,
    Force,
    NodePerturbation,
    OrnsteinUhlenbeck,
    ResponsePerturbation,
)
from neuroanp.tasks import CopyingMemory, MackeyGlass, PatternGeneration
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.training.train import train
from support.copying import training
from support.training import trainer


def test_noise_is_asked_for_that_is_rare():
    rule = DelayedHebbian(sigma=0.1, probability=0.02)
    assert (rule.perturbation.distribution, rule.perturbation.probability) == ("rare", 0.02)
    made = training(rule=rule, modulator=Modulator(baseline=OtherLanes(copies=4)), lanes=64, engine="runtime")
    noise = made.network.run(made.trial(0), 0).noise
    assert (noise != 0).mean() == pytest.approx(0.02, rel=0.2)
    assert np.abs(noise).max() == pytest.approx(0.1 * np.sqrt(3 / 0.02), rel=0.05)


class Compare(Task):
    """Two steady cues, +1 or -1 each; at the end say whether they are the same."""

    name = "compare"
    score_name = "fraction right"
    n_in = 2
    n_out = 1

    def trial(self, rng, lanes, index=0):
        cues = np.where(rng.random((2, lanes)) < 0.5, -1.0, 1.0)
        inputs, mask = np.broadcast_to(cues.T, (6, lanes, 2)), np.zeros((6, lanes))
        mask[-1] = 1
        return Trial(inputs, np.broadcast_to((cues[0] * cues[1])[:, None], (6, lanes, 1)), mask)

    def evaluation(self, rng):
        return self.trial(rng, 64)

    def score(self, outputs, trial):
        return float((outputs[-1] * trial.targets[-1] > 0).mean())

    def trivial(self):
        trial = self.trial(np.random.default_rng(0), 64)
        return {"zero": loss(np.zeros_like(trial.targets), trial)}


@pytest.mark.slow
def test_rare_noise_and_reward_at_the_end_are_enough():
    """Input and recurrent weights alone: the readout stays as it was drawn."""
    made = training(
        model=TanhRNN(hidden=40, readout_gain=1.0), task=Compare(), lanes=64, updates=400,
        rule=DelayedHebbian(sigma=0.2, probability=0.05, readout="fixed"),
        modulator=Modulator(baseline=OtherLanes(copies=8)), optimizer=Adam(lr=3e-3),
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["test_loss"] < 0.2 * run.result["trivial"]["zero"]
    assert run.result["score"] > 0.9


@pytest.mark.slow
def test_weights_that_wander_learn_in_one_pass():
    made = training(
        model=TanhRNN(hidden=10), rule=OrnsteinUhlenbeck(sigma=0.1, relaxation=0.7), lanes=64, updates=2000,
        modulator=Modulator(baseline=RunningMean()), optimizer=Adam(lr=1e-2),
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["test_loss"] < run.result["trivial"]["memoryless"]


@pytest.mark.slow
def test_a_rate_network_learns_from_one_pass():
    made = training(
        rule=NodePerturbation(sigma=0.1, readout="delta"), updates=150, lanes=32,
        modulator=Modulator(discount=0.98, baseline=OtherLanes(copies=8)),
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["test_loss"] < 0.5 * min(run.result["trivial"].values())


@pytest.mark.slow
def test_responses_that_are_learned_help():
    run = train(
        TanhRNN(hidden=30), CopyingMemory(alphabet=5, length=2, delay=1), lanes=32, updates=60, seed=1,
        rule=ResponsePerturbation(lags=5, sigma=0.01), decorrelation=None, progress=False,
    )  # fmt: skip
    assert run.result["test_loss"] < 0.2 * run.result["trivial"]["zero"]


@pytest.mark.slow
@pytest.mark.parametrize(("window", "updates", "lr"), [(10, 200, 1e-2), (1, 1000, 2e-3)])
def test_mackey_glass_is_learned_from_short_windows(window, updates, lr):
    run = train(
        TanhRNN(hidden=30), MackeyGlass(carry=True, window=window, steps=5000), lanes=16, updates=updates,
        optimizer=Adam(lr=lr / 3, readout_lr=lr), seed=1, progress=False,
    )  # fmt: skip
    assert run.result["test_loss"] < 0.3 * run.result["trivial"]["linear on the present"]


def force(gain, model, task, **changes):
    """Result of a training by FORCE with this feedback."""
    recipe = Recipe(
        model=model, rule=Force(feedback_gain=gain), optimizer=SGD(lr=1.0), decorrelation=None, lanes=1
    )
    return trainer(task, recipe, **changes).run(progress=False).result


def test_force_generates_a_pattern_without_a_clock_by_its_feedback():
    task = PatternGeneration(duration=500 * ms, ticks=1, window=5 * ms)
    model = LeakyTanhRNN(hidden=60, orthogonal=False, recurrent_gain=1.2, tau_min=20 * ms, tau_max=20 * ms)
    fed, alone = (force(gain, model, task, updates=800)["score"] for gain in (1.0, 0.0))
    assert fed < 0.03 < 0.1 < alone


@pytest.mark.slow
def test_force_forecasts_better_than_least_squares_for_the_readout_alone():
    """Half a minute."""
    task = MackeyGlass(window=4, carry=True)
    fed, alone = (force(g, TanhRNN(), task, lanes=8, updates=8000)["test_loss"] for g in (0.3, 0.0))
    assert fed < 0.25 * alone and alone < 1e-3

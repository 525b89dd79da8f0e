"""The compiled engine and Brian2's runtime give the same numbers."""

import dataclasses

import numpy as np
import pytest

from neuroanp.models import LIF, TanhRNN
from neuroanp.optim import Adam, Clip
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator
from neuroanp.rules import ActivityPerturbation, DelayedHebbian, NodePerturbation, WeightPerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe

NODES = NodePerturbation(sigma=0.05)
CASES = {
    "nodes, sign noise, mirrored": (TanhRNN(hidden=12), dataclasses.replace(NODES, distribution="sign")),
    "nodes, rare noise": (TanhRNN(hidden=12), DelayedHebbian(sigma=0.1, probability=0.1, readout="delta")),
    "activity, with a clean pass": (TanhRNN(hidden=12), ActivityPerturbation(mirrored=False)),
    "weights, per trial": (TanhRNN(hidden=12), WeightPerturbation(sigma=0.05)),
    "weights, per step": (TanhRNN(hidden=12), WeightPerturbation(sigma=0.05, hold="step")),
    "spiking": (LIF(hidden=12, input_gain=15.0, bias=False), NODES),
}
"""Models one by one, and held noise: `test_check_model.py`, `test_spiking_models.py`."""


def losses(model, rule, *, engine, updates=20):
    recipe = Recipe(
        model=model, rule=rule, modulator=Modulator(), clip=Clip(), optimizer=Adam(lr=0.01),
        decorrelation=Decorrelation(rate=0.05), lanes=4, updates=updates,
    )  # fmt: skip
    task = CopyingMemory(length=3, delay=2, evaluation_trials=5)
    trainer = Trainer(task, recipe, seed=3, engine=engine, tests=0)
    return [step.loss for step in trainer], trainer


@pytest.mark.parametrize("case", CASES)
def test_the_first_updates_give_the_same_losses(case):
    compiled, one = losses(*CASES[case], engine="compiled")
    runtime, other = losses(*CASES[case], engine="runtime")
    assert one.engine == "compiled" and other.engine == "runtime"
    np.testing.assert_allclose(compiled, runtime, rtol=1e-9, atol=0)
    assert len(set(compiled)) == len(compiled)
    for name in one.state.weights:
        np.testing.assert_allclose(one.state.weights[name], other.state.weights[name], rtol=1e-7, atol=1e-9)


def test_the_spiking_model_spikes():
    _, training = losses(*CASES["spiking"], engine="compiled", updates=1)
    record = training.network.run(training.trial(0), 0)
    assert 0.01 < record.trace.mean() < 0.5

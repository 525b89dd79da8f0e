"""The compiled engine and Brian2's runtime give the same numbers."""

import dataclasses

import numpy as np
import pytest

from neuroanp.models import ALIF, LIF, LeakyTanhRNN, TanhRNN
from neuroanp.optim import Adam, Clip
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe

NODES = NodePerturbation(sigma=0.05)
HELD = NodePerturbation(sigma=0.1, hold=10, readout_sigma=0.03)
SHARED = Modulator(discount=0.98, baseline=OtherLanes(copies=2))
CASES = {
    "tanh, nodes, mirrored": (TanhRNN(hidden=12, readout_gain=0.5), NODES),
    "tanh, nodes, sign noise": (TanhRNN(hidden=12), dataclasses.replace(NODES, distribution="sign")),
    "tanh, activity, with a clean pass": (TanhRNN(hidden=12), ActivityPerturbation(mirrored=False)),
    "tanh, weights, per trial": (TanhRNN(hidden=12), WeightPerturbation(sigma=0.05)),
    "tanh, weights, per step": (TanhRNN(hidden=12), WeightPerturbation(sigma=0.05, hold="step")),
    "leaky": (LeakyTanhRNN(hidden=12), NODES),
    "spiking": (LIF(hidden=12, input_gain=15.0, bias=False), NODES),
    "spiking, held, one pass": (LIF(hidden=12, input_gain=3.0), HELD, SHARED, 20),
    "adapting, held, one pass": (ALIF(hidden=12, input_gain=3.0), HELD, SHARED, 20),
}


def losses(model, rule, modulator=None, delay=2, *, engine, updates=20):
    recipe = Recipe(
        model=model, rule=rule, modulator=modulator or Modulator(), clip=Clip(), optimizer=Adam(lr=0.01),
        decorrelation=Decorrelation(rate=0.05), lanes=4, updates=updates,
    )  # fmt: skip
    task = CopyingMemory(length=3, delay=delay, evaluation_trials=5)
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


@pytest.mark.parametrize("case", [case for case in CASES if "one pass" in case or case == "spiking"])
def test_the_spiking_models_spike(case):
    _, training = losses(*CASES[case], engine="compiled", updates=1)
    record = training.network.run(training.trial(0), 0)
    assert 0.01 < record.course.mean() < 0.5

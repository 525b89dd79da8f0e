"""Spiking networks learn the tasks that they come with."""

import pytest
from brian2 import ms

from neuroanp.models import ALIF, LIF
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import EProp, NodePerturbation, OutputPerturbation, ReadoutOnly, RewardSTDP
from neuroanp.tasks import (
    CartPole,
    CueAccumulation,
    DelayedXOR,
    Gymnasium,
    PatternGeneration,
    SpikingDigits,
    StoreRecall,
)
from neuroanp.training.loop import Trainer
from neuroanp.training.train import train
from support.spiking import training


def run(task, *, preset="best", seed=0, engine="compiled", **changes):
    recipe = task.recipe(preset).replace(**changes)
    return Trainer(task, recipe, seed=seed, engine=engine, dtype="float32").run(progress=False)


SHORT = PatternGeneration(duration=400 * ms, ticks=8)


@pytest.mark.parametrize("preset", ["best", "node"])
def test_a_pattern_is_learned(preset):
    found = run(SHORT, preset=preset, model=LIF(hidden=60, input_gain=2.0), lanes=16, updates=40)
    assert found.result["score"] < 0.2 * found.result["trivial"]["mean of the curve"]


@pytest.mark.slow
def test_the_cells_learn_a_pattern_for_a_readout_that_does_not():
    rule = NodePerturbation(sigma=0.1, hold=10, readout="fixed")
    model = LIF(hidden=60, readout_gain=1.0)
    found = run(SHORT, preset="node", model=model, rule=rule, lanes=16, updates=40)
    assert found.result["score"] < 0.6 * min(found.history["test_score"][0], 1.0)


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(DelayedXOR(evaluation_trials=16), marks=pytest.mark.slow),
        StoreRecall(evaluation_trials=16, between=0),
        pytest.param(CueAccumulation(evaluation_trials=16, cues=3), marks=pytest.mark.slow),
        pytest.param(SpikingDigits(row=5 * ms), marks=pytest.mark.slow),
    ],
    ids=lambda task: task.name,
)
def test_every_task_trains_with_its_recipe(task):
    model = task.recipe("best").model.replace(hidden=20)
    found = run(task, model=model, lanes=4, updates=2, engine="runtime")
    assert isinstance(model, ALIF) and 0 <= found.result["score"] <= 1
    assert found.result["score_name"] == task.score_name
    assert {"W_in", "W_rec", "W_out"} <= set(found.weights)


@pytest.mark.slow
def test_a_pattern_of_a_second_is_learned_to_0_03():
    assert run(PatternGeneration(), updates=100).result["score"] <= 0.03


@pytest.mark.slow
def test_the_exclusive_or_is_learned():
    assert run(DelayedXOR()).result["score"] > 0.99


@pytest.mark.slow
def test_hidden_weights_name_digits_that_the_readout_alone_does_not():
    """Two minutes."""
    ours, readout = (run(SpikingDigits(), **changes).result for changes in ({}, {"rule": ReadoutOnly()}))
    assert ours["score"] > 0.8 > 0.75 > readout["score"]
    assert ours["test_loss"] < 0.75 * readout["test_loss"]


@pytest.mark.slow
def test_sparse_cells_with_delays_learn():
    model = LIF(hidden=60, input_gain=2.0, density=0.1, readout_gain=1.0, delay=5 * ms)
    assert training(model=model).run(False).result["score"] < 0.4


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule", [EProp(readout="fixed"), EProp(feedback="random")], ids=["cells alone", "random feedback"]
)
def test_adapting_cells_learn_a_pattern_by_e_prop(rule):
    made = training(
        model=ALIF(hidden=40, input_gain=2.0, readout_gain=1.0), updates=150, lanes=4, rule=rule,
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["score"] < 0.2


@pytest.mark.slow
def test_cells_learn_from_reward_by_stdp():
    """Input and recurrent weights alone, from a scalar, with a readout that stays as it was drawn."""
    made = training(
        rule=RewardSTDP(sigma=0.3, hold=10, readout="fixed"), updates=200, lanes=32,
        modulator=Modulator(discount=0.95, baseline=OtherLanes()),
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["score"] < 0.2


@pytest.mark.slow
def test_spiking_cells_learn_from_survival_alone():
    run = train(task=CartPole(), updates=12, seed=1, dtype="float32", progress=False)
    assert run.result["score"] > 200
    assert run.result["beats_trivial"] and run.result["trivial"]["random"] > 0.01
    assert "steps until the end of an episode" in str(run)


@pytest.mark.slow
def test_an_environment_of_gymnasium_is_learned():
    pytest.importorskip("gymnasium", reason="gymnasium is not installed")
    run = train(task=Gymnasium(longest=100), lanes=16, updates=25, seed=2, progress=False)
    assert run.result["score"] > 2 * run.result["trivial_scores"]["random"]
    assert run.result["beats_trivial"]
    assert "better than the best trivial predictor (random, " in str(run)


@pytest.mark.slow
def test_a_scalar_a_trial_teaches_the_cells_the_exclusive_or():
    """10 s: half the way from node perturbation to backpropagation, with no targets for cells or readout."""
    rule = OutputPerturbation(distribution="sign")
    found = run(
        DelayedXOR(),
        rule=rule,
        modulator=Modulator(baseline=RunningMean()),
        optimizer=Adam(lr=2e-3, input_lr=2e-2, readout_lr=1e-2),
        lanes=64,
        updates=100,
    )
    assert found.result["score"] > 0.97 and found.result["test_loss"] < 0.35

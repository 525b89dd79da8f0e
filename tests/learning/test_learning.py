"""Every rule learns on the real engine, and every task's published recipe runs."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.config import registry
from neuroanp.models import TanhRNN
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation
from neuroanp.training.train import train
from support.copying import training
from support.event_files import camera_folder, spoken_folder

RULES = {"nodes": NodePerturbation, "activity": ActivityPerturbation, "weights": WeightPerturbation}


@pytest.mark.parametrize(
    ("rule", "readout", "updates"),
    [
        ("nodes", "delta", 200),
        pytest.param("nodes", "perturb", 200, marks=pytest.mark.slow),
        pytest.param("activity", "perturb", 200, marks=pytest.mark.slow),
        pytest.param("weights", "perturb", 1000, marks=pytest.mark.slow),
    ],
)
def test_short_copying_is_learned_beyond_what_memoryless_predictors_reach(rule, readout, updates):
    made = training(
        rule=RULES[rule](sigma=0.05, readout=readout), updates=updates,
        model=TanhRNN(hidden=20, readout_gain=1.0), decorrelation=Decorrelation(),
    )  # fmt: skip
    run = made.run(progress=False)
    assert run.result["beats_trivial"]
    assert run.result["test_loss"] < 0.5 * run.result["trivial"]["memoryless"]
    assert run.result["score"] > 0.9


@pytest.mark.slow
def test_a_fixed_readout_stays_and_the_hidden_weights_learn_for_it():
    made = training(
        rule=NodePerturbation(sigma=0.05, readout="fixed"), updates=300,
        model=TanhRNN(hidden=20, readout_gain=1.0),
    )  # fmt: skip
    before = made.state.weights
    run = made.run(progress=False)
    np.testing.assert_array_equal(run.weights["W_out"], before["W_out"])
    assert np.abs(run.weights["W_rec"] - before["W_rec"]).max() > 0.1
    assert run.result["test_loss"] < 0.5 * run.result["trivial"]["memoryless"]


SHORT = {"copying-memory", "mackey-glass", "weather"}
OF_A_USERS_DATA = {"series", "trial-arrays"}
"""Tasks that are trained in their own tests, as there is none without data."""


@pytest.mark.parametrize(
    "name",
    [
        name if name in SHORT else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(registry.classes("task").keys() - {"cart-pole", *OF_A_USERS_DATA})
    ],
)
def test_the_published_recipe_of_every_task_with_a_target_runs(name, small_file, tmp_path):
    small = {
        "copying-memory": {"evaluation_trials": 64},
        "cue-accumulation": {"cues": 3, "evaluation_trials": 16},
        "delayed-xor": {"evaluation_trials": 16},
        "digits": {"evaluation_trials": 64},
        "mackey-glass": {"steps": 400},
        "store-recall": {"evaluation_trials": 16},
        "weather": {"data": str(small_file()), "train_hours": 400},
    }
    if name == "spoken-digits":
        folder = str(spoken_folder(tmp_path))
        small[name] = {"data": folder, "dataset": "own", "duration": 100 * ms, "pool": 70}
    elif name == "n-mnist":
        small[name] = {"data": str(camera_folder(tmp_path))}
    engine = "runtime" if name in SHORT else "compiled"
    task = registry.find("task", name)(**small.get(name, {}))
    run = train(task=task, preset="published", lanes=16, updates=2, engine=engine, progress=False)
    assert run.result["rule"] == "activity-perturbation"
    assert run.result["updates"] == 2 and np.isfinite(run.result["test_loss"])
    assert len(set(run.history["loss"])) == 2

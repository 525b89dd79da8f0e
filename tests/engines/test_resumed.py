"""A training that goes on from its stored state equals the uninterrupted one to the bit."""

import dataclasses

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.models import LIF, TanhRNN
from neuroanp.reward import RunningMean
from neuroanp.rules import NodePerturbation, ResponsePerturbation
from neuroanp.tasks import CopyingMemory, MackeyGlass

WINDOWS = MackeyGlass(steps=900, window=20, washout=5, carry=True)
CASES = {
    "decorrelated, with a memory": (
        CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=8),
        nap.Recipe(model=TanhRNN(hidden=9), rule=ResponsePerturbation(lags=3)),
    ),
    "carried windows, running mean": (
        WINDOWS,
        nap.Recipe(
            model=TanhRNN(hidden=9), rule=NodePerturbation(), decorrelation=None,
            modulator=nap.Modulator(baseline=RunningMean()),
        ),
    ),
    "spikes under way": (
        dataclasses.replace(WINDOWS, window=40),
        nap.Recipe(
            model=LIF(hidden=12, density=0.3, delay=6 * ms, input_gain=4.0), rule=NodePerturbation(hold=5),
            decorrelation=None,
        ),
    ),
    "signs kept": (
        WINDOWS,
        nap.Recipe(model=nap.models.EI(hidden=10), rule=NodePerturbation(sigma=0.1), decorrelation=None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_stored_training_goes_on_to_the_bit(case, tmp_path):
    task, recipe = CASES[case]
    recipe = recipe.replace(lanes=4, updates=8)
    whole, first, second = (nap.Trainer(task, recipe, seed=2, tests=2, engine="runtime") for _ in range(3))
    expected = whole.run(progress=False)
    for step in first:
        if step.update == 5:
            break
    np.savez(tmp_path / "state.npz", **first.get_state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as stored:
        second.set_state(dict(stored))
    run = second.run(progress=False)
    for name in ("loss", "test_loss", "test_score"):
        np.testing.assert_array_equal(run.history[name], expected.history[name])
    for name, w in expected.weights.items():
        np.testing.assert_array_equal(run.weights[name], w)

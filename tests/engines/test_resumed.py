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
from neuroanp.training.run_folder import RunFolder

ENGINES = ("compiled", "runtime")

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


class FewXOR(nap.tasks.DelayedXOR):
    """A task with few unseen trials, as they are most of the time here."""

    name = "few-xor"

    def evaluation(self, rng):
        return self.trial(rng, 4)


MORE = {
    "spikes, compared lanes": (
        FewXOR(),
        nap.Recipe(
            model=LIF(hidden=12), rule=NodePerturbation(sigma=0.1, hold=5, readout="delta"),
            decorrelation=None,
            modulator=nap.Modulator(discount=0.9, baseline=nap.reward.OtherLanes(copies=2)),
        ),
    ),
    "noise that wanders": (
        CASES["decorrelated, with a memory"][0],
        nap.Recipe(model=TanhRNN(hidden=9), rule=nap.rules.OrnsteinUhlenbeck(), decorrelation=None),
    ),
    "plant": (
        nap.tasks.CartPole(longest=20, episodes=2),
        nap.Recipe.of(nap.tasks.CartPole()).replace(model=TanhRNN(hidden=9)),
    ),
    "plant in Python": (
        nap.tasks.Gymnasium(env="CartPole-v1", longest=20, episodes=2),
        nap.Recipe.of(nap.tasks.CartPole()).replace(model=TanhRNN(hidden=9)),
    ),
    "float32": (CASES["decorrelated, with a memory"][0], nap.Recipe(model=TanhRNN(hidden=9))),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "engine", "cuts"),
    [
        *((case, "runtime", 1) for case in CASES),
        *(
            pytest.param(case, engine, 20, marks=pytest.mark.slow)
            for case in CASES | MORE
            for engine in ENGINES
        ),
    ],
)
def test_a_training_that_is_cut_goes_on_to_the_bit(case, engine, cuts, tmp_path):
    """At random updates; the slow part takes about 4 minutes."""
    task, recipe = (CASES | MORE)[case]
    recipe = recipe.replace(lanes=4, updates=8 if cuts == 1 else 25)
    settings = {
        "seed": 2,
        "tests": 2,
        "engine": engine,
        "dtype": "float32" if case == "float32" else "float64",
    }
    points = np.random.default_rng(3).integers(1, recipe.updates, cuts)
    whole = nap.Trainer(task, recipe, **settings)
    folders = []
    for step in whole:
        for _ in range(np.count_nonzero(points == step.update)):
            folders.append(RunFolder(tmp_path / str(len(folders)), whole).path)
    expected = whole.result()
    for folder in folders:
        nap.resume(folder, progress=False)
        run = nap.load(folder)
        for name in ("update", "loss", "test_update", "test_loss", "test_score"):
            np.testing.assert_array_equal(run.history[name], expected.history[name])
        for name, w in expected.weights.items():
            np.testing.assert_array_equal(run.weights[name], w)
        assert not (folder / "checkpoint.npz").exists()
    assert len(folders) == cuts

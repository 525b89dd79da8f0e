"""Network of the training before, given again: the next training has the bits that a new one gives it."""

import numpy as np
import pytest

import neuroanp as nap
from neuroanp.models import ALIF, LIF, TanhRNN
from neuroanp.rules import NodePerturbation, WeightPerturbation
from neuroanp.sweeps.kept_network import kept_network
from neuroanp.training.loop import Trainer
from support.copying import COPYING, RECIPE

RECIPES = {
    "tanh": RECIPE,
    "decorrelated": RECIPE.replace(decorrelation=nap.Decorrelation(rate=0.1)),
    "weights": RECIPE.replace(rule=WeightPerturbation(sigma=0.01)),
    "spiking": RECIPE.replace(model=ALIF(hidden=8), rule=NodePerturbation(sigma=0.1)),
    "direct": RECIPE.replace(model=TanhRNN(hidden=8, skip=True, skip_steps=3)),
    "sparse": RECIPE.replace(model=LIF(hidden=20, density=0.3), rule=NodePerturbation(sigma=0.1)),
}


def trained(recipe, seed, **others):
    trainer = Trainer(COPYING, recipe.replace(updates=3), seed=seed, tests=1, **others)
    return trainer.run(progress=False), trainer.network


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_in_a_kept_network_is_the_same(name):
    recipe = RECIPES[name]
    _, first = trained(recipe, 0, build=kept_network)
    kept, second = trained(recipe, 1, build=kept_network)
    assert (first is second) == (name != "sparse")
    new, _ = trained(recipe, 1)
    assert kept.weights.keys() == new.weights.keys()
    for weight, values in new.weights.items():
        np.testing.assert_array_equal(kept.weights[weight], values)
    assert kept.result | {"seconds": 0} == new.result | {"seconds": 0}


def test_another_setting_makes_another_network():
    _, first = trained(RECIPE, 0, build=kept_network)
    for other in (
        RECIPE.replace(lanes=8),
        RECIPE.replace(rule=RECIPE.rule.replace(sigma=0.01)),
        RECIPE.replace(model=TanhRNN(hidden=8)),
    ):
        assert trained(other, 0, build=kept_network)[1] is not first
    assert trained(RECIPE.replace(optimizer=nap.optim.SGD()), 0, build=kept_network)[1] is not first

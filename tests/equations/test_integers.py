"""Integer chips against the training in floating point that they stand for."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuroanp.models import ALIF, LIF
from neuroanp.optim import SGD, Clip, ShiftSGD, SignSGD
from neuroanp.reward import Modulator, OtherLanes, OtherPass
from neuroanp.substrate import FixedPoint
from neuroanp.substrate.float_machine import FloatMachine
from neuroanp.substrate.noise import NodeNoise
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from support.integers import HEBBIAN, RULES, chip

TRIALS = 4


def trained(made):
    """Weights of `neuroanp.train` with the settings of a chip."""
    recipe = Recipe(
        model=made.model, rule=made.rule, modulator=made.modulator, optimizer=made.optimizer,
        decorrelation=None, clip=Clip(norm=math.inf), lanes=made.lanes, updates=made.updates,
    )  # fmt: skip
    trainer = Trainer(made.task, recipe, seed=made.seed, engine="runtime", tests=0)
    return trainer.run().weights


CASES = {
    **{name: {"rule": rule} for name, rule in RULES.items()},
    "hebbian": {"rule": HEBBIAN},
    "lif": {"model": LIF(hidden=5, input_gain=6.0)},
    "alif": {"model": ALIF(hidden=5, input_gain=6.0, beta=0.4), "rule": RULES["stdp"]},
    "lanes": {"lanes": 6, "optimizer": SignSGD(lr=0.01, momentum=0.5)},
    "other lanes": {"lanes": 4, "modulator": Modulator(discount=0.9, baseline=OtherLanes(copies=2))},
    "two passes": {
        "rule": RULES["weights"], "modulator": Modulator(discount=0.9, baseline=OtherPass()), "lanes": 2,
    },
    "momentum": {"optimizer": SGD(lr=0.01, momentum=0.8)},
}  # fmt: skip

QUICK = ("alif", "lanes")
ON_WEIGHTS = ("weights", "wandering", "two passes")


def in_floating_point(made, trials):
    """Weights after some trials of the statements, in numbers that don't round."""
    machine = FloatMachine(made.network, NodeNoise(made.network, made.seeds.noise))
    other = made.on(machine)
    for index in range(trials):
        other.step(index)
    return {name: variables["weight"][0] for name, variables in machine.synapses.items()}


@pytest.mark.parametrize(
    "case",
    [
        case if case in QUICK else pytest.param(case, marks=pytest.mark.slow)
        for case in CASES
        if case not in ON_WEIGHTS
    ],
)
def test_the_statements_of_a_chip_are_the_training_in_floating_point(case):
    """The order of a chip's step is that of the fast path; that has no noise on weights of spiking cells."""
    made = chip(**{"updates": TRIALS, "engine": "runtime"} | CASES[case])
    floats, start = in_floating_point(made, TRIALS), made.network.weights
    for name, weights in trained(made).items():
        assert np.abs(weights - start[name]).max() > 1e-5
        np.testing.assert_allclose(floats[name], weights, rtol=1e-9, atol=1e-12)


SLOW = [pytest.param(case, marks=pytest.mark.slow) for case in ("wandering", "two passes", "nodes", "stdp")]


@pytest.mark.parametrize("case", ["weights", "delta", "alif", *SLOW])
def test_with_many_bits_integers_follow_the_floating_point(case):
    numbers = FixedPoint(
        weight_bits=24, eligibility_bits=18, gradient_bits=31, potential_bits=24, broadcast_bits=18,
        rounding="nearest", readout_range=2.0,
    )  # fmt: skip
    made = chip(**{"numbers": numbers} | CASES[case])
    floats, start = in_floating_point(made, 2), made.network.weights
    for index in range(2):
        made.step(index)
    for name, weights in floats.items():
        change = np.abs(weights - start[name]).max()
        assert np.abs(made.weights[name] - weights).max() < 0.05 * change


def test_changing_weights_reach_the_chip_s_answers():
    made = chip(updates=30)
    before = made.outputs(made.trial(0))
    for index in range(30):
        made.step(index)
    assert np.abs(made.outputs(made.trial(0)) - before).max() > 0.01


def test_rates_that_are_powers_of_two_fall_by_halves():
    stage = ShiftSGD(lr=0.3, anneal="linear")
    rates = [stage.rate("W_rec", progress) for progress in np.linspace(0, 0.99, 50)]
    assert rates[0] == 0.25 and all(math.log2(rate).is_integer() for rate in rates)
    assert all(a in (b, 2 * b) for a, b in itertools.pairwise(rates))

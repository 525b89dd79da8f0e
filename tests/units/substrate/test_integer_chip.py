"""Chips in whole numbers: the same bits on both engines, what they report, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.errors import InvalidValue, UnsupportedConstruct
from neuroanp.hardware import IntegerChip
from neuroanp.models import LIF, TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam, Chain, Clip, ShiftSGD
from neuroanp.reward import InputCritic, Modulator, OtherLanes
from neuroanp.rules import ActivityPerturbation, NodePerturbation
from neuroanp.substrate import FixedPoint
from neuroanp.tasks import CartPole
from support.integers import NODES, RULES, TASK, chip

NUMBERS = {
    "counter": FixedPoint(),
    "shifts": FixedPoint(constants="shift", noise="xorshift"),
    "few bits": FixedPoint(weight_bits=5, eligibility_bits=8, gradient_bits=12, rounding="floor"),
}


@pytest.mark.parametrize("numbers", NUMBERS)
def test_compiled_code_and_numpy_have_the_same_bits(numbers):
    lanes = 1 if NUMBERS[numbers].noise == "xorshift" else 3
    both = [chip(numbers=NUMBERS[numbers], lanes=lanes, engine=engine) for engine in ("runtime", "compiled")]
    start = both[0].integers
    for index in range(3):
        losses = [made.step(index) for made in both]
        assert losses[0] == losses[1]
    for name, variables in both[0].machine.synapses.items():
        assert (both[0].integers[name] != start[name]).any()
        for variable, values in variables.items():
            np.testing.assert_array_equal(values, both[1].machine.synapses[name][variable])
    assert str(both[0].report()) == str(both[1].report())


def test_the_same_seed_gives_the_same_bits_and_another_others():
    def weights(seed):
        made = chip(seed=seed)
        for index in range(2):
            made.step(index)
        return made.integers["W_rec"]

    np.testing.assert_array_equal(weights(1), weights(1))
    assert (weights(1) != weights(2)).any()


def test_a_weight_stays_within_its_bits_and_the_report_counts_what_was_cut():
    made = chip(numbers=FixedPoint(weight_bits=4, weight_range=0.5), optimizer=ShiftSGD(lr=1.0))
    for index in range(3):
        made.step(index)
    report = made.report()
    assert {int(w.max()) for w in made.integers.values()} <= set(range(8))
    assert min(int(w.min()) for w in made.integers.values()) == -8
    assert report.variables["W_rec.weight"].saturated > 0 and report.saturated > 0
    assert report.variables["W_rec.weight"].used == report.variables["W_rec.weight"].bits == 4


def test_the_report_shows_the_bias_of_rounding_down():
    biases = {}
    for rounding in ("floor", "stochastic"):
        made = chip(numbers=FixedPoint(rounding=rounding, constants="shift"), rule=NODES)
        for index in range(4):
            made.step(index)
        biases[rounding] = made.report().variables["W_rec.eligibility"].bias
    assert biases["floor"] < -0.05 and abs(biases["stochastic"]) < 0.02


def test_a_test_changes_nothing():
    one, other = (chip(numbers=FixedPoint(noise="xorshift")) for _ in range(2))
    one.step(0), other.step(0)
    one.test()
    assert str(one.report()) == str(other.report())
    assert one.step(1) == other.step(1)


REFUSED = {
    "rate units": ({"model": TanhRNN(hidden=4)}, InvalidValue, "cells spike"),
    "delays": ({"model": LIF(hidden=20, density=0.5)}, InvalidValue, "all synapses"),
    "not local": ({"rule": ActivityPerturbation(distribution="sign")}, InvalidValue, "squared norm"),
    "division": ({"optimizer": Adam()}, UnsupportedConstruct, "IntegerChip.optimizer or rule, W_in: "),
    "clipping": ({"optimizer": Chain(Clip(norm=1.0), ShiftSGD())}, InvalidValue, "norm of the update"),
    "critic": ({"modulator": Modulator(baseline=InputCritic())}, InvalidValue, "IntegerChip"),
    "lanes of one chip": ({"modulator": Modulator(baseline=OtherLanes())}, InvalidValue, "2 lanes"),
    "gaussian noise of a register": (
        {"numbers": FixedPoint(noise="xorshift"), "rule": NodePerturbation(sigma=0.1)},
        InvalidValue,
        "NodePerturbation.distribution: expected 'sign' with FixedPoint(noise='xorshift'), got 'gaussian'",
    ),
    "several chips": ({"numbers": FixedPoint(noise="xorshift"), "lanes": 2}, InvalidValue, "one chip"),
    "weights of other chips": ({"rule": RULES["wandering"], "lanes": 0}, InvalidValue, "IntegerChip.lanes"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_chip_cannot_do_is_refused_by_name(case):
    changes, error, words = REFUSED[case]
    with pytest.raises(error) as told:
        chip(**changes)
    assert words in str(told.value)


def test_a_plant_is_refused():
    with pytest.raises(InvalidValue, match=r"^IntegerChip\.task: .* in open loop, got cart-pole"):
        IntegerChip(LIF(hidden=4), CartPole(), rule=NODES)


def test_readout_weights_have_a_range_of_their_own():
    made = chip(numbers=FixedPoint(weight_range=2.0, readout_range=16.0))
    for name, reach in (("W_rec", 2), ("W_out", 16)):
        format_ = made.blocks.formats[name]["weight"]
        largest = np.abs(made.network.weights[name]).max()
        assert reach * largest <= 2.0 ** (format_.bits - 1) / format_.scale < 2 * reach * largest


def test_weights_can_be_brought_along():
    trained = chip()
    for index in range(5):
        trained.step(index)
    other = chip(weights=trained.weights)
    step = {name: 2 / other.machine.blocks.formats[name]["weight"].scale for name in other.weights}
    for name, weights in trained.weights.items():
        assert np.abs(other.weights[name] - weights).max() <= step[name]
    assert TASK is other.task


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numbers": "x"}, r"^IntegerChip\.numbers: expected an instance of FixedPoint, got x"),
        (
            {"optimizer": "sgd"},
            r"^IntegerChip\.optimizer: expected an instance of Stage, as SGD\(\), got",
        ),
        ({"weights": {}}, r"^IntegerChip\.weights: expected W_in, W_rec, W_out, got none"),
        ({"weights": 3}, r"^IntegerChip\.weights: expected an instance of Mapping"),
        ({"W_rec": np.ones((1, 6))}, r"^IntegerChip\.weights\['W_rec'\]: expected shape \(6, 6\)"),
        ({"W_rec": np.full((6, 6), np.nan)}, r"^IntegerChip\.weights\['W_rec'\]: expected finite numbers"),
    ],
)
def test_parts_and_weights_that_are_none_are_refused_by_name(changes, message):
    if "W_rec" in changes:
        changes = {"weights": dict(chip().weights) | changes}
    with pytest.raises(InvalidValue, match=message):
        chip(**changes)


def test_a_trial_that_the_chip_cannot_show_is_refused():
    made = chip()
    trial = made.trial(0)
    half = Trial(trial.inputs * 0.5, trial.targets)
    with pytest.raises(InvalidValue, match=r"^Trial\.inputs: expected 0 or 1.* got 0\.5"):
        made.learn_from(half, 0)
    with pytest.raises(InvalidValue, match=r"^Trial\.inputs: expected 0 or 1"):
        made.outputs(half)
    with pytest.raises(InvalidValue, match=r"^Trial\.inputs: expected shape \(any, 1, "):
        made.learn_from(trial.repeated(2), 0)

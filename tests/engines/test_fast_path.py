"""Synapses that learn by their own equations reach the weights of the fast path."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, EI, ConductanceLIF, LeakyTanhRNN
from neuroanp.optim import SGD, Adam, Chain, KeepSigns, WeightBounds
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import (
    DelayedHebbian,
    EProp,
    EscapeScore,
    NodePerturbation,
    NodeRule,
    OrnsteinUhlenbeck,
    RewardSTDP,
    WeightPerturbation,
    times,
)
from neuroanp.synapse import Synapse
from neuroanp.tasks import MackeyGlass
from support.chip import SPIKING, TANH, TASK, apart, both, train

NODES = NodePerturbation(sigma=0.05)
SERIES = MackeyGlass(carry=True, window=6, steps=350)


class SignPerturbation(NodeRule):
    """A rule that nothing else knows of."""

    name = "sign-perturbation"

    def own_synapse(self, name, passes):
        return Synapse(
            state=("eligibility", "gradient"),
            eligibility="eligibility = decay * eligibility + sign(noise_post) * trace_pre / sigma",
            credit="gradient += modulator * eligibility",
            forget="gradient = 0",
            constants={"sigma": self.sigma},
        )

    def post(self, layer, record, modulator):
        return times(modulator / self.sigma, np.sign(layer.noise))


ADAPTIVE = ALIF(hidden=6, input_gain=1.0, recurrent_gain=3.0, bias_mean=1.5, bias=True)
CASES = {
    "tanh": {},
    "tanh, momentum, discount 1": {
        "optimizer": SGD(lr=5e-4, momentum=0.5, anneal="linear"),
        "modulator": Modulator(baseline=RunningMean(memory=0.5)),
    },
    "tanh, discount 0, sign noise, readout delta": {
        "rule": NodePerturbation(sigma=0.05, distribution="sign", readout="delta"),
        "modulator": Modulator(discount=0.0, baseline=RunningMean()),
    },
    "tanh, bounds": {"optimizer": Chain(Adam(lr=0.01), WeightBounds(low=-0.4, high=0.3))},
    "tanh, windows": {"task": SERIES, "model": TANH},
    "tanh, a rule from elsewhere": {"rule": SignPerturbation(sigma=0.05)},
    "leaky, readout fixed": {
        "model": LeakyTanhRNN(hidden=5, readout_gain=0.5),
        "rule": NodePerturbation(sigma=0.05, readout="fixed"),
    },
    "lif": {"model": SPIKING},
    "lif, readout delta": {"model": SPIKING, "rule": NodePerturbation(sigma=0.05, readout="delta")},
    "lif, windows": {"model": dataclasses.replace(SPIKING, bias=True), "task": SERIES},
    "lif, held noise": {
        "model": SPIKING,
        "rule": NodePerturbation(sigma=0.1, hold=3, readout_sigma=0.02),
    },
    "alif": {"model": ADAPTIVE},
    "lif, reward-modulated STDP": {"model": SPIKING, "rule": RewardSTDP(sigma=0.1, readout="delta")},
    "lif, reward-modulated STDP, windows": {"model": SPIKING, "rule": RewardSTDP(sigma=0.1), "task": SERIES},
    "tanh, delayed Hebbian": {"rule": DelayedHebbian(sigma=0.3, probability=0.2, memory=0.3)},
    "lif, delayed Hebbian": {
        "model": SPIKING,
        "rule": DelayedHebbian(sigma=0.3, probability=0.2, readout="delta"),
    },
    "lif, learned feedback": {"model": SPIKING, "rule": EProp(escape=0.2, every=2, warmup=2)},
    "alif, learned feedback": {"model": ADAPTIVE, "rule": EProp(escape=0.2, every=1, warmup=0)},
    "alif, Kolen-Pollack feedback": {"model": ADAPTIVE, "rule": EProp(feedback="kolen-pollack")},
    "lif, random feedback": {"model": SPIKING, "rule": EProp(feedback="random")},
    "alif, escape score": {"model": ADAPTIVE, "rule": EscapeScore(escape=0.2)},
    "lif, escape score": {"model": SPIKING, "rule": EscapeScore(escape=0.2, readout="perturb")},
    "weights that wander": {"rule": OrnsteinUhlenbeck(sigma=0.05, relaxation=0.3)},
    "weights that wander, mirrored": {
        "rule": OrnsteinUhlenbeck(sigma=0.05, relaxation=1.0, readout="fixed"),
        "modulator": Modulator(discount=0.9),
    },
    "weights, one pass": {"rule": WeightPerturbation(sigma=0.05)},
    "weights, mirrored": {"rule": WeightPerturbation(sigma=0.05), "modulator": Modulator(discount=0.9)},
    "weights, clean pass, readout delta": {
        "rule": WeightPerturbation(sigma=0.05, mirrored=False, readout="delta"),
        "modulator": Modulator(),
    },
    "weights, drawn at each step": {
        "rule": WeightPerturbation(sigma=0.05, hold="step"),
        "modulator": Modulator(discount=0.9),
    },
    "weights, drawn at each step, windows": {
        "rule": WeightPerturbation(sigma=0.05, hold="step"),
        "task": SERIES,
    },
}


@pytest.mark.parametrize(
    "case",
    [
        # Brian2 takes seconds to solve the equations of adapting cells
        pytest.param(case, marks=() if k < 3 and case != "alif" else pytest.mark.slow)
        for k, case in enumerate(CASES)
    ],
)
def test_the_weights_are_those_of_the_fast_path(case):
    chip, fast = both(**CASES[case])
    start = chip.weights
    losses = np.array(train(chip, fast))
    assert max(apart(chip, fast).values()) < 1e-9
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=1e-9)
    fixed = {"W_out"} if chip.rule.readout == "fixed" else set()
    for name, weights in chip.weights.items():
        moved = np.abs(weights - start[name]).max()
        assert (moved == 0) if name in fixed else (moved > 1e-3), name


def test_compiled_synapses_learn_the_same():
    chip, fast = both(engine="compiled", model=SPIKING)
    train(chip, fast)
    assert chip.engine == "compiled"
    assert max(apart(chip, fast).values()) < 1e-9


def test_the_spiking_network_spikes_also_into_refractory_cells():
    _, fast = both(model=SPIKING)
    spikes = fast.network.run(fast.trial(0), 0).traces[:, 0, 0]
    assert 0.1 < spikes.mean() < 0.9
    silent = [
        spikes[t].any() and (spikes[t - 2 : t].any(axis=0) & (spikes[t] == 0)).any() for t in range(2, 8)
    ]
    assert any(silent)


@pytest.mark.parametrize(
    "wrong",
    [
        {"eligibility": "eligibility = eligibility + noise_post * trace_pre / (sigma**2 * hold)"},
        {"eligibility": "eligibility = noise_post * trace_pre / (sigma**2 * hold)"},
        {"eligibility": "eligibility = decay * (eligibility + noise_post * trace_pre / (sigma**2 * hold))"},
        {"eligibility": "eligibility = decay * eligibility + noise_post * trace_post / (sigma**2 * hold)"},
        {"credit": "gradient = modulator * eligibility"},
        {"credit": "gradient += outcome * eligibility"},
        {"forget": "gradient = 0.1 * gradient"},
    ],
    ids=lambda change: "; ".join(change.values()),
)
def test_a_wrong_equation_is_seen(wrong, monkeypatch):
    right = NODES.own_synapse("W_rec", ("plus",))
    changed = dataclasses.replace(right, **wrong)

    def own_synapse(self, name, passes):
        return changed if name == "W_rec" else right

    monkeypatch.setattr(NodePerturbation, "own_synapse", own_synapse)
    chip, fast = both(optimizer=SGD(lr=1e-3))
    train(chip, fast, trials=5)
    assert apart(chip, fast)["W_rec"] > 1e-5


def test_a_trial_can_be_repeated():
    one, other = both()[0], both()[0]
    for trial in range(3):
        assert one.step(trial) == other.step(trial)
    assert all((one.weights[name] == other.weights[name]).all() for name in one.weights)
    assert one.trial(4).inputs.shape == (2 * TASK.length + TASK.delay, 1, TASK.n_in)


@pytest.mark.parametrize("model", [EI(hidden=6), ConductanceLIF(hidden=6)], ids=lambda model: model.name)
def test_models_with_signs_are_refused(model):
    with pytest.raises(InvalidValue, match=r"OnChip\.model"):
        both(model=model)


def test_a_stage_that_keeps_signs_is_refused():
    with pytest.raises(InvalidValue, match="not declared"):
        both(optimizer=Chain(Adam(lr=0.01), KeepSigns(names=("W_rec",))))

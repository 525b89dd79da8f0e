"""Backpropagation through time: the forward pass is Brian2's, the gradient is the loss's, and it trains."""

import dataclasses
import math
import sys

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.models import ALIF, EI, LIF, BalancedLIF, ConductanceLIF, Izhikevich, LeakyTanhRNN, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.rules import ReadoutOnly
from neuroanp.tasks import CopyingMemory, PatternGeneration
from neuroanp.training.train import train

pytest.importorskip("jax", reason="jax is not installed")
from neuroanp.gradients import BPTT
from neuroanp.gradients.surrogates import SURROGATES

RATE = [TanhRNN(hidden=7, readout_gain=1.0), LeakyTanhRNN(hidden=7, tau_max=20 * ms, readout_gain=1.0)]
SPIKING = [
    LIF(hidden=30, bias_mean=1.0, recurrent_gain=2.0),
    ALIF(hidden=30, bias_mean=1.2, beta=0.4, tau_a=30 * ms, recurrent_gain=2.0),
    BalancedLIF(hidden=30, bias_mean=1.2),
    EI(hidden=30, bias_mean=1.2, recurrent_gain=2.0),
    ConductanceLIF(hidden=30, bias_mean=1.2, recurrent_gain=0.5),
    Izhikevich(hidden=30, bias_mean=10.0),
]


def case(model, steps=9, lanes=3, n_in=4, n_out=2, decorrelated=False, dtype="float64"):
    rng = np.random.default_rng(5)
    network = Network(model, n_in, n_out, 1 * ms, lanes=lanes, decorrelated=decorrelated, dtype=dtype,
                      engine="runtime", perturbation=BPTT().perturbation)  # fmt: skip
    D = {}
    if decorrelated:
        sizes = {"D_in": network.n_in, "D_hidden": model.hidden}
        D = {name: np.eye(n) + 0.2 * rng.normal(size=(n, n)) for name, n in sizes.items()}
    weights = model.initial_weights(rng, network.n_in, n_out)
    mask = (np.arange(steps) > 1)[:, None] * rng.random((steps, lanes))
    trial = Trial(rng.normal(size=(steps, lanes, n_in)), rng.normal(size=(steps, lanes, n_out)), mask)
    return network, weights, D, trial


def run(network, weights, D, trial):
    network.load(weights, D)
    return network.run(trial)


def total(record):
    return float((record.loss[:, 0] * record.mask).sum() / record.mask.shape[1])


@pytest.mark.parametrize("decorrelated", [False, True])
@pytest.mark.parametrize("model", RATE, ids=lambda model: model.name)
def test_rates_are_brian2s(model, decorrelated):
    record = run(*case(model, steps=200, decorrelated=decorrelated))
    trace, outputs = BPTT().forward(record)
    np.testing.assert_allclose(trace, record.traces[:, 0], atol=1e-9)
    np.testing.assert_allclose(outputs, record.outputs[:, 0], atol=1e-9)


@pytest.mark.parametrize("model", SPIKING, ids=lambda model: model.name)
def test_spikes_are_brian2s(model):
    record = run(*case(model, steps=150, lanes=5))
    trace, outputs = BPTT().forward(record)
    np.testing.assert_array_equal(trace, record.traces[:, 0])
    np.testing.assert_allclose(outputs, record.outputs[:, 0], atol=1e-9)
    assert 0.005 < trace.mean() < 0.3


@pytest.mark.parametrize("decorrelated", [False, True])
@pytest.mark.parametrize("model", RATE, ids=lambda model: model.name)
def test_the_gradient_is_that_of_the_loss(model, decorrelated):
    network, weights, D, trial = case(model, decorrelated=decorrelated)
    gradient = BPTT()(run(network, weights, D, trial), np.zeros((9, 3)), {})
    assert set(gradient) == set(weights)
    rng, eps = np.random.default_rng(1), 1e-6
    for name, w in weights.items():
        for _ in range(4):
            direction = rng.normal(size=w.shape)
            ends = [
                total(run(network, weights | {name: w + sign * eps * direction}, D, trial))
                for sign in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * eps)
            assert (gradient[name] * direction).sum() == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_the_readout_of_spikes_has_the_gradient_of_the_loss():
    network, weights, D, trial = case(SPIKING[0], steps=60)
    gradient = BPTT()(run(network, weights, D, trial), np.zeros((60, 3)), {})
    direction, eps = np.random.default_rng(1).normal(size=weights["W_out"].shape), 1e-6
    ends = [
        total(run(network, weights | {"W_out": weights["W_out"] + sign * eps * direction}, D, trial))
        for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * eps)
    assert (gradient["W_out"] * direction).sum() == pytest.approx(slope, rel=1e-6)


def test_the_surrogate_gradient_of_one_cell_by_hand():
    """Two steps, no spike: loss at the second; v = (memory v + drive W u), y is fed by z alone."""
    model = LIF(hidden=1, bias=False, recurrent_gain=0.0, v_spread=0.0)
    network = Network(model, 1, 1, 1 * ms, lanes=1, engine="runtime", perturbation=BPTT().perturbation)
    weights = {"W_in": np.array([[2.0]]), "W_rec": np.zeros((1, 1)), "W_out": np.array([[0.7]])}
    trial = Trial(np.array([1.0, 3.0]).reshape(2, 1, 1), np.ones((2, 1, 1)), np.array([[0.0], [1.0]]))
    record = run(network, weights, {}, trial)
    gradient = BPTT(damping=0.3, steepness=0.5)(record, np.zeros((2, 1)), {})
    m, g = model.cells(1 * ms).memory, model.cells(1 * ms).drive
    v = np.array([g * 2.0, m * g * 2.0 + g * 6.0])
    h = 0.3 * np.maximum(0, 1 - 0.5 * np.abs(v - 1))
    kappa, error = model.readout_memory(1 * ms), 2 * (0.0 - 1.0)
    by_hand = error * 0.7 * (kappa * h[0] * g * 1.0 + h[1] * (m * g * 1.0 + g * 3.0))
    assert gradient["W_in"][0, 0] == pytest.approx(by_hand, rel=1e-12)


def test_truncation_cuts_the_gradient():
    record = run(*case(RATE[0]))
    whole, long = BPTT()(record, None, {}), BPTT(truncation=9)(record, None, {})
    for name in whole:
        np.testing.assert_allclose(long[name], whole[name], atol=1e-12)
    error = 2 / 6 * (record.outputs[:, 0] - record.targets) * record.mask[:, :, None]
    slope = 1 - record.traces[:, 0] ** 2
    post = (error @ record.weights["W_out"]) * slope
    earlier = record.trace[:-1]
    one = BPTT(truncation=1)(record, None, {})
    np.testing.assert_allclose(one["W_rec"], np.einsum("tli,tlj->ij", post, earlier), atol=1e-12)
    assert np.abs(one["W_rec"] - whole["W_rec"]).max() > 1e-3


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_surrogates_are_highest_at_the_threshold_and_even(surrogate):
    distances = np.array([0.0, 0.3, 0.9, 4.0])
    heights = np.asarray(SURROGATES[surrogate](distances, np))
    assert heights[0] == 1 and (np.diff(heights) < 0).all() and (heights >= 0).all()
    np.testing.assert_allclose(SURROGATES[surrogate](-distances, np), heights)


TRAINED = {"decorrelation": None, "lanes": 32, "seed": 1, "progress": False, "dtype": "float32"}


def test_it_trains_in_the_same_loop():
    short = CopyingMemory(alphabet=5, length=2, delay=1)
    found = train(TanhRNN(hidden=40), short, rule=BPTT(), updates=150, **TRAINED)
    assert found.result["score"] == 1 and found.result["rule"] == "bptt"
    assert found.result["test_loss"] < 0.1 * min(found.result["trivial"].values())


@pytest.mark.slow
def test_it_trains_spiking_cells_with_their_readout_and_without():
    short = PatternGeneration(duration=200 * ms, ticks=4)
    frozen, learned = (
        train(LIF(hidden=40, input_gain=2.0), short, rule=rule, updates=60, **TRAINED).result["test_loss"]
        for rule in (BPTT(readout="fixed"), BPTT())
    )
    assert learned < 0.3 * short.trivial()["mean of the curve"] and math.isfinite(frozen)


@pytest.mark.slow
def test_cells_with_conductances_learn_more_than_their_readout():
    task, settings = (
        PatternGeneration(duration=200 * ms, ticks=4),
        {"preset": "node", "updates": 300, **TRAINED},
    )
    alone, whole = (
        train(ConductanceLIF(hidden=40, input_gain=2.0), task, rule=rule, **settings)
        for rule in (ReadoutOnly(), BPTT(surrogate="fast-sigmoid"))
    )
    assert whole.result["test_loss"] < 0.7 * alone.result["test_loss"]


@pytest.mark.slow
def test_gradients_do_not_grow_through_the_upstroke_of_a_spike():
    """Potentials double from step to step there: 0.08 v + 5 per ms."""
    sizes = []
    for steps in (40, 160):
        record = run(*case(SPIKING[-1], steps=steps))
        gradient = BPTT()(record, None, {})
        assert record.traces.sum() > 10
        sizes.append(np.linalg.norm(gradient["W_rec"]) / np.linalg.norm(gradient["W_out"]))
    assert sizes[1] < 4 * sizes[0]


def test_what_it_can_not_differentiate_is_refused(monkeypatch):
    for options, field in (({"truncation": -1}, "truncation"), ({"surrogate": "box"}, "surrogate"),
                           ({"damping": 0}, "damping"), ({"steepness": 0.0}, "steepness")):  # fmt: skip
        with pytest.raises(InvalidValue, match=rf"^BPTT\.{field}: expected"):
            BPTT(**options)
    network, weights, D, trial = case(SPIKING[0], steps=60)
    record = run(network, weights, D, trial)
    with pytest.raises(InvalidValue, match=r"^BPTT\.update: expected a model that defines dynamics"):
        BPTT()(dataclasses.replace(record, dynamics=None), None, {})
    carried = dataclasses.replace(record, trace=np.ones_like(record.trace))
    with pytest.raises(InvalidValue, match=r"^BPTT\.update: expected units with other states than the trace"):
        BPTT()(carried, None, {})
    with pytest.raises(InvalidValue, match=r"^Recipe\.rule: expected a rule that learns the weights that"):
        train(LIF(hidden=20, density=0.5), PatternGeneration(), rule=BPTT(), lanes=4, decorrelation=None)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtra, match=r"jax is not installed: pip install 'neuroanp\[compare\]'"):
        train(task=CopyingMemory(), rule=BPTT())

"""Optimizers, clipping and bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.optim import SGD, Adam, Chain, Clip, ShiftSGD, SignSGD, Stage, WeightBounds
from neuroanp.optim.schedule import annealed

SHAPES = {"W_in": (4, 2), "W_rec": (4, 4), "W_out": (1, 4)}


def arrays(seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shape) for name, shape in SHAPES.items()}


def copied(update):
    return {name: array.copy() for name, array in update.items()}


def run(stage, gradients, weights, state=None, progress=lambda k: 0.0):
    """Changes of the weights, update by update; the weights follow them."""
    state = stage.start(weights) if state is None else state
    changes = []
    for k, gradient in enumerate(gradients):
        changes.append(stage(copied(gradient), weights, state, progress(k)))
        weights = {name: w + changes[-1].get(name, 0.0) for name, w in weights.items()}
    return changes, weights, state


def assert_same(first, second, rtol=1e-12):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=rtol)


def test_adam_is_the_formula_written_as_sums():
    b1, b2, eps, lr = 0.8, 0.95, 1e-3, 0.01
    gradients = [arrays(seed) for seed in range(12)]
    changes, _, _ = run(Adam(lr=lr, b1=b1, b2=b2, eps=eps, anneal="none"), gradients, arrays(99))
    for k, change in enumerate(changes):
        ages = np.arange(k, -1, -1)
        for name in SHAPES:
            past = np.array([g[name] for g in gradients[: k + 1]])
            mean = np.average(past, axis=0, weights=b1**ages)
            square = np.average(past**2, axis=0, weights=b2**ages)
            np.testing.assert_allclose(change[name], -lr * mean / (np.sqrt(square) + eps), rtol=1e-11)


def test_adam_steps_do_not_depend_on_the_size_of_the_gradient():
    gradients = [arrays(seed) for seed in range(5)]
    large = [{name: 1e6 * g for name, g in gradient.items()} for gradient in gradients]
    adam = Adam(eps=1e-300)
    assert_same(run(adam, gradients, arrays(9))[0][-1], run(adam, large, arrays(9))[0][-1], rtol=1e-9)


def test_sgd_and_momentum():
    gradients = [arrays(seed) for seed in range(6)]
    changes, _, _ = run(SGD(lr=0.1), gradients, arrays(9))
    assert_same(changes[3], {name: -0.1 * g for name, g in gradients[3].items()})
    changes, _, _ = run(SGD(lr=0.1, momentum=0.7), gradients, arrays(9))
    for name in SHAPES:
        expected = -0.1 * sum(0.7 ** (5 - k) * gradients[k][name] for k in range(6))
        np.testing.assert_allclose(changes[5][name], expected)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_schedules_scale_the_step(optimizer):
    gradients = [arrays(seed) for seed in range(4)]
    flat, _, _ = run(optimizer(lr=0.1, anneal="none"), gradients, arrays(9))
    for anneal, scale in (("linear", 0.25), ("cosine", (1 + math.cos(0.75 * math.pi)) / 2)):
        changes, _, _ = run(optimizer(lr=0.1, anneal=anneal), gradients, arrays(9), progress=lambda k: k / 4)
        assert_same(changes[3], {name: scale * change for name, change in flat[3].items()})
        assert_same(changes[0], flat[0])


def test_annealing_ends_at_zero():
    assert annealed(2.0, "none", 0.9) == 2.0
    assert annealed(2.0, "linear", 1.0) == 0.0
    assert annealed(2.0, "cosine", 0.0) == 2.0
    assert annealed(2.0, "cosine", 0.5) == pytest.approx(1.0)
    assert annealed(2.0, "cosine", 1.0) == pytest.approx(0.0)


def test_clipping_shortens_the_whole_update_and_keeps_its_direction():
    gradient = arrays(0, scale=10)
    clip = Clip(norm=2.0)
    clipped = clip(copied(gradient), arrays(1), {}, 0.0)
    whole = np.concatenate([g.ravel() for g in clipped.values()])
    assert np.linalg.norm(whole) == pytest.approx(2.0)
    ratio = clipped["W_in"][0, 0] / gradient["W_in"][0, 0]
    assert_same(clipped, {name: ratio * g for name, g in gradient.items()})
    small = arrays(0, scale=0.01)
    assert_same(clip(copied(small), arrays(1), {}, 0.0), small, rtol=0)


def test_bounds_keep_every_weight_inside_to_the_last_bit():
    rng = np.random.default_rng(0)
    for low, high in ((-0.3, 0.7), (0.0, math.inf), (-math.inf, 0.1), (0.1, 0.30000000000000004)):
        finite = (max(low, -1.0), min(high, 1.0))
        weights = {"W_rec": rng.uniform(*finite, size=(300, 300))}
        change = {"W_rec": rng.normal(size=(300, 300)) * 10.0 ** rng.integers(-18, 3, size=(300, 300))}
        before = change["W_rec"].copy()
        cut = WeightBounds(low=low, high=high)(change, weights, {}, 0.0)["W_rec"]
        reached = weights["W_rec"] + cut
        assert (reached >= low).all() and (reached <= high).all()
        wanted = weights["W_rec"] + before
        np.testing.assert_allclose(reached, np.clip(wanted, low, high), rtol=0, atol=1e-15)
        inside = (wanted >= low) & (wanted <= high)
        np.testing.assert_array_equal(cut[inside], before[inside])


def test_bounds_bring_back_a_weight_that_is_outside():
    weights = {"W_in": np.array([[5.0, -5.0, 0.2]])}
    cut = WeightBounds(low=-0.1, high=0.3)({"W_in": np.zeros((1, 3))}, weights, {}, 0.0)
    np.testing.assert_allclose(weights["W_in"] + cut["W_in"], [[0.3, -0.1, 0.2]])


def chain():
    return Chain(Clip(norm=1.0), Adam(lr=0.2, anneal="cosine"), WeightBounds(low=-1.0, high=1.0))


def test_chain_is_its_stages_in_order():
    gradients, weights = [arrays(seed) for seed in range(5)], arrays(9, scale=0.3)
    clip, adam, bounds = chain().stages
    state, start = adam.start(weights), weights
    for k, gradient in enumerate(gradients):
        step = adam(clip(copied(gradient), weights, {}, k / 5), weights, state, k / 5)
        step = bounds(step, weights, {}, k / 5)
        weights = {name: w + step[name] for name, w in weights.items()}
    assert_same(run(chain(), gradients, start, progress=lambda k: k / 5)[1], weights, rtol=0)
    assert max(np.abs(w).max() for w in weights.values()) == 1.0


@pytest.mark.parametrize(
    "stage", [chain(), Adam(), SGD(momentum=0.9), SGD(), Chain(SGD(momentum=0.5), SGD(momentum=0.5))]
)
def test_a_stored_state_goes_on_bit_for_bit(stage, tmp_path):
    gradients, start = [arrays(seed) for seed in range(8)], arrays(9)
    _, straight, _ = run(stage, gradients, start, progress=lambda k: k / 8)
    _, weights, state = run(stage, gradients[:4], start, progress=lambda k: k / 8)
    states = state if isinstance(state, list) else [state]
    assert all(isinstance(value, np.ndarray) for own in states for value in own.values())
    stored = []
    for place, own in enumerate(states):
        np.savez(tmp_path / f"{place}.npz", **own)
        stored.append(dict(np.load(tmp_path / f"{place}.npz")))
    stored = stored if isinstance(state, list) else stored[0]
    _, resumed, _ = run(stage, gradients[4:], weights, stored, progress=lambda k: (k + 4) / 8)
    assert_same(straight, resumed, rtol=0)


@pytest.mark.parametrize(
    "stage", [chain(), SGD(momentum=0.9), SGD(), Adam(), ShiftSGD(), SignSGD(), SignSGD(momentum=0.9)]
)
def test_stages_leave_weights_and_what_does_not_learn_alone(stage):
    weights = arrays(9)
    gradient = {name: g for name, g in arrays(0).items() if name != "W_out"}
    state = stage.start(weights)
    for _ in range(2):
        change = stage(copied(gradient), weights, state, 0.0)
        states = state if isinstance(state, list) else [state]
        kept = [*weights.values(), *(value for own in states for value in own.values())]
        assert set(change) == {"W_in", "W_rec"}
        assert not any(np.shares_memory(a, b) for a in change.values() for b in kept)
    assert_same(weights, arrays(9), rtol=0)


@pytest.mark.parametrize(("field", "name"), [("readout_lr", "W_out"), ("input_lr", "W_in")])
@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_readout_and_input_can_have_learning_rates_of_their_own(optimizer, field, name):
    gradients = [arrays(seed) for seed in range(3)]
    one, _, _ = run(optimizer(lr=0.1), gradients, arrays(9))
    own, _, _ = run(optimizer(lr=0.1, **{field: 0.02}), gradients, arrays(9))
    for before, after in zip(one, own, strict=True):
        assert_same(after, {**before, name: 0.2 * before[name]})
    with pytest.raises(InvalidValue, match=rf"^{optimizer.__name__}\.{field}: expected "):
        optimizer(**{field: -1.0})


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (SGD, "lr", -1.0),
        (SGD, "momentum", 1.0),
        (SGD, "anneal", "liner"),
        (Adam, "lr", np.nan),
        (Adam, "b1", 1.0),
        (Adam, "b2", -0.1),
        (Adam, "eps", 0.0),
        (Clip, "norm", 0.0),
        (WeightBounds, "low", math.nan),
        (WeightBounds, "high", "one"),
        (WeightBounds, "low", math.inf),
    ],
)
def test_bad_options_are_refused_by_name(kind, field, value):
    with pytest.raises(InvalidValue, match=rf"^{kind.__name__}\.{field}: expected "):
        kind(**{field: value})


def test_a_stage_must_be_defined():
    with pytest.raises(TypeError, match=r"abstract.*__call__"):
        Stage()({}, {}, {}, 0.0)

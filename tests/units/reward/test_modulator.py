"""Returns, scopes and baselines."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.reward import InputCritic, Modulator, OtherLanes, RunningMean
from neuroanp.reward.returns import returns
from support.simulator import Problem


@pytest.mark.parametrize("discount", [0.0, 0.3, 0.98, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 7, 64, 65])
def test_returns_are_the_discounted_sum_of_what_follows(steps, discount):
    loss = np.random.default_rng(0).random((steps, 3))
    expected = np.zeros((steps, 3))
    for t in range(steps):
        for s in range(t, steps):
            expected[t] += discount ** (s - t) * loss[s]
    before = loss.copy()
    np.testing.assert_allclose(returns(loss, discount), expected, rtol=1e-13)
    np.testing.assert_array_equal(loss, before)


def test_without_discount_the_return_is_the_loss_itself():
    loss = np.random.default_rng(0).random((9, 2)).astype(np.float32)
    loss[4] = np.inf
    np.testing.assert_array_equal(returns(loss, 0.0), loss)
    assert returns(loss, 0.0).dtype == np.float64


def noisy(passes, lanes=6, seed=3):
    problem = Problem(seed=seed, lanes=lanes)
    return problem.record(passes=passes, **problem.draw(0.1))


@pytest.mark.parametrize("discount", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("passes", [("clean", "plus"), ("plus", "minus"), ("clean", "plus", "minus")])
def test_passes_are_compared_per_lane_or_for_all(passes, discount):
    record = noisy(passes)
    counted = returns(record.loss * record.mask[:, None], discount)
    by_pass = dict(zip(passes, counted.swapaxes(0, 1), strict=True))
    expected = (
        by_pass["plus"] - by_pass.get("clean")
        if "minus" not in passes
        else (by_pass["plus"] - by_pass["minus"]) / 2
    )
    lane, shared = (Modulator(discount=discount, scope=scope)(record, {}) for scope in ("lane", "global"))
    np.testing.assert_allclose(lane, expected / 6, atol=1e-14)
    np.testing.assert_allclose(shared, expected.mean(axis=1, keepdims=True), atol=1e-14)
    assert shared.shape == (5, 1)


def test_lanes_that_share_an_input_are_compared_with_the_others():
    record = noisy(("plus",))
    total = returns(record.loss[:, 0] * record.mask, 0.9)
    for copies, groups in ((0, [range(6)]), (2, [(0, 1), (2, 3), (4, 5)]), (3, [(0, 1, 2), (3, 4, 5)])):
        expected = np.empty_like(total)
        for group in groups:
            for lane in group:
                expected[:, lane] = total[:, lane] - total[:, [k for k in group if k != lane]].mean(axis=1)
        result = Modulator(discount=0.9, baseline=OtherLanes(copies=copies))(record, {})
        np.testing.assert_allclose(result, expected / 6, atol=1e-13)


@pytest.mark.parametrize("scope", ["lane", "global"])
def test_running_baseline_is_the_exponential_mean_of_the_trials_before(scope):
    records = [noisy(("plus",), seed=seed) for seed in range(4)]
    totals = [returns(record.loss[:, 0] * record.mask, 0.9) for record in records]
    modulator = Modulator(discount=0.9, scope=scope, baseline=RunningMean(memory=0.6))
    state = modulator.start(None)
    baseline = totals[0].mean(axis=1, keepdims=True)
    for record, total in zip(records, totals, strict=True):
        surprise = total - baseline
        expected = surprise / 6 if scope == "lane" else surprise.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(modulator(record, state), expected, atol=1e-13)
        baseline = 0.6 * baseline + 0.4 * total.mean(axis=1, keepdims=True)
    assert all(isinstance(value, np.ndarray) for value in state.values())


def test_running_baseline_resumes(tmp_path):
    records = [noisy(("plus",), seed=seed) for seed in range(4)]
    modulator = Modulator(baseline=RunningMean())
    straight = modulator.start(None)
    for record in records[:3]:
        modulator(record, straight)
    np.savez(tmp_path / "state.npz", **straight)
    resumed = dict(np.load(tmp_path / "state.npz"))
    np.testing.assert_array_equal(modulator(records[3], resumed), modulator(records[3], straight))


def test_passes_to_simulate():
    assert Modulator().passes(("plus", "minus")) == ("plus", "minus")
    assert Modulator(baseline=RunningMean()).passes(("plus", "minus")) == ("plus",)
    assert Modulator(baseline=OtherLanes()).passes(("clean", "plus")) == ("plus",)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"discount": 1.1}, "Modulator.discount"),
        ({"discount": -0.1}, "Modulator.discount"),
        ({"discount": np.nan}, "Modulator.discount"),
        ({"scope": "lanes"}, "Modulator.scope"),
        ({"baseline": "running-mean"}, "Modulator.baseline"),
        ({"baseline": OtherLanes(), "scope": "global"}, "Modulator.scope"),
    ],
)
def test_bad_options_are_refused_by_name(options, field):
    with pytest.raises(InvalidValue, match=rf"^{field}: expected "):
        Modulator(**options)


@pytest.mark.parametrize("make", [lambda: RunningMean(memory=2), lambda: OtherLanes(copies=1)])
def test_bad_options_of_baselines_are_refused_by_name(make):
    with pytest.raises(InvalidValue, match=r"^(RunningMean\.memory|OtherLanes\.copies): expected "):
        make()


def test_records_that_cannot_be_compared_are_refused():
    assert not Modulator()(noisy(("plus",)), {}).any()  # of a rule that compares none
    with pytest.raises(InvalidValue, match=r"^Record\.passes: expected a plus pass, got clean$"):
        Modulator(baseline=OtherLanes())(noisy(("clean",)), {})
    with pytest.raises(
        InvalidValue, match=r"^OtherLanes\.copies: expected a multiple of 4 lanes, got 6 lanes$"
    ):
        Modulator(baseline=OtherLanes(copies=4))(noisy(("plus",)), {})
    with pytest.raises(InvalidValue, match=r"^OtherLanes\.copies: expected at least 2 lanes, got 1 lanes$"):
        Modulator(baseline=OtherLanes())(noisy(("plus",), lanes=1), {})
    running = Modulator(baseline=RunningMean())
    with pytest.raises(InvalidValue, match=r"^RunningMean: expected 7 steps a trial, got 5 steps$"):
        running(noisy(("plus",)), {"baseline": np.zeros((7, 1))})


def test_inputs_baseline_is_the_fit_to_products_of_the_inputs():
    record = noisy(("plus",), lanes=40)
    inputs = np.random.default_rng(0).normal(size=(5, 40, 2))
    mask = (np.arange(5)[:, None] < np.random.default_rng(1).integers(1, 6, 40)).astype(float)
    record = dataclasses.replace(record, inputs=inputs, mask=mask)
    total = returns(record.loss[:, 0] * mask, 0.9)
    a, b = inputs[mask > 0].T
    terms = np.stack([a * a, a * b, a, b * b, b, np.ones_like(a)], axis=1)
    fitted = terms @ np.linalg.lstsq(terms, total[mask > 0], rcond=None)[0]
    result = Modulator(discount=0.9, baseline=InputCritic())(record, {})
    np.testing.assert_allclose(result[mask > 0], (total[mask > 0] - fitted) / 40, atol=1e-5)
    assert not result[mask == 0].any()


def test_inputs_baseline_is_silent_after_the_last_counted_step():
    record = noisy(("plus",))
    mask = np.ones((5, 6))
    mask[0] = mask[3:, 2] = 0
    record = dataclasses.replace(record, mask=mask)
    result = Modulator(discount=0.9, baseline=InputCritic())(record, {})
    assert not result[3:, 2].any() and result[0].all() and np.count_nonzero(result) == 28


def test_inputs_baseline_is_for_few_inputs():
    record = dataclasses.replace(noisy(("plus",)), inputs=np.zeros((5, 6, 21)))
    with pytest.raises(
        InvalidValue, match=r"^Modulator\.baseline: expected InputCritic for at most 20, got 21"
    ):
        Modulator(baseline=InputCritic())(record, {})

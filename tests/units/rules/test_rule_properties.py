"""What holds for every rule: no noise, lanes, mirrors, parts of a trial, dtypes, options, own rules."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import (
    ActivityPerturbation,
    NodePerturbation,
    NodeRule,
    WeightPerturbation,
    outer,
    pre,
    times,
)
from support.simulator import NAMES, Problem

NODE_RULES = (NodePerturbation, ActivityPerturbation)
RULES = (*NODE_RULES, WeightPerturbation)


def weight_noise(problem, rule):
    steps = len(problem.inputs) if rule.hold == "step" else 1
    return [
        {name: rule.sigma * problem.rng.normal(size=w.shape) for name, w in problem.weights.items()}
        for _ in range(steps)
    ]


def trial(problem, rule, **given):
    """A record of the noise that the rule asks for."""
    if rule.perturbs == "weights":
        given = {"weight_noise": weight_noise(problem, rule), **given}
    else:
        given = {**problem.draw(rule.sigma), **given}
    return problem.record(passes=rule.passes, **given)


def assert_same(first, second, rtol=1e-10):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_allclose(
            first[name], second[name], rtol=rtol, atol=rtol * np.abs(second[name]).max()
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("kind", RULES)
def test_no_noise_no_update(kind, mirrored, dtype):
    problem = Problem(lanes=3, decorrelated=True)
    for drawn, told in ((0.0, 0.0), (0.0, 0.1)):
        record = trial(problem, kind(sigma=drawn, mirrored=mirrored), dtype=dtype)
        update = kind(sigma=told, mirrored=mirrored)(record, Modulator()(record, {}), {})
        assert set(update) == set(NAMES)
        assert all((change == 0).all() for change in update.values())
    record = trial(problem, kind(sigma=0.1, mirrored=mirrored), dtype=dtype)
    update = kind(sigma=0.0, mirrored=mirrored)(record, np.ones((5, 3)), {})
    assert all((change == 0).all() for change in update.values())


@pytest.mark.parametrize("kind", NODE_RULES)
def test_a_record_that_kept_neither_noise_nor_activity_gives_none_either(kind):
    nothing = np.zeros((0,))
    record = dataclasses.replace(Problem(steps=1500, lanes=2).record(), noise=nothing, activity=nothing)
    update = kind(sigma=0.0, readout="delta")(record, np.ones((1500, 2)), {})
    assert not update["W_in"].any() and not update["W_rec"].any() and update["W_out"].any()


@pytest.mark.parametrize("kind", NODE_RULES)
def test_rules_leave_the_record_alone(kind):
    problem = Problem(lanes=3, decorrelated=True)
    for mirrored in (True, False):
        rule = kind(mirrored=mirrored)
        record = trial(problem, rule)
        kept = {
            name: getattr(record, name) for name in ("traces", "activity", "noise", "outputs", "loss", "mask")
        }
        for array in kept.values():
            array.flags.writeable = False
        rule(record, Modulator()(record, {}), {})


@pytest.mark.parametrize("scope", ["lane", "global"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activity_changes_within_rounding_are_left_out(dtype, scope):
    problem = Problem(lanes=3)
    rule = ActivityPerturbation(sigma=0.01, mirrored=False)
    noise = problem.draw(0.01)
    record = problem.record(passes=rule.passes, dtype=dtype, **noise)
    silent = 2
    for array in (record.activity, record.outputs):
        clean, plus = array[silent, 0], array[silent, 1]
        plus[:] = np.nextafter(clean, np.where(problem.rng.random(clean.shape) < 0.5, -9, 9), dtype=dtype)
    modulator = Modulator(discount=0.0, scope=scope)(record, {})
    update = rule(record, modulator, {})
    modulator[silent] = 0.0
    assert_same(update, rule(record, modulator, {}), rtol=0)
    assert all(np.isfinite(change).all() and change.any() for change in update.values())


@pytest.mark.parametrize("scope", ["lane", "global"])
@pytest.mark.parametrize("kind", RULES)
def test_lanes_are_exchangeable(kind, scope):
    problem = Problem(lanes=6, decorrelated=True, carried=True)
    rule, modulator = kind(), Modulator(discount=0.9, scope=scope)
    given = (
        {"weight_noise": weight_noise(problem, rule)} if kind is WeightPerturbation else problem.draw(0.01)
    )
    record = problem.record(passes=rule.passes, **given)
    order = problem.rng.permutation(6)
    for name in ("inputs", "targets", "mask"):
        setattr(problem, name, getattr(problem, name)[:, order])
    problem.initial = problem.initial[order]
    for name in ("noise", "noise_out"):
        if name in given:
            given[name] = given[name][:, order]
    permuted = problem.record(passes=rule.passes, **given)
    assert_same(
        rule(record, modulator(record, {}), {}), rule(permuted, modulator(permuted, {}), {}), rtol=1e-9
    )


@pytest.mark.parametrize("kind", NODE_RULES)
def test_update_of_lanes_is_the_mean_of_their_updates(kind):
    whole = Problem(lanes=4, decorrelated=True)
    rule, modulator, noise = kind(readout="delta"), Modulator(discount=0.9), whole.draw(0.01)
    record = whole.record(passes=rule.passes, **noise)
    mean = dict.fromkeys(NAMES, 0.0)
    for lane in range(4):
        one = Problem(lanes=4, decorrelated=True)
        for name in ("inputs", "targets", "mask"):
            setattr(one, name, getattr(whole, name)[:, [lane]])
        single = one.record(passes=rule.passes, **{name: array[:, [lane]] for name, array in noise.items()})
        for name, change in rule(single, modulator(single, {}), {}).items():
            mean[name] = mean[name] + change / 4
    assert_same(rule(record, modulator(record, {}), {}), mean)


@pytest.mark.parametrize("kind", RULES)
def test_mirrored_noise_gives_the_mirrored_passes_and_the_same_update(kind):
    problem = Problem(lanes=2)
    rule, modulator = kind(), Modulator()
    if kind is WeightPerturbation:
        xi = weight_noise(problem, rule)
        there, back = (
            {"weight_noise": xi},
            {"weight_noise": [{k: -a for k, a in step.items()} for step in xi]},
        )
    else:
        there = problem.draw(0.01)
        back = {name: -array for name, array in there.items()}
    record, mirror = (problem.record(passes=rule.passes, **given) for given in (there, back))
    np.testing.assert_array_equal(record.traces, mirror.traces[:, ::-1])
    assert_same(rule(record, modulator(record, {}), {}), rule(mirror, modulator(mirror, {}), {}), rtol=0)


@pytest.mark.parametrize(("steps", "lanes"), [(2, 1), (7, 3)])
def test_outer_is_the_sum_of_post_times_trace(steps, lanes):
    problem = Problem(steps=steps, lanes=lanes, hidden=5, decorrelated=True, carried=True)
    record = problem.record(**problem.draw(0.1))
    post = problem.rng.normal(size=(steps, lanes, 5))
    x = record.traces.mean(axis=1)
    D = record.decorrelation["D_hidden"]
    np.testing.assert_allclose(outer(post, x, D), np.einsum("tli,tlj->ij", post, pre(record, "W_out")))
    np.testing.assert_allclose(outer(post, x), np.einsum("tli,tlj->ij", post, x))
    assert outer(post.astype(np.float32), x, D).dtype == np.float32


def test_traces_are_shifted_and_decorrelated():
    problem = Problem(lanes=2, decorrelated=True, carried=True)
    record = problem.record(passes=("clean", "plus"), **problem.draw(0.1))
    D = record.decorrelation
    earlier = np.concatenate([problem.initial[None], record.traces[:-1, 0]])
    np.testing.assert_allclose(pre(record, "W_in"), record.inputs @ D["D_in"].T)
    np.testing.assert_allclose(pre(record, "W_rec"), earlier @ D["D_hidden"].T)
    np.testing.assert_allclose(pre(record, "W_out"), record.traces[:, 0] @ D["D_hidden"].T)


@pytest.mark.parametrize("readout", ["perturb", "delta"])
@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("decorrelated", [True, False])
@pytest.mark.parametrize(
    ("kind", "scope"),
    [(NodePerturbation, "lane"), (NodePerturbation, "global"), (ActivityPerturbation, "lane")],
)
def test_long_trials_are_summed_in_parts(kind, scope, decorrelated, mirrored, readout):
    """Many lanes are summed step by step: copies of few, each judged by its part, have the same update."""
    problem = Problem(steps=23, lanes=3, decorrelated=decorrelated, carried=True)
    rule, modulator = kind(mirrored=mirrored, readout=readout), Modulator(discount=0.9, scope=scope)
    drawn = problem.draw(rule.sigma)
    copied = {name: np.repeat(noise, 200, axis=1) for name, noise in drawn.items()}
    few = problem.record(passes=rule.passes, **drawn)
    many = problem.repeated(200).record(passes=rule.passes, **copied)
    judged = modulator(few, {})
    shares = np.repeat(judged, 200 if scope == "lane" else 1, axis=1) / 200
    assert_same(rule(many, shares, {}), rule(few, judged, {}))


@pytest.mark.parametrize("kind", RULES)
def test_float32_records_give_the_same_update(kind):
    problem = Problem(lanes=3, decorrelated=True)
    rule = kind(sigma=0.1)
    given = {"weight_noise": weight_noise(problem, rule)} if kind is WeightPerturbation else problem.draw(0.1)
    updates = []
    for dtype in (np.float32, np.float64):
        record = problem.record(passes=rule.passes, dtype=dtype, **given)
        updates.append(rule(record, Modulator()(record, {}), {}))
    assert all(change.dtype in (np.float32, np.float64) for change in updates[0].values())
    assert_same(*updates, rtol=1e-4)


@pytest.mark.parametrize("kind", RULES)
def test_fixed_readout_has_no_update(kind):
    problem = Problem()
    rule = kind(readout="fixed")
    record = trial(problem, rule)
    update = rule(record, Modulator()(record, {}), {})
    assert set(update) == {"W_in", "W_rec"}
    assert all(change.any() for change in update.values())


def test_held_weight_noise_is_credited_once_with_the_return_of_the_trial():
    problem, rule = Problem(lanes=2), WeightPerturbation(sigma=0.1, hold="trial")
    xi = weight_noise(problem, rule)
    record = problem.record(passes=rule.passes, weight_noise=xi)
    total = ((record.loss[:, 0] - record.loss[:, 1]) / 2 * record.mask).sum(axis=0).mean()
    update = rule(record, Modulator(discount=1.0)(record, {}), {})
    assert_same(update, {name: total * xi[0][name] / 0.1**2 for name in NAMES})


def test_recurrent_weight_noise_counts_at_the_first_step_when_state_is_carried():
    rule = WeightPerturbation(sigma=0.1, hold="step", mirrored=False)
    for carried in (False, True):
        problem = Problem(carried=carried)
        record = trial(problem, rule)
        first = np.zeros((5, 1))
        first[0] = 1.0
        update = rule(record, first, {})
        assert update["W_in"].any()
        assert update["W_rec"].any() == carried


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sigma", -0.1),
        ("sigma", np.nan),
        ("sigma", np.inf),
        ("sigma", "much"),
        ("readout", "purturb"),
        ("mirrored", 1),
    ],
)
def test_bad_options_are_refused_by_name(kind, field, value):
    with pytest.raises(InvalidValue, match=rf"^{kind.__name__}\.{field}: expected "):
        kind(**{field: value})


def test_weight_perturbation_needs_its_noise():
    with pytest.raises(InvalidValue, match=r"^WeightPerturbation\.hold: expected one of trial, step"):
        WeightPerturbation(hold="run")
    record = Problem().record()
    with pytest.raises(InvalidValue, match=r"^Record\.weight_noise: "):
        WeightPerturbation()(record, np.ones((5, 1)), {})


def test_activity_perturbation_needs_two_passes():
    record = Problem().record(passes=("plus",))
    with pytest.raises(InvalidValue, match=r"^Record\.passes: .* got plus$"):
        ActivityPerturbation()(record, np.ones((5, 1)), {})


@pytest.mark.parametrize("kind", RULES)
def test_mirrored_says_which_passes_there_are(kind):
    assert kind(mirrored=True).passes == ("plus", "minus")
    assert kind(mirrored=False).passes == ("clean", "plus")


def test_a_rule_of_ones_own_is_a_class_with_one_method():
    class SignPerturbation(NodeRule):
        name = "sign-perturbation"

        def post(self, layer, record, modulator):
            return times(modulator / self.sigma, np.sign(layer.noise))

    problem, rule = Problem(lanes=2), SignPerturbation(sigma=0.1)
    record = trial(problem, rule)
    modulator = Modulator()(record, {})
    expected = np.einsum("tl,tli,tlj->ij", modulator, np.sign(record.noise), pre(record, "W_rec")) / 0.1
    np.testing.assert_allclose(rule(record, modulator, {})["W_rec"], expected)
    assert (SignPerturbation(sigma=0)(record, modulator, {})["W_rec"] == 0).all()

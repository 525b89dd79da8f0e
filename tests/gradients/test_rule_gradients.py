"""The mean of many updates against the finite-difference gradient."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.network.record import Record
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import NodePerturbation, WeightPerturbation
from support.gradients import aligned
from support.simulator import NAMES, Problem, cosine


@pytest.mark.parametrize(
    ("mirrored", "case"),
    [
        (True, "plain"),
        (True, "two lanes"),
        (True, "decorrelated and carried"),
        (False, "decorrelated and carried"),
    ],
)
def test_node_perturbation_follows_the_gradient(mirrored, case):
    problem = Problem(
        seed=1,
        lanes=2 if case == "two lanes" else 1,
        decorrelated=case != "plain",
        carried=case == "decorrelated and carried",
    )
    rule = NodePerturbation(sigma=1e-3, mirrored=mirrored)
    many = problem.repeated(60_000)
    record = many.record(passes=rule.passes, **many.draw(rule.sigma))
    aligned(rule(record, Modulator(discount=1.0)(record, {}), {}), problem.gradient())


def test_global_modulator_follows_the_gradient_of_the_lane_mean():
    problem = Problem(seed=2, lanes=3)
    rule = NodePerturbation(sigma=1e-3)
    modulator = Modulator(discount=1.0, scope="global")
    mean = dict.fromkeys(NAMES, 0.0)
    for _ in range(3_000):
        record = problem.record(passes=rule.passes, **problem.draw(rule.sigma))
        update = rule(record, modulator(record, {}), {})
        mean = {name: mean[name] + update[name] / 3_000 for name in NAMES}
    aligned(mean, problem.gradient(), size=0.2)


def test_one_noisy_pass_against_the_other_lanes_follows_the_gradient():
    problem = Problem(seed=3, lanes=2)
    rule = NodePerturbation(sigma=0.02)
    many = problem.repeated(100_000)
    record = many.record(passes=("plus",), **many.draw(rule.sigma))
    modulator = Modulator(discount=1.0, baseline=OtherLanes(copies=4))
    aligned(rule(record, modulator(record, {}), {}), problem.gradient())


def test_running_baseline_follows_the_gradient():
    problem = Problem(seed=4)
    rule = NodePerturbation(sigma=0.02)
    modulator = Modulator(discount=1.0, baseline=RunningMean())
    state = modulator.start(None)
    mean = dict.fromkeys(NAMES, 0.0)
    many = problem.repeated(1_000)
    for trial in range(101):
        record = many.record(passes=("plus",), **many.draw(rule.sigma))
        update = rule(record, modulator(record, state), {})
        if trial:
            mean = {name: mean[name] + update[name] / 100 for name in NAMES}
    aligned(mean, problem.gradient())


def test_truncated_return_follows_the_gradient_of_the_step_alone():
    problem = Problem(seed=5)
    rule = NodePerturbation(sigma=1e-3)
    many = problem.repeated(60_000)
    record = many.record(passes=rule.passes, **many.draw(rule.sigma))
    update = rule(record, Modulator(discount=0.0)(record, {}), {})
    gradient = problem.gradient()
    assert cosine(update["W_out"], gradient["W_out"]) > 0.98
    assert cosine(update["W_rec"], gradient["W_rec"]) < 0.97


def weight_records(problem, rule, draws):
    """Records of single lanes, each under weight noise of its own."""
    steps, lanes, _ = problem.inputs.shape
    many = problem.repeated(draws)
    shapes = {name: (draws * lanes, *w.shape) for name, w in problem.weights.items()}
    xi = [
        {name: rule.sigma * problem.rng.normal(size=shape) for name, shape in shapes.items()}
        for _ in range(steps if rule.hold == "step" else 1)
    ]
    whole = many.record(passes=rule.passes, weight_noise=xi)
    per_lane = ("loss", "traces", "activity", "outputs"), ("mask", "inputs", "noise", "targets", "noise_out")
    for k in range(draws * lanes):
        yield Record(
            passes=whole.passes,
            trace=whole.trace[:, k : k + 1],
            weight_noise=lambda k=k: ({name: step[name][k] for name in NAMES} for step in xi),
            decorrelation=whole.decorrelation,
            **{name: getattr(whole, name)[:, :, k : k + 1] for name in per_lane[0]},
            **{name: getattr(whole, name)[:, k : k + 1] for name in per_lane[1]},
        )


@pytest.mark.parametrize(
    ("hold", "mirrored", "carried", "draws"),
    [("trial", True, False, 15_000), ("trial", False, True, 15_000), ("step", True, True, 20_000)],
)
def test_weight_perturbation_follows_the_gradient(hold, mirrored, carried, draws):
    problem = Problem(seed=6, steps=4, hidden=3, decorrelated=carried, carried=carried)
    rule = WeightPerturbation(sigma=1e-3, mirrored=mirrored, hold=hold)
    modulator = Modulator(discount=1.0)
    mean = {name: np.zeros_like(w) for name, w in problem.weights.items()}
    for record in weight_records(problem, rule, draws):
        for name, part in rule(record, modulator(record, {}), {}).items():
            mean[name] += part / draws
    aligned(mean, problem.gradient(), size=0.1)


def test_weight_noise_is_credited_the_same_in_both_scopes():
    problem = Problem(seed=7, lanes=3)
    rule = WeightPerturbation(sigma=1e-3)
    xi = [{name: 1e-3 * problem.rng.normal(size=w.shape) for name, w in problem.weights.items()}]
    record = problem.record(passes=rule.passes, weight_noise=xi)
    lane, shared = (rule(record, Modulator(scope=scope)(record, {}), {}) for scope in ("lane", "global"))
    for name in NAMES:
        np.testing.assert_allclose(lane[name], shared[name], rtol=1e-12)


@pytest.mark.parametrize("rule", [NodePerturbation(readout="delta"), WeightPerturbation(readout="delta")])
def test_delta_readout_is_the_exact_gradient(rule):
    problem = Problem(seed=8, lanes=3, decorrelated=True)
    xi = [{name: np.zeros_like(w) for name, w in problem.weights.items()}]
    record = problem.record(passes=("clean", "plus"), weight_noise=xi)
    update = rule(record, Modulator()(record, {}), {})
    np.testing.assert_allclose(update["W_out"], problem.gradient()["W_out"], rtol=1e-7, atol=1e-9)

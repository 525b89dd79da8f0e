"""What updates of the real engine are on average: the gradient, or the activity-based rule's known limit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.models import TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation, pre
from support.gradients import adjoint, changes, close
from support.simulator import NAMES, Problem, cosine


class Simulated:
    """The trial of a `Problem`, `copies` times side by side."""

    def __init__(self, problem, rule, copies=1, engine="compiled"):
        many = problem.repeated(copies)
        self.problem, self.rule = problem, rule
        self.trial = Trial(many.inputs, many.targets, many.mask)
        self.network = Network(
            TanhRNN(hidden=problem.hidden, bias=False), problem.inputs.shape[2], problem.n_out, 1 * ms,
            lanes=self.trial.lanes, passes=rule.passes, perturbation=rule.perturbation, seed=5,
            engine=engine, decorrelated=True,
        )  # fmt: skip
        self.network.load(problem.weights, problem.decorrelation)

    def mean_update(self, trials, discount=1.0):
        """Mean of the updates of so many trials, each with noise of its own."""
        modulator = Modulator(discount=discount)
        mean = dict.fromkeys(NAMES, 0.0)
        for index in range(trials):
            record = self.network.run(self.trial, index)
            for name, update in self.rule(record, modulator(record, {}), {}).items():
                mean[name] = mean[name] + update / trials
        return mean

    def loss(self, weights):
        """Mean over lanes of the summed loss, without noise."""
        self.network.load(weights, self.problem.decorrelation)
        record = self.network.run(self.trial, sigma=0.0)
        return float((record.loss[:, 0] * record.mask).sum(axis=0).mean())

    def gradient(self, name, step=1e-5):
        """Central differences of the network's own loss by one weight matrix."""
        weights = self.problem.weights
        found = np.empty_like(weights[name])
        for where in np.ndindex(found.shape):
            sides = []
            for sign in (1, -1):
                moved = {key: w.copy() for key, w in weights.items()}
                moved[name][where] += sign * step
                sides.append(self.loss(moved))
            found[where] = (sides[0] - sides[1]) / (2 * step)
        self.network.load(weights, self.problem.decorrelation)
        return found


def follows_the_gradient(simulated, trials, size):
    mean = simulated.mean_update(trials)
    for name in NAMES:
        gradient = simulated.gradient(name)
        assert cosine(mean[name], gradient) > 0.98, name
        assert np.linalg.norm(mean[name]) == pytest.approx(np.linalg.norm(gradient), rel=size), name


@pytest.mark.slow
def test_node_perturbation_follows_the_gradient_of_the_networks_own_loss():
    rule = NodePerturbation(sigma=1e-3, mirrored=False)
    follows_the_gradient(Simulated(Problem(seed=1, decorrelated=True), rule, copies=2000), 30, size=0.05)


class HeldWeightNoise(Simulated):
    """Takes the noise from the engine's memory, which is quicker than to compute it again."""

    def mean_update(self, trials, discount=1.0):
        record = self.network.run(self.trial, 7)
        (computed,) = record.weight_noise()
        for name, source in self.network.parts.noises.sources.items():
            np.testing.assert_allclose(self._drawn(source), computed[name], rtol=1e-12)
        held = {name: self._drawn(source) for name, source in self.network.parts.noises.sources.items()}
        run = self.network.run
        self.network.run = lambda *given, **options: dataclasses.replace(
            run(*given, **options), weight_noise=lambda: iter([held])
        )
        return super().mean_update(trials, discount)

    @staticmethod
    def _drawn(source):
        return source.array("noise").reshape(source.shape)


@pytest.mark.slow
def test_weight_perturbation_follows_the_gradient_of_the_networks_own_loss():
    rule = WeightPerturbation(sigma=1e-3)
    problem = Problem(seed=6, steps=4, hidden=3, decorrelated=True)
    follows_the_gradient(HeldWeightNoise(problem, rule), 6000, size=0.15)


@pytest.mark.slow
def test_weight_noise_fresh_at_each_step_follows_the_gradient_of_the_networks_own_loss():
    rule = WeightPerturbation(sigma=1e-3, hold="step")
    problem = Problem(seed=6, steps=4, hidden=3, decorrelated=True)
    follows_the_gradient(Simulated(problem, rule), 6000, size=0.15)


@pytest.fixture(scope="module")
def activity():
    """Mean updates by discount, the problem, and the changes of activity and output by explicit Jacobians."""
    problem = Problem(seed=11, decorrelated=True)
    simulated = Simulated(problem, ActivityPerturbation(sigma=1e-3), copies=2000)
    return {d: simulated.mean_update(30, d) for d in (0.0, 1.0)}, problem, changes(problem)


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_activity_perturbation_converges_to_the_projected_gradient(activity, discount):
    mean, problem, (da, _) = activity
    P = np.einsum("kti,ktj->tij", da / (da**2).sum(axis=2, keepdims=True), da) / len(da)
    g = adjoint(problem, "noise", discount)
    units = problem.inputs.shape[2] + problem.hidden + problem.n_out
    credit = np.sqrt(units) * np.einsum("tij,tj->ti", P, g)
    record = problem.record(passes=("clean",))
    for name in ("W_in", "W_rec"):
        close(mean[discount][name], credit.T @ pre(record, name)[:, 0])


def test_readout_of_activity_perturbation_without_return_converges_too(activity):
    mean, problem, (_, dy) = activity
    P = np.einsum("kti,ktj->tij", dy / (dy**2).sum(axis=2, keepdims=True), dy) / len(dy)
    credit = np.einsum("tij,tj->ti", P, adjoint(problem, "noise_out", 0.0))
    units = problem.inputs.shape[2] + problem.hidden + problem.n_out
    trace = pre(problem.record(passes=("clean",)), "W_out")[:, 0]
    close(mean[0.0]["W_out"], np.sqrt(units) * credit.T @ trace)


@pytest.mark.parametrize("rule", [NodePerturbation, ActivityPerturbation, WeightPerturbation])
def test_delta_readout_is_the_gradient_of_every_trial_and_has_no_noise(rule):
    problem = Problem(seed=1, decorrelated=True)
    simulated = Simulated(problem, rule(sigma=1e-5, readout="delta"), copies=3, engine="runtime")
    record = simulated.network.run(simulated.trial, 3)
    assert not record.noise_out.any()
    update = simulated.rule(record, Modulator()(record, {}), {})["W_out"]
    np.testing.assert_allclose(update, simulated.gradient("W_out"), rtol=1e-6, atol=1e-8)

"""Steps on arrays from equations alone: Brian2's numbers, the loss's gradient, and what is refused."""

import re

import numpy as np
import pytest
from brian2 import ms, prefs

from neuroanp.errors import InvalidValue, UnsupportedConstruct
from neuroanp.models import (
    ALIF,
    EI,
    LIF,
    BalancedLIF,
    ConductanceLIF,
    CurrentLIF,
    Izhikevich,
    LeakyTanhRNN,
    TanhRNN,
)
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NodePerturbation, ReadoutOnly
from neuroanp.tasks import PatternGeneration
from support.own_models import TwoPopulations, TwoRates

pytest.importorskip("jax", reason="jax is not installed")
from neuroanp.gradients import BPTT
from neuroanp.verify import estimate

MODELS = [
    TanhRNN(hidden=6, readout_gain=1.0),
    LeakyTanhRNN(hidden=6, readout_gain=1.0),
    LIF(hidden=9, bias_mean=1.5),
    Izhikevich(hidden=9, bias_mean=10.0),
    # their readout is that of LIF cells
    *(
        pytest.param(kind(hidden=9, bias_mean=1.5), marks=pytest.mark.slow)
        for kind in (ALIF, BalancedLIF, CurrentLIF, EI, ConductanceLIF)
    ),
]

SOFT = "v -= 20*mV; w += jump; spiked = 1"


def changed(base, **strings):
    """A model of other strings than those of `base`."""
    return type("Changed", (base,), {"__module__": base.__module__, **strings})(hidden=6)


def network(model, lanes=3, **options):
    net = Network(model, 3, 2, 1 * ms, lanes=lanes, engine="runtime", **options)
    net.load(model.initial_weights(np.random.default_rng(1), net.n_in, 2))
    return net


def trial(steps, lanes=3):
    rng = np.random.default_rng(2)
    return Trial(rng.normal(size=(steps, lanes, 3)), rng.normal(size=(steps, lanes, 2)))


@pytest.mark.parametrize("model", [
    TwoPopulations(gain=3.0),
    TwoRates(),
    changed(TwoPopulations, method="rk4"),
    changed(TwoPopulations, method="rk2", refractory="w > 1*mV", threshold="not (v <= limit)"),
    changed(TwoPopulations, reset=SOFT, threshold="limit < v", refractory=None),
    changed(TwoPopulations, threshold="v > limit or v > -45*mV", update="spiked = 0; v += 0.1*mV"),
    changed(TwoRates, method="heun", update="a = drive + noise - 0.5 * exprel(gain) * (t_in_timesteps % 3)"),
])  # fmt: skip
def test_steps_are_brian2s(model):
    record = network(model).run(trial(120))
    trace, outputs = BPTT().forward(record)
    np.testing.assert_allclose(trace, record.traces[:, 0], atol=1e-12)
    np.testing.assert_allclose(outputs, record.outputs[:, 0], atol=1e-12)
    assert np.ptp(trace, axis=(0, 1)).mean() > 0.3


@pytest.mark.slow
@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_readouts_of_all_models_have_the_gradient_that_the_delta_rule_has(model):
    task = PatternGeneration(duration=30 * ms, ticks=2)
    of = estimate(ReadoutOnly(), model, task, modulator=Modulator(), lanes=4, samples=4)["W_out"]
    assert of.scale == pytest.approx(1, rel=1e-9) and of.limit == pytest.approx(1, rel=1e-9)


@pytest.mark.slow
def test_a_rule_without_bias_has_the_gradient_of_a_model_of_ones_own():
    rule, task = NodePerturbation(sigma=1e-3), PatternGeneration(duration=20 * ms, ticks=2)
    of = estimate(rule, TwoRates(), task, modulator=Modulator(), lanes=4, samples=60)
    for each in of.values():
        assert abs(each.scale - 1) < 4 * each.scale_error < 1.2


def test_the_gradient_is_that_of_the_loss():
    model, course = TwoRates(), trial(25)
    net = network(model)
    weights, eps, rng = net.weights, 1e-6, np.random.default_rng(3)
    gradient = BPTT().gradient(net.run(course))
    for name, w in weights.items():
        direction, ends = rng.normal(size=w.shape), []
        for sign in (1, -1):
            net.load(weights | {name: w + sign * eps * direction})
            ends.append(net.run(course).loss.sum() / 3)
        assert (gradient[name] * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * eps), rel=1e-6)


def test_potentials_are_scaled_by_the_way_from_reset_to_threshold():
    steeper = changed(TwoPopulations, threshold="2 * (v - 1*mV) > 2 * limit", reset=SOFT)
    for model, way in (
        (LIF(hidden=3), 1), (ALIF(hidden=3), 1), (ConductanceLIF(hidden=3), 1), (Izhikevich(hidden=3), 95),
        (TwoPopulations(), 0.025), (steeper, 0.04),
    ):  # fmt: skip
        assert model.dynamics(1 * ms).constants["way"] == pytest.approx(way, rel=1e-12)


def test_compiled_code_serves_all_parameters():
    one, other = (LIF(hidden=n, tau=tau * ms).dynamics(dt * ms) for n, tau, dt in ((3, 20, 1), (4, 30, 0.5)))
    assert one.step is other.step and one.constants["hidden.tau"] != other.constants["hidden.tau"]
    assert TanhRNN(hidden=3).dynamics(1 * ms).goes_on and not TwoRates().dynamics(1 * ms).goes_on


def test_what_only_brian2_can_run_is_refused_by_name_and_only_for_gradients():
    noisy = changed(TwoRates, equations=TwoRates.equations.replace("- x) / tau", "- x) / tau + xi*Hz**0.5"),
                    method="euler")  # fmt: skip
    record = network(noisy, perturbation=Perturbation(target="nodes", sigma=0.1)).run(trial(5))
    with pytest.raises(UnsupportedConstruct, match=r"^Changed\.equations: can't be rendered .*: xi$"):
        BPTT().gradient(record)


@pytest.mark.parametrize(("base", "strings", "where", "construct"), [
    (TwoRates, {"update": "a = drive + noise + rand()"}, "update", "rand"),
    (TwoRates, {"update": "a = drive + noise + i % 2"}, "update", "i"),
    (TwoRates, {"update": "a = drive / N"}, "update", "N"),
    (TwoRates, {"readout_update": "y = drive - target"}, "readout_update", "target"),
    (TwoRates, {"update": "a = own(drive)"}, "update", r'The identifier "own" could not be resolved'),
    (TwoPopulations, {"threshold": "v > limit + rand() * mV"}, "threshold", "rand"),
    (TwoPopulations, {"reset": "v = E + randn() * mV"}, "reset", "randn"),
    (TwoPopulations, {"parameters": lambda self: {"R": "mV * rand()"}}, "parameters", r"mV \* rand\(\)"),
])  # fmt: skip
def test_refusals_name_field_and_construct(base, strings, where, construct):
    with pytest.raises(UnsupportedConstruct, match=rf"^Changed\.{where}: can't be rendered .*: {construct}"):
        changed(base, **strings).dynamics(1 * ms)


@pytest.mark.parametrize("target", ["numpy", "cython"])
def test_gsl_is_refused_whatever_brian2_runs_on(target, monkeypatch):
    monkeypatch.setitem(prefs, "codegen.target", target)
    with pytest.raises(UnsupportedConstruct, match=r"^Changed\.equations: can't be rendered .*: gsl"):
        changed(TwoRates, method="gsl").dynamics(1 * ms)


@pytest.mark.parametrize(("strings", "message"), [
    ({"potential": None}, "potential: expected the variable that its threshold compares, got None"),
    ({"reset": "w += jump"}, "threshold: expected a condition on v that the reset takes it away from"),
])  # fmt: skip
def test_thresholds_without_a_way_to_them_are_refused(strings, message):
    with pytest.raises(InvalidValue, match=re.escape(f"Changed.{message}")):
        changed(TwoPopulations, **strings).dynamics(1 * ms)

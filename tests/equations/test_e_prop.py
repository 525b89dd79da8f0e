"""E-prop against its equations, synapse by synapse and step by step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF, CurrentLIF
from neuroanp.rules import EProp
from support.spiking import LANES, STEPS, network, record_of, shown

MODELS = {
    "lif": LIF(hidden=6, input_gain=3.0),
    "current-lif": CurrentLIF(hidden=6, input_gain=3.0, refractory_period=3 * ms),
    "alif": ALIF(hidden=6, input_gain=3.0, beta=0.2, adaptive=0.7),
}


def reference(record, feedback, damping=0.3):
    """The recursions, with an eligibility for each synapse that runs forward in time."""
    cells = record.cells
    z, v = record.traces[:, 0], record.hidden["potential"][:, 0]
    b = record.hidden["adaptation"][:, 0] if "adaptation" in record.hidden else np.zeros_like(v)
    rise = np.broadcast_to(cells.rise, v.shape[-1:])
    total = {}
    for name, source in (("W_in", record.inputs), ("W_rec", z)):
        total[name] = np.zeros((z.shape[2], source.shape[2]))
        for lane in range(LANES):
            eps_v, eps_b, mean_e = (np.zeros(total[name].shape) for _ in range(3))
            before = record.trace[0, lane]
            silent = np.where(before > 0, cells.refractory, 0)
            for t in range(STEPS):
                kept = (before == 0)[:, None]
                if name == "W_rec" and cells.reset_arrivals:
                    eps_v = eps_v + before
                eps_v = np.where(kept, eps_v, 0)
                leaking = np.where(silent > 0, 1, cells.memory)[:, None]
                drive = np.where(silent > 0, 0, 1)[:, None]
                eps_v = leaking * eps_v
                if name == "W_in":
                    eps_v = eps_v + drive * cells.drive * source[t, lane]
                elif not cells.reset_arrivals:
                    eps_v = eps_v + drive * cells.memory * before
                over = v[t, lane] - cells.threshold - b[t, lane]
                h = damping / cells.threshold * np.maximum(0, 1 - np.abs(over) / cells.threshold)
                h[silent > 0] = 0
                e = h[:, None] * (eps_v - eps_b)
                mean_e = record.readout_memory * mean_e + e
                error = record.outputs[t, 0, lane] - record.targets[t, lane]
                signal = 2 / (len(error) * LANES) * record.mask[t, lane] * error @ feedback
                total[name] += signal[:, None] * mean_e
                eps_b = cells.fading * (eps_b + rise[:, None] * e)
                before = z[t, lane]
                silent = np.where(before > 0, cells.refractory, np.maximum(silent - 1, 0))
    return total


def updated(rule, record, state=None):
    return rule(record, np.zeros((STEPS, LANES)), {} if state is None else state)


def assert_same(update, expected):
    for name, total in expected.items():
        assert np.abs(total).max() > 1e-4
        np.testing.assert_allclose(update[name], total, rtol=1e-9, atol=1e-9 * np.abs(total).max())


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_update_is_the_recursion(model, carried):
    rule = EProp(feedback="symmetric")
    record = record_of(rule, MODELS[model], carried=carried)
    assert ("adaptation" in record.hidden) == (model == "alif")
    assert_same(updated(rule, record), reference(record, record.weights["W_out"]))


def test_random_feedback_stays_and_leaves_the_readout_out_of_it():
    rule = EProp(feedback="random", feedback_seed=3)
    record = record_of(rule, MODELS["alif"])
    B = np.random.default_rng(3).standard_normal((2, 6)) / np.sqrt(6)
    update = updated(rule, record)
    assert_same(update, reference(record, B))
    other = dataclasses.replace(record, weights={"W_out": 9 * record.weights["W_out"]})
    np.testing.assert_array_equal(updated(rule, other)["W_rec"], update["W_rec"])


def test_kolen_pollack_feedback_changes_as_the_readout_does():
    rule, state = EProp(feedback="kolen-pollack", feedback_seed=3), {}
    record = record_of(rule, MODELS["lif"])
    start = 0.1 * np.random.default_rng(3).standard_normal((2, 6)) / np.sqrt(6)
    assert_same(updated(rule, record, state), reference(record, start))
    change = np.random.default_rng(4).standard_normal((2, 6))
    later = dataclasses.replace(record, weights={"W_out": record.weights["W_out"] + change})
    assert_same(updated(rule, later, state), reference(record, start + change))


def learned_once(record, B, escape):
    """The feedback after a trial: sums over steps, lanes and cells one by one."""
    cells, z = record.cells, record.trace[1:]
    correlation, uncertainty = np.zeros_like(B), np.zeros(B.shape[1])
    for lane in range(LANES):
        quiet = np.zeros(B.shape[1], int)
        for t in range(STEPS):
            over = record.hidden["potential"][t, 0, lane] - 1
            if "adaptation" in record.hidden:
                over = over - record.hidden["adaptation"][t, 0, lane]
            p = np.where(quiet > 0, 0, 1 / (1 + np.exp(-over / escape)))
            if t > 0:
                y = record.outputs[t - 1 : t + 1, 0, lane]
                residual = y[1] - record.readout_memory * y[0] - B @ z[t, lane]
                correlation += np.outer(residual, z[t, lane] - p)
            uncertainty += p * (1 - p)
            quiet = np.where(z[t, lane] > 0, cells.refractory, np.maximum(quiet - 1, 0))
    return B + correlation / (len(uncertainty) + uncertainty)


@pytest.mark.parametrize("model", MODELS)
def test_learned_feedback_is_the_correlation_of_residual_and_surprise(model):
    rule = EProp(escape=0.1, warmup=1)
    record, state = record_of(rule, MODELS[model]), {}
    assert record.noise.std() == pytest.approx(0.1 * np.pi / np.sqrt(3), rel=0.05)
    assert set(updated(rule, record, state)) == {"W_out"}  # the warm-up
    B = state["feedback"]
    np.testing.assert_allclose(B, learned_once(record, np.zeros((2, 6)), 0.1), rtol=1e-9)
    assert_same(updated(rule, record, state), reference(record, B))
    np.testing.assert_allclose(state["feedback"], learned_once(record, B, 0.1), rtol=1e-9)
    quiet = dataclasses.replace(record, noise=0 * record.noise)
    kept = state["feedback"]
    updated(rule, quiet, state)
    assert state["feedback"] is kept


def test_learned_feedback_becomes_the_readout_without_seeing_it():
    model = ALIF(hidden=20, input_gain=3.0)
    rule, state = EProp(escape=0.2, every=1, warmup=1000, readout="fixed"), {}
    simulated = network(model, passes=rule.passes, **dataclasses.asdict(rule.perturbation))
    for index in range(60):
        updated(rule, simulated.run(shown(index), index), state)
    W, B = simulated.weights["W_out"], state["feedback"]
    assert np.corrcoef(W.ravel(), B.ravel())[0, 1] > 0.9
    assert np.median(np.abs(B / W - 1)) < 0.05


def test_noise_comes_with_every_so_many_trials_and_not_in_tests():
    rule = EProp(every=3)
    simulated = network(LIF(hidden=6), passes=rule.passes, **dataclasses.asdict(rule.perturbation))
    noisy = [bool(simulated.run(shown(), index).noise.any()) for index in range(7)]
    assert noisy == [True, False, False, True, False, False, True]
    assert not simulated.run(shown(), 0, sigma=0.0).noise.any()


def test_adaptation_matters():
    rule = EProp(feedback="symmetric")
    record = record_of(rule, MODELS["alif"])
    flat = dataclasses.replace(record, cells=dataclasses.replace(record.cells, rise=0.0))
    first, second = (updated(rule, r)["W_rec"] for r in (record, flat))
    assert np.abs(first - second).max() > 0.01 * np.abs(first).max()


def test_decorrelated_traces_are_those_of_decorrelated_spikes():
    rule = EProp(feedback="symmetric")
    record = record_of(rule, MODELS["lif"])
    D = {"D_in": np.diag([2.0, 1.0, 1.0, 1.0]), "D_hidden": np.diag([3.0, 1, 1, 1, 1, 1])}
    plain = updated(rule, record)
    weights = {"W_out": record.weights["W_out"] @ np.linalg.inv(D["D_hidden"])}
    mixed = updated(rule, dataclasses.replace(record, decorrelation=D, weights=weights))
    np.testing.assert_allclose(mixed["W_in"], plain["W_in"] @ D["D_in"].T)
    np.testing.assert_allclose(mixed["W_rec"], plain["W_rec"] @ D["D_hidden"].T)


def test_no_error_no_update():
    rule = EProp(feedback="symmetric")
    record = record_of(rule)
    right = dataclasses.replace(record, targets=record.outputs[:, 0])
    assert not any(change.any() for change in rule(right, np.zeros((STEPS, LANES)), {}).values())


def test_float32_gives_the_same_update():
    rule = EProp(feedback="symmetric")
    updates = [
        rule(record_of(rule, MODELS["alif"], dtype=dtype), np.zeros((STEPS, LANES)), {})
        for dtype in ("float32", "float64")
    ]
    for name, change in updates[1].items():
        assert updates[0][name].dtype == np.float32
        np.testing.assert_allclose(updates[0][name], change, rtol=1e-3, atol=1e-3 * np.abs(change).max())


def test_other_networks_and_options_are_refused():
    with pytest.raises(InvalidValue, match=r"^Record\.cells: expected a model of spiking cells"):
        EProp()(dataclasses.replace(record_of(EProp()), cells=None), np.zeros((STEPS, LANES)), {})
    for field, value in (("feedback", "symetric"), ("damping", 0.0), ("readout", "perturb")):
        with pytest.raises(InvalidValue, match=rf"^EProp\.{field}: expected "):
            EProp(**{field: value})

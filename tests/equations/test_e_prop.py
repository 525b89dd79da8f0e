"""E-prop against its equations, synapse by synapse and step by step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF
from neuroanp.rules import EProp
from support.spiking import LANES, STEPS, record_of

MODELS = {
    "lif": LIF(hidden=6, input_gain=3.0),
    "alif": ALIF(hidden=6, input_gain=3.0, beta=0.2, adaptive=0.7),
}


def reference(record, feedback, damping=0.3):
    """The published recursions, with an eligibility for each synapse that runs forward in time."""
    cells = record.cells
    z, v = record.traces[:, 0], record.hidden["potential"][:, 0]
    b = record.hidden["adaptation"][:, 0] if "adaptation" in record.hidden else np.zeros_like(v)
    rise = np.broadcast_to(cells.rise, v.shape[-1:])
    total = {}
    for name, source in (("W_in", record.inputs), ("W_rec", z)):
        total[name] = np.zeros((z.shape[2], source.shape[2]))
        for lane in range(LANES):
            eps_v = np.zeros(source.shape[2])
            eps_b = np.zeros(total[name].shape)
            mean_e = np.zeros(total[name].shape)
            silent = np.zeros(z.shape[2], int)
            before = record.trace[0, lane]
            for t in range(STEPS):
                if name == "W_in":
                    eps_v = cells.memory * eps_v + cells.drive * source[t, lane]
                else:
                    eps_v = cells.memory * (eps_v + before)
                over = v[t, lane] - cells.threshold - b[t, lane]
                h = damping / cells.threshold * np.maximum(0, 1 - np.abs(over) / cells.threshold)
                h[silent > 0] = 0
                e = h[:, None] * (eps_v[None] - eps_b)
                mean_e = record.readout_memory * mean_e + e
                error = record.outputs[t, 0, lane] - record.targets[t, lane]
                signal = 2 / (len(error) * LANES) * record.mask[t, lane] * error @ feedback
                total[name] += signal[:, None] * mean_e
                eps_b = cells.fading * (eps_b + rise[:, None] * e)
                before = z[t, lane]
                silent = np.where(before > 0, cells.refractory, np.maximum(silent - 1, 0))
    return total


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_update_is_the_published_recursion(model, carried):
    rule = EProp()
    record = record_of(rule, MODELS[model], carried=carried)
    assert ("adaptation" in record.hidden) == (model == "alif")
    update = rule(record, np.zeros((STEPS, LANES)), {})
    expected = reference(record, record.weights["W_out"])
    for name, total in expected.items():
        assert np.abs(total).max() > 1e-4
        np.testing.assert_allclose(update[name], total, rtol=1e-9, atol=1e-9 * np.abs(total).max())


def test_random_feedback_stays_and_leaves_the_readout_out_of_it():
    rule = EProp(feedback="random", feedback_seed=3)
    record = record_of(rule, MODELS["alif"])
    B = np.random.default_rng(3).standard_normal((2, 6)) / np.sqrt(6)
    update = rule(record, np.zeros((STEPS, LANES)), {})
    for name, total in reference(record, B).items():
        np.testing.assert_allclose(update[name], total, rtol=1e-9, atol=1e-9 * np.abs(total).max())
    other = dataclasses.replace(record, weights={"W_out": 9 * record.weights["W_out"]})
    np.testing.assert_array_equal(rule(other, np.zeros((STEPS, LANES)), {})["W_rec"], update["W_rec"])


def test_adaptation_matters():
    rule = EProp()
    record = record_of(rule, MODELS["alif"])
    flat = dataclasses.replace(record, cells=dataclasses.replace(record.cells, rise=0.0))
    first, second = (rule(r, np.zeros((STEPS, LANES)), {})["W_rec"] for r in (record, flat))
    assert np.abs(first - second).max() > 0.01 * np.abs(first).max()


def test_decorrelated_traces_are_those_of_decorrelated_spikes():
    rule = EProp()
    record = record_of(rule, MODELS["lif"])
    D = {"D_in": np.diag([2.0, 1.0, 1.0, 1.0]), "D_hidden": np.diag([3.0, 1, 1, 1, 1, 1])}
    plain = rule(record, np.zeros((STEPS, LANES)), {})
    weights = {"W_out": record.weights["W_out"] @ np.linalg.inv(D["D_hidden"])}
    mixed = rule(dataclasses.replace(record, decorrelation=D, weights=weights), np.zeros((STEPS, LANES)), {})
    np.testing.assert_allclose(mixed["W_in"], plain["W_in"] @ D["D_in"].T)
    np.testing.assert_allclose(mixed["W_rec"], plain["W_rec"] @ D["D_hidden"].T)


def test_no_error_no_update():
    rule = EProp()
    record = record_of(rule)
    right = dataclasses.replace(record, targets=record.outputs[:, 0])
    assert not any(change.any() for change in rule(right, np.zeros((STEPS, LANES)), {}).values())


def test_float32_gives_the_same_update():
    rule = EProp()
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

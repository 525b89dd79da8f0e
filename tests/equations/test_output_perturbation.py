"""Output perturbation against its equations, step by step, and against e-prop with the errors known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF
from neuroanp.reward import Modulator, NoiseCritic
from neuroanp.rules import EProp, OutputPerturbation
from neuroanp.rules._factors import delta, outer
from neuroanp.tasks import DelayedXOR
from neuroanp.training.recipe import Recipe
from support.spiking import LANES, N_OUT, STEPS, network, record_of, shown

ALIFS = ALIF(hidden=6, input_gain=3.0, beta=0.2, adaptive=0.7)


def deviations(record):
    """What the noise adds to the outputs, step by step."""
    d = np.zeros((STEPS, LANES, N_OUT))
    for t in range(STEPS):
        d[t] = record.noise_out[t] + (record.readout_memory * d[t - 1] if t else 0)
    return d


def estimated(d, y, mask, r, hold, variances):
    """The equation of the errors, output by output; `variances` are a_0, a_1, a_2 and s."""
    error = np.zeros_like(d)
    c = np.array([np.polyval(variances[2::-1], value) for value in y.ravel()]).reshape(y.shape)
    c = np.maximum(c, 0.02 * c.max())
    for lane in range(LANES):
        for first in range(0, STEPS, hold):
            draw = range(first, min(first + hold, STEPS))
            total = variances[3]
            for t in draw:
                for o in range(N_OUT):
                    total += mask[t, lane] * c[t, lane, o] * d[t, lane, o] ** 2
            for t in draw:
                error[t, lane] = mask[t, lane] * c[t, lane] * d[t, lane] * r[first, lane] / total
    return error


def told(record, error, outputs):
    """Record in which these are the counted errors of the outputs."""
    targets = outputs - error * N_OUT / (2 * record.mask[:, :, None])
    return dataclasses.replace(record, outputs=outputs[:, None], targets=targets, passes=("clean",))


@pytest.mark.parametrize(("model", "hold"), [(LIF(hidden=6, input_gain=3.0), STEPS), (ALIFS, 25)])
def test_hidden_weights_learn_as_by_e_prop_from_the_estimated_errors(model, hold):
    rule = OutputPerturbation(hold=hold, feedback="symmetric", sigma=0.3, readout="fixed")
    record = record_of(rule, model)
    d, e_prop = deviations(record), EProp(feedback="symmetric", readout="fixed")
    y = record.outputs[:, 0] - d
    rng = np.random.default_rng(1)
    state, rows, squares, weights = rule.start(network(model).layout), [], [], []
    variances = np.array([1.0, 0, 0, 0])
    for _ in range(3):
        r = rng.normal(size=(STEPS, LANES))
        update = rule(record, r / LANES, state)
        error = estimated(d, y, record.mask, r, hold, variances)
        expected = e_prop(told(record, error, y), r, {})
        assert set(update) == {"W_in", "W_rec"}
        for name, total in expected.items():
            assert np.abs(total).max() > 1e-4
            np.testing.assert_allclose(update[name], total, rtol=1e-6, atol=1e-6 * np.abs(total).max())
        weights = [0.98 * weight for weight in weights]
        for lane in range(LANES):
            for first in range(0, STEPS, hold):
                draw = slice(first, min(first + hold, STEPS))
                power = record.mask[draw, lane, None] * d[draw, lane] ** 2
                rows.append([*((power * y[draw, lane] ** k).sum() for k in range(3)), 1])
                squares.append(r[first, lane] ** 2)
                weights.append(1.0)
        root = np.sqrt(weights)
        variances = np.linalg.lstsq(root[:, None] * rows, root * squares, rcond=None)[0]
        variances[3] = max(variances[3], 0)


def test_draws_that_do_not_count_and_a_first_return_of_zero_teach_nothing():
    rule, r = OutputPerturbation(hold=20, feedback="symmetric"), np.full((STEPS, LANES), 1e3)
    early = np.arange(STEPS)[:, None] < 20
    record = record_of(rule, ALIFS)
    record = dataclasses.replace(record, mask=np.where(early, 0.0, record.mask))
    update, counted = (rule(record, m, rule.start(None)) for m in (r, np.where(early, 0.0, r)))
    for name, change in counted.items():
        assert np.abs(change).max() > 0
        np.testing.assert_array_equal(update[name], change)
    state = rule.start(None)
    for change in (*rule(record, 0 * r, state).values(), rule(record, r, state)["W_rec"]):
        np.testing.assert_array_equal(change, 0)


def test_the_readout_learns_the_delta_rule_in_the_mean_from_a_scalar_a_lane():
    """Errors that last for the trial, of outputs that are known; the returns are formed here."""
    rule, rng = OutputPerturbation(feedback="symmetric"), np.random.default_rng(2)
    record = record_of(rule)
    y = record.outputs[:, 0] - deviations(record)
    record = dataclasses.replace(record, targets=y + rng.normal(size=(1, LANES, N_OUT)))
    exact = outer(delta(dataclasses.replace(record, outputs=y[:, None])), record.trace[1:])
    total, draws = np.zeros_like(exact), 300
    for _ in range(draws):
        noise = np.broadcast_to(0.05 * rng.normal(size=(1, LANES, N_OUT)), y.shape)
        noisy = dataclasses.replace(record, noise_out=noise)
        d = deviations(noisy)
        losses = [((y + change - record.targets) ** 2).mean(axis=2) for change in (d, 0 * d)]
        r = (record.mask * (losses[0] - losses[1] - (d**2).mean(axis=2))).sum(axis=0)
        noisy = dataclasses.replace(noisy, outputs=(y + d)[:, None])
        modulator = np.broadcast_to(r / LANES, (STEPS, LANES))
        total += rule(noisy, modulator, rule.start(None))["W_out"] / draws
    np.testing.assert_allclose(total, exact, atol=0.15 * np.abs(exact).max())


def test_outputs_that_are_seldom_wrong_get_little_of_the_blame():
    """Errors of outputs near 0 or 1 are made small: after some trials the estimates have learned it."""
    rule, rng = OutputPerturbation(feedback="symmetric", readout="fixed"), np.random.default_rng(3)
    e_prop = EProp(feedback="symmetric", readout="fixed")
    record = record_of(rule, ALIFS)
    state, cosines = rule.start(None), []
    for _ in range(200):
        y = np.broadcast_to(rng.uniform(size=(1, LANES, N_OUT)), (STEPS, LANES, N_OUT))
        error = record.mask[:, :, None] * (y * (1 - y)) ** 2 * rng.choice([-1, 1], size=(1, LANES, N_OUT))
        noise = np.broadcast_to(0.05 * rng.normal(size=(1, LANES, N_OUT)), y.shape)
        noisy = dataclasses.replace(record, noise_out=noise)
        d = deviations(noisy)
        r = np.broadcast_to((error * d).sum(axis=(0, 2)) / LANES, (STEPS, LANES))
        noisy = dataclasses.replace(noisy, outputs=(y + d)[:, None])
        exact = e_prop(told(record, error, y), r, {})["W_in"].ravel()
        found = [rule(noisy, r, memory)["W_in"].ravel() for memory in (state, rule.start(None))]
        cosines.append([exact @ g / np.linalg.norm(exact) / np.linalg.norm(g) for g in found])
    learned, alike = np.mean(cosines[50:], axis=0)
    assert alike > 0.4 and learned > alike + 0.05


def test_noise_is_on_the_outputs_alone_and_lasts_for_the_trial():
    rule = OutputPerturbation(sigma=0.2)
    simulated = network(ALIFS, passes=("plus",), **dataclasses.asdict(rule.perturbation))
    record = simulated.run(shown(), 0)
    assert not record.noise.any()
    assert record.noise_out.std() == pytest.approx(0.2, rel=0.7)
    np.testing.assert_array_equal(
        record.noise_out, np.broadcast_to(record.noise_out[:1], (STEPS, LANES, N_OUT))
    )
    assert not simulated.run(shown(), 0, sigma=0.0).noise_out.any()


def test_no_noise_no_update_of_the_cells_and_other_units_are_refused():
    rule = OutputPerturbation(sigma=0.0, readout="fixed")
    assert rule(record_of(rule), np.ones((STEPS, LANES)), rule.start(None)) == {}
    rule = OutputPerturbation()
    record = dataclasses.replace(record_of(rule), cells=None)
    with pytest.raises(InvalidValue, match=r"^Record\.cells: expected a model of spiking cells"):
        rule(record, np.ones((STEPS, LANES)), rule.start(None))
    for field, value in (("feedback", "learned"), ("hold", 0), ("sigma", -1.0), ("damping", 0.0)):
        with pytest.raises(InvalidValue, match=rf"^OutputPerturbation\.{field}: expected "):
            OutputPerturbation(**{field: value})


def test_a_recipe_of_one_noisy_pass_is_accepted():
    recipe = Recipe(
        model=ALIF(),
        rule=OutputPerturbation(),
        modulator=Modulator(baseline=NoiseCritic()),
        decorrelation=None,
    )
    recipe.check(DelayedXOR())
    assert recipe.passes == ("plus",)

"""The escape score against the derivative of the log-likelihood of a spike train."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF, CurrentLIF, Izhikevich, TanhRNN
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EscapeScore
from neuroanp.tasks import DelayedXOR
from neuroanp.training.recipe import Recipe
from support.spiking import LANES, STEPS, network, record_of, shown

MODELS = {
    "lif": LIF(hidden=6, input_gain=3.0),
    "current-lif": CurrentLIF(hidden=6, input_gain=3.0, refractory_period=3 * ms),
    "alif": ALIF(hidden=6, input_gain=3.0, beta=0.2, adaptive=0.7),
}


def log_likelihoods(record, weights, escape, first):
    """By step and lane, were the spikes those of the record with any weights; potentials start at `first`."""
    cells, z = record.cells, record.trace[1:]
    v = np.zeros((LANES, z.shape[2])) + first
    b = np.zeros_like(v)
    quiet, before = np.zeros(v.shape, int), np.zeros_like(v)
    steps = np.zeros((STEPS, LANES))
    rise = np.broadcast_to(cells.rise, z.shape[2])
    for t in range(STEPS):
        free = quiet == 0
        arriving = before @ weights["W_rec"].T
        current = cells.drive * record.inputs[t] @ weights["W_in"].T
        if cells.reset_arrivals:
            v = np.where(before > 0, 0, v + arriving) if t else v
        else:
            v = np.where(before > 0, 0, v)
            current = current + cells.memory * arriving
        v = np.where(free, cells.memory * v + current, v)
        b = cells.fading * (b + rise * before)
        p = 1 / (1 + np.exp(-(v - 1 - b) / escape))
        chance = np.where(z[t] > 0, p, 1 - p)
        steps[t] = np.where(free, np.log(chance), 0).sum(axis=1)
        before = z[t]
        quiet = np.where(before > 0, cells.refractory, np.maximum(quiet - 1, 0))
    return steps


@pytest.mark.parametrize("model", MODELS)
def test_update_is_the_score_times_the_return(model):
    """Spikes are given, so a weight acts through the potentials alone: finite differences."""
    rule = EscapeScore(escape=0.2)
    record = record_of(rule, MODELS[model])
    modulator = np.random.default_rng(4).normal(size=(STEPS, LANES))
    update = rule(record, modulator, {})
    first = MODELS[model].initial_state()["v"]
    rng = np.random.default_rng(5)
    for name in ("W_in", "W_rec"):
        for post, pre in rng.integers((6, record.weights[name].shape[1]), size=(8, 2)):
            values = []
            for sign in (1, -1):
                weights = {key: w.copy() for key, w in record.weights.items()}
                weights[name][post, pre] += sign * 1e-5
                values.append((modulator * log_likelihoods(record, weights, 0.2, first)).sum())
            slope = (values[0] - values[1]) / 2e-5
            assert update[name][post, pre] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_spikes_come_by_the_chance_that_the_rule_assumes():
    rule = EscapeScore(escape=0.2)
    simulated = network(MODELS["lif"], passes=rule.passes, **dataclasses.asdict(rule.perturbation))
    surprise, variance = 0.0, 0.0
    for index in range(30):
        record = simulated.run(shown(), index)
        p = 1 / (1 + np.exp(-(record.hidden["potential"][:, 0] - 1) / 0.2))
        z = record.trace[1:]
        free = np.ones_like(p, bool)
        for lag in (1, 2):
            free[lag:] &= z[:-lag] == 0
        surprise += ((z - p) * free).sum()
        variance += (p * (1 - p) * free).sum()
    assert variance > 1000 and abs(surprise) < 4 * np.sqrt(variance)


def test_the_noise_of_the_cells_stays_in_tests_and_that_of_the_readout_does_not():
    rule = EscapeScore(readout="perturb")
    simulated = network(MODELS["lif"], passes=rule.passes, **dataclasses.asdict(rule.perturbation))
    record = simulated.run(shown(), 0, sigma=0.0)
    assert record.noise.std() == pytest.approx(0.1 * np.pi / np.sqrt(3), rel=0.05)
    assert not record.noise_out.any()
    assert simulated.run(shown(), 0).noise_out.std() == pytest.approx(0.03, rel=0.2)


def test_what_cannot_work_is_refused_before_it_runs():
    recipe = Recipe(model=ALIF(), rule=EscapeScore(), decorrelation=None)
    with pytest.raises(InvalidValue, match=r"^Modulator\.baseline: expected a baseline of one pass"):
        recipe.check(DelayedXOR())
    lanes = recipe.replace(modulator=Modulator(baseline=OtherLanes()))
    lanes.check(DelayedXOR())
    with pytest.raises(InvalidValue, match=r"^Recipe\.model: expected a model of spiking cells"):
        lanes.replace(model=TanhRNN()).check(DelayedXOR())
    with pytest.raises(InvalidValue, match=r"^Recipe\.model: expected a model of spiking cells with known"):
        lanes.replace(model=Izhikevich()).check(DelayedXOR())

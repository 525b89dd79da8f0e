"""Updates of sparse networks against those of dense ones, and synapse by synapse."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.filters import leaky
from neuroanp.rules import (
    ActivityPerturbation,
    DelayedHebbian,
    EProp,
    RewardSTDP,
    arrived,
    outer,
    recurrent_leaky,
)
from support.sparse import HELD, HIDDEN, LATE, MODELS, OUTGOING, build, existing, pair, trials
from support.spiking import LANES, STEPS, shown

RULES = {
    "node": HELD,
    "activity": ActivityPerturbation(sigma=0.3, mirrored=False),
    "stdp": RewardSTDP(sigma=0.3, hold=5, tau_plus=15 * ms, tau_minus=25 * ms, a_minus=0.7),
    "hebbian": DelayedHebbian(sigma=0.3, probability=0.1, mirrored=False),
    "e-prop": EProp(feedback="symmetric"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_update_is_that_of_the_dense_network_where_synapses_exist(name, monkeypatch):
    monkeypatch.setattr("neuroanp.rules._sparse.BLOCK", 100)
    rule = RULES[name]
    sparse, dense = pair(MODELS["alif"], rule=rule)
    modulator = np.random.default_rng(4).normal(size=(STEPS, LANES))
    for index, trial in enumerate(trials()):
        one, other = (made.run(trial, index) for made in (sparse, dense))
        ours, theirs = (rule(record, modulator, {}) for record in (one, other))
        assert ours["W_rec"].shape == (HIDDEN * OUTGOING,)
        assert ours["W_rec"].dtype == np.float64
        theirs["W_rec"] = existing(one.wiring, theirs["W_rec"])
        for key in theirs:
            size = np.abs(theirs[key]).max()
            assert size > 0
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-9, atol=1e-12 * size)


@pytest.mark.parametrize("passes", [("plus",), ("plus", "minus"), ("clean", "plus")])
def test_the_update_sees_spikes_when_they_arrive(passes):
    """Over a window and its carried one, synapse by synapse, in parts shorter than the longest delay."""
    lanes = 128  # parts of four steps
    made = build(LATE, passes=passes, lanes=lanes)
    wiring, outgoing = made.wiring, made.wiring.targets.shape[1]
    assert wiring.delays.min() == 2 and wiring.delays.max() == 9
    fired = np.zeros((10, lanes, HIDDEN))
    modulator = np.random.default_rng(4).normal(size=(STEPS, lanes))
    for index, trial in enumerate(trials(lanes)):
        record = made.run(trial, index)
        courses = {name: record.traces[:, k] for k, name in enumerate(passes)}
        x = courses["clean"] if "clean" in passes else np.mean(list(courses.values()), axis=0)
        seen = np.concatenate([fired, x])
        post = modulator[:, :, None] * record.noise / (0.3**2 * 5)
        expected = np.zeros((HIDDEN, outgoing))
        for j, k in np.ndindex(HIDDEN, outgoing):
            first = 10 - 1 - wiring.delays[j]
            expected[j, k] = (post[:, :, wiring.targets[j, k]] * seen[first : first + STEPS, :, j]).sum()
        update = HELD(record, modulator, {})["W_rec"]
        np.testing.assert_allclose(update, expected.ravel(), rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        # potentials go on from the mean of mirrored passes, spikes under way are those of the first
        fired = courses["clean" if "clean" in passes else "plus"][-10:].copy()
        for j, delay in enumerate(wiring.delays):
            fired[9 - delay, :, j] = x[STEPS - 1 - delay, :, j]


def test_traces_that_fade_are_summed_backwards():
    record = build(LATE).run(shown())
    x, post = record.traces[:, 0], np.random.default_rng(1).normal(size=(STEPS, LANES, HIDDEN))
    heard = arrived(record, x)
    for j, delay in enumerate(record.wiring.delays):
        np.testing.assert_array_equal(heard[delay + 1 :, :, j], x[: -delay - 1, :, j])
        assert not heard[: delay + 1, :, j].any()
    found = recurrent_leaky(record, post, heard, 0.9, gain=0.5)
    full = outer(post, 0.5 * leaky(heard, 0.9))
    np.testing.assert_allclose(found, existing(record.wiring, full), rtol=1e-9, atol=1e-9)

"""Baseline that knows how much noise a trial had."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.reward import Modulator, NoiseCritic, RunningMean
from support.simulator import Problem

LANES = 50


def trials(count):
    """Records of one noisy pass whose loss is 3 + 2 |noise|^2 + a surprise, and the surprises, summed."""
    rng, problem = np.random.default_rng(0), Problem(lanes=LANES)
    record = problem.record(passes=("plus",), **problem.draw(0.1))
    record = dataclasses.replace(record, mask=np.ones(record.mask.shape))
    for _ in range(count):
        noise = np.broadcast_to(rng.normal(size=(1, *record.noise_out.shape[1:])), record.noise_out.shape)
        surprise = rng.normal(size=record.mask.shape)
        loss = 3 + 2 * (noise**2).sum(axis=2) + surprise
        yield (
            dataclasses.replace(record, noise_out=noise, loss=loss[:, None]),
            surprise[::-1].cumsum(axis=0)[::-1],
        )


def test_the_square_of_the_noise_and_the_mean_are_taken_off():
    baseline, mean, state, others = NoiseCritic(), RunningMean(), {}, {}
    for record, surprise in trials(20):
        left = baseline(record, 1.0, state) - surprise
        rough = mean(record, 1.0, others) - surprise
    assert np.abs(left).max() < 0.1 * np.abs(rough).max()
    assert np.sqrt((left**2).mean()) < 0.2


def test_the_present_trial_is_not_in_its_own_baseline():
    (first, _), (second, _) = trials(2)
    state = {}
    Modulator(baseline=NoiseCritic())(first, state)
    changed = dataclasses.replace(second, loss=second.loss + 1)
    results = [NoiseCritic()(record, 0.0, dict(state)) for record in (second, changed)]
    np.testing.assert_allclose(results[1] - results[0], 1.0)


def test_it_needs_a_noisy_pass():
    with pytest.raises(InvalidValue, match=r"^NoiseCritic\.memory: expected "):
        NoiseCritic(memory=2)
    record, _ = next(trials(1))
    with pytest.raises(InvalidValue, match=r"^Record\.passes: expected a plus pass"):
        NoiseCritic()(dataclasses.replace(record, passes=("clean",)), 1.0, {})


def test_trials_of_other_lengths_are_refused():
    (first, _), (second, _) = trials(2)
    state, steps = {}, len(first.mask)
    NoiseCritic()(first, 1.0, state)
    shorter = {name: getattr(second, name)[1:] for name in ("loss", "mask", "noise_out")}
    with pytest.raises(InvalidValue, match=rf"^NoiseCritic: expected {steps} steps a trial, got {steps - 1}"):
        NoiseCritic()(dataclasses.replace(second, **shorter), 1.0, state)

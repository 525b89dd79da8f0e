"""The host's reward unit against the modulator that training in floating point has."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.hardware.reward_unit import RewardUnit
from neuroanp.models import CurrentLIF
from neuroanp.network.layout import Passes
from neuroanp.reward import Modulator, OtherPass
from support.integers import TASK


@pytest.mark.parametrize(
    "names, contrast", [(("plus", "minus"), (0.5, -0.5)), (("clean", "plus"), (-1.0, 1.0))]
)
def test_two_passes_make_the_outcome_their_discounted_difference(names, contrast):
    rng, discount = np.random.default_rng(0), 0.9
    trial = TASK.trial(rng, 4)
    outputs = rng.normal(size=(2, trial.steps, 4, 1))
    unit = RewardUnit(TASK, CurrentLIF(), Modulator(discount=discount, baseline=OtherPass()), Passes(names))
    unit.begin(trial)
    for name, played in zip(names, outputs, strict=True):
        unit.begin_pass(name)
        for step in range(trial.steps):
            unit(step, played[step])
    charges = np.asarray(trial.mask) * ((outputs - trial.targets) ** 2)[..., 0]
    returns = (discount ** np.arange(trial.steps)[:, None] * charges).sum(axis=1).mean(axis=1)
    assert unit.outcome == pytest.approx(contrast[0] * returns[0] + contrast[1] * returns[1])
    assert unit.end() == pytest.approx(charges.mean(axis=0).sum() / np.asarray(trial.mask).sum())

"""Reward-modulated STDP against its equations, synapse by synapse and step by step."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms, mV

from neuroanp.errors import InvalidValue
from neuroanp.models import LIF
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import NodePerturbation, RewardSTDP
from support.spiking import LANES, STEPS, record_of

RULE = RewardSTDP(sigma=0.3, hold=5, tau_plus=15 * ms, tau_minus=25 * ms, a_plus=1.0, a_minus=0.7)
DECAY = 0.9


@pytest.mark.parametrize("passes", [("plus",), ("clean", "plus")])
def test_update_is_reward_times_an_eligibility_that_fades(passes):
    record = record_of(RULE, LIF(hidden=6), passes=passes, carried=True)
    surprise = np.random.default_rng(5).normal(size=(STEPS, LANES))
    modulator = np.array([(DECAY ** np.arange(STEPS - t)) @ surprise[t:] for t in range(STEPS)])
    update = RULE(record, modulator, {})
    post = record.traces[:, passes.index("plus")]
    plus, minus = np.exp(-1 / 15), np.exp(-1 / 25)
    for name in ("W_in", "W_rec"):
        total = np.zeros(update[name].shape)
        for lane in range(LANES):
            p, q, c = np.zeros(total.shape[1]), np.zeros(6), np.zeros(total.shape)
            fired = record.trace[0, lane]
            for t in range(STEPS):
                arrived = record.inputs[t, lane] if name == "W_in" else fired
                p, q = plus * p + arrived, minus * (q + fired)
                c = DECAY * c + np.outer(post[t, lane], p) - 0.7 * np.outer(q, arrived)
                total += surprise[t, lane] * c
                fired = post[t, lane]
        assert np.abs(total).max() > 0.1
        np.testing.assert_allclose(update[name], total, rtol=1e-9, atol=1e-9 * np.abs(total).max())


@pytest.mark.parametrize("readout", ["perturb", "delta", "fixed"])
def test_the_readout_learns_as_with_node_perturbation(readout):
    options = {"sigma": 0.3, "readout_sigma": 0.1, "hold": 5, "readout": readout}
    rule, other = RewardSTDP(**options), NodePerturbation(**options)
    record = record_of(rule, passes=("plus",))
    modulator = Modulator(baseline=OtherLanes())(record, {})
    update, expected = rule(record, modulator, {}), other(record, modulator, {})
    assert set(update) == set(expected)
    if readout != "fixed":
        np.testing.assert_allclose(update["W_out"], expected["W_out"])
        assert update["W_out"].any()


def test_causal_pairs_that_were_rewarded_grow():
    """Less loss than expected after pre before post makes a weight larger: the update is subtracted."""
    record = record_of(RewardSTDP(a_minus=0.0), passes=("plus",))
    update = RewardSTDP(a_minus=0.0)(record, -np.ones((STEPS, LANES)), {})
    assert (update["W_rec"] <= 0).all() and update["W_rec"].min() < 0
    down = RewardSTDP(a_plus=0.0)(record, -np.ones((STEPS, LANES)), {})
    assert (down["W_rec"] >= 0).all() and down["W_rec"].max() > 0


@pytest.mark.parametrize(
    ("field", "value"), [("tau_plus", 0 * ms), ("tau_minus", 20 * mV), ("a_plus", -1.0), ("a_minus", np.nan)]
)
def test_bad_options_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=rf"^RewardSTDP\.{field}: expected "):
        RewardSTDP(**{field: value})

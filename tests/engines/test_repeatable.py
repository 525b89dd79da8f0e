"""The same seed gives the same bits, in any process; another seed or precision does not."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import device_for
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodePerturbation, WeightPerturbation
from support.circuits import NAMES, circuit
from support.copying import training
from support.processes import python

RULES = (NodePerturbation(sigma=0.05), WeightPerturbation(sigma=0.05))
SETTINGS = {"decorrelation": Decorrelation()}


def trained(rule, **changes):
    """Losses, and weights with decorrelating matrices, after 30 updates."""
    run = training(rule=rule, **SETTINGS | changes).run(progress=False)
    return run.history["loss"], run.weights


def spikes():
    """Spikes of a network of about everything that Brian2 has, timed arrays and monitors with it."""
    with device_for("compiled").active():
        some = circuit()
        some.net.run(3 * ms, namespace=NAMES)
    return np.array(some.spikes.i)


def save(path):
    """What another process finds, for all rules."""
    arrays = {f"{r.name} {k}": w for r in RULES for k, w in trained(r)[1].items()}
    np.savez(path, spikes=spikes(), **arrays)


SCRIPT = """
from neuroanp.engine.build import cache

def refuse(job, target):
    raise SystemExit("compiled again")

cache._compile = refuse
from engines.test_repeatable import save
save({path!r})
"""


def test_two_processes_find_the_same_bits_with_one_build(tmp_path):
    """Sets of names have other orders in the second, whose hash seed is another."""
    path = tmp_path / "other.npz"
    here = {rule.name: trained(rule)[1] for rule in RULES}
    spiked = spikes()
    python(SCRIPT.format(path=str(path)), PYTHONHASHSEED="7")
    with np.load(path) as other:
        assert len(other.files) == 5 * len(RULES) + 1
        np.testing.assert_array_equal(other["spikes"], spiked)
        for rule, weights in here.items():
            for name, w in weights.items():
                np.testing.assert_array_equal(other[f"{rule} {name}"], w, err_msg=f"{rule} {name}")


def test_single_precision_agrees_roughly():
    (wide, weights), (narrow, other) = (trained(RULES[0], dtype=dtype) for dtype in ("float64", "float32"))
    assert not np.array_equal(wide, narrow)
    np.testing.assert_allclose(narrow, wide, rtol=0.02)
    for name, w in weights.items():
        assert np.linalg.norm(other[name] - w) < 0.05 * np.linalg.norm(w), name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_and_optimizer_have_the_precision_of_the_simulation(dtype):
    made = training(dtype=dtype, **SETTINGS)
    made.network.load(made.state.weights, made.state.decorrelation)
    made.step()
    memory = [values for state in made.state.optimizer for values in state.values() if values.ndim]
    assert memory and {values.dtype for values in [*memory, *made.state.weights.values()]} == {
        np.dtype(dtype)
    }


def test_seeds_differ_in_weights_trials_noise_and_evaluation():
    first, other = (training(seed=seed, **SETTINGS) for seed in (1, 2))
    for name in ("W_in", "W_rec"):
        assert not np.array_equal(first.state.weights[name], other.state.weights[name])
    assert not np.array_equal(first.trial(0).inputs, other.trial(0).inputs)
    assert not np.array_equal(first.trial(0).inputs, first.trial(1).inputs)
    assert not np.array_equal(first.unseen.inputs, other.unseen.inputs)
    noises = [made.network.run(made.trial(0), 0).noise.copy() for made in (first, other)]
    assert not np.array_equal(*noises)
    losses = [made.run(progress=False).history["loss"] for made in (first, other)]
    assert not np.array_equal(*losses)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hold", ["trial", "step"])
def test_noise_on_weights_is_drawn_again_to_the_bit(hold, dtype):
    rule = WeightPerturbation(sigma=0.05, hold=hold)
    trainer = training(rule=rule, updates=1, engine="compiled", dtype=dtype)
    record = trainer.network.run(trainer.trial(0), 0)
    *_, last = record.weight_noise()
    for name, source in trainer.network.parts.noises.sources.items():
        assert last[name].std() > 0.02
        np.testing.assert_array_equal(last[name], source.array("noise").reshape(source.shape))

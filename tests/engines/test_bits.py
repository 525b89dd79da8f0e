"""Weights after 20 updates are those of commit cb197fa to 1e-6, before the packages were laid out anew.

To the bit they are those of the commit that put threads in, where they are known for processor, compiler and
libraries: rows, noise that is held and long products have been summed in another order since. All settings
are spelled out, so that other recipes don't move them.
"""

import hashlib
import json
import math
from pathlib import Path

import brian2
import numpy as np
import pytest
import scipy
from brian2 import Hz, ms

from neuroanp.config.environment import processor
from neuroanp.engine.build.compiler import find_compiler
from neuroanp.hardware import OnChip
from neuroanp.models import ALIF, BalancedLIF, TanhRNN
from neuroanp.optim import Adam, Clip, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import InputCritic, Modulator, OtherLanes, OtherPass, RunningMean
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CartPole, CopyingMemory, DelayedXOR
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe

REFERENCE = json.loads(Path(__file__).with_name("bits.json").read_text())
OFF = {"clip": Clip(norm=math.inf), "bounds": WeightBounds(low=-math.inf, high=math.inf), "updates": 20}
LIF_OPTIONS = {
    "hidden": 100, "bias": True, "tau": 20 * ms, "tau_out": 20 * ms, "bias_mean": 0.5, "recurrent_gain": 0.5,
    "v_spread": 1.0, "density": 1.0, "delay": 0 * ms, "least_delay": 0 * ms,
}  # fmt: skip
TRAININGS = {
    "copying-memory": (
        CopyingMemory(
            alphabet=6, length=5, delay=5, fresh=True, sequence_seed=0, evaluation_trials=1000
        ),
        Recipe(
            model=TanhRNN(
                hidden=100, bias=True, input_gain=1.0, recurrent_gain=1.0, orthogonal=True, readout_gain=0.0
            ),
            rule=NodePerturbation(
                sigma=0.01, readout="delta", mirrored=True, distribution="gaussian", hold=1,
                readout_sigma=None,
            ),
            modulator=Modulator(discount=1.0, scope="lane", baseline=OtherPass()),
            optimizer=Adam(
                lr=3e-3, readout_lr=1e-2, input_lr=None, anneal="linear", b1=0.9, b2=0.999, eps=1e-8
            ),
            decorrelation=Decorrelation(rate=0.01, anneal="linear"), lanes=64, **OFF,
        ),
    ),
    "delayed-xor": (
        DelayedXOR(
            cue=50 * ms, delay=20 * ms, decision=20 * ms, rate=200 * Hz, background=5 * Hz, channels=10,
            reward="error", evaluation_trials=512,
        ),
        Recipe(
            model=ALIF(
                input_gain=3.0, beta=1.0, tau_a=400 * ms, adaptive=0.5, refractory_period=3 * ms,
                bias_spread=0.3, readout_gain=0.3, **LIF_OPTIONS,
            ),
            rule=NodePerturbation(
                sigma=0.3, hold=10, readout="delta", mirrored=True, distribution="gaussian",
                readout_sigma=None,
            ),
            modulator=Modulator(discount=1.0, scope="lane", baseline=OtherLanes(copies=4)),
            optimizer=Adam(
                lr=1e-3, input_lr=1e-2, readout_lr=1e-2, anneal="linear", b1=0.9, b2=0.999, eps=1e-8
            ),
            decorrelation=None, lanes=128, **OFF,
        ),
    ),
    "cart-pole": (
        CartPole(longest=25, velocities=True, episodes=20),
        Recipe(
            model=BalancedLIF(
                refractory_period=5 * ms, input_gain=3.0, bias_spread=0.1, readout_gain=1.0, **LIF_OPTIONS
            ),
            rule=NodePerturbation(
                sigma=1.0, hold=4, readout="perturb", readout_sigma=0.1, mirrored=False,
                distribution="gaussian",
            ),
            modulator=Modulator(discount=0.985**0.25, scope="lane", baseline=InputCritic()),
            optimizer=Adam(
                lr=1e-3, input_lr=2e-2, readout_lr=1e-2, anneal="linear", b1=0.9, b2=0.999, eps=1e-8
            ),
            decorrelation=None, lanes=32, **OFF,
        ),
    ),
}  # fmt: skip


def trained(name, engine):
    if name != "on-chip":
        run = Trainer(*TRAININGS[name], seed=1, engine=engine, dtype="float64", tests=0).run(progress=False)
        return run.weights
    chip = OnChip(
        TanhRNN(
            hidden=20, bias=True, input_gain=1.0, recurrent_gain=1.0, orthogonal=True, readout_gain=0.0
        ),
        CopyingMemory(alphabet=5, length=3, delay=3, fresh=True, sequence_seed=0, evaluation_trials=1000),
        rule=NodePerturbation(
            sigma=0.05, readout="perturb", mirrored=True, distribution="gaussian", hold=1, readout_sigma=None
        ),
        modulator=Modulator(discount=1.0, scope="lane", baseline=RunningMean(memory=0.9)),
        optimizer=Adam(
            lr=3e-3, readout_lr=None, input_lr=None, anneal="linear", b1=0.9, b2=0.999, eps=1e-8
        ),
        seed=1, updates=20, engine=engine,
    )  # fmt: skip
    for index in range(20):
        chip.step(index)
    return chip.weights


def digest(weights):
    """Hash of all bits of the matrices, by name."""
    total = hashlib.sha256()
    for name in sorted(set(weights) & {"W_in", "W_rec", "W_out", "D_in", "D_hidden"}):
        total.update(name.encode() + np.ascontiguousarray(weights[name], np.float64).tobytes())
    return total.hexdigest()[:16]


def samples(weights):
    """Some of the weights, by name."""
    return {
        name: weights[name].ravel()[:: max(1, weights[name].size // 7)] for name in ("W_in", "W_rec", "W_out")
    }


def identity(engine):
    """What decides about the last bits of a run."""
    compiler = find_compiler() if engine == "compiled" else None
    versions = [module.__version__ for module in (np, scipy, brian2)]
    return " ".join([engine, processor(), *versions, compiler.version if compiler else ""]).strip()


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("copying-memory", "compiled"), ("delayed-xor", "compiled"), ("cart-pole", "compiled"),
        ("on-chip", "compiled"), ("on-chip", "runtime"),
        *(pytest.param(name, "runtime", marks=pytest.mark.slow) for name in TRAININGS),
    ],
)  # fmt: skip
def test_weights_are_those_of_the_commit_before(name, engine):
    weights = trained(name, engine)
    for matrix, values in samples(weights).items():
        np.testing.assert_allclose(values, REFERENCE["samples"][name][matrix], rtol=1e-6, atol=1e-9)
    known = REFERENCE["digests"].get(identity(engine))
    if known:
        assert digest(weights) == known[name]

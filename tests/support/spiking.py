"""Small spiking networks, a task for them, and a training run to be varied."""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import ms

from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam, Clip
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import NodePerturbation
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from support.training import trainer

STEPS, LANES, N_IN, N_OUT = 60, 4, 3, 2
RECIPE = Recipe(
    model=LIF(hidden=40, input_gain=2.0, readout_gain=1.0),
    rule=NodePerturbation(sigma=0.1, hold=10, readout="delta"),
    modulator=Modulator(discount=0.98, baseline=OtherLanes()),
    clip=Clip(),
    optimizer=Adam(lr=3e-3, input_lr=3e-2),
    decorrelation=None,
    lanes=16,
    updates=100,
)


def shown(seed=0):
    """A trial of random inputs and targets."""
    rng = np.random.default_rng(seed)
    return Trial(2 * rng.random((STEPS, LANES, N_IN)), rng.normal(size=(STEPS, LANES, N_OUT)))


def network(model, engine="runtime", passes=("plus",), **noise):
    """A network for `shown`, with weights."""
    made = Network(
        model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=passes, perturbation=Perturbation(**noise), seed=1,
        engine=engine,
    )  # fmt: skip
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    return made


def training(**changes):
    """The wave with LIF cells and held noise, with what is said otherwise."""
    return trainer(Wave(), RECIPE, **changes)


def record_of(rule, model=None, passes=None, carried=False, seed=0, **options):
    """One trial of Poisson inputs, with what the rule asks for."""
    model = model or LIF(hidden=6)
    rng = np.random.default_rng(seed)
    network = Network(
        model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=passes or rule.passes, perturbation=rule.perturbation,
        seed=seed, **{"engine": "runtime"} | options,
    )  # fmt: skip
    network.load(model.initial_weights(rng, network.n_in, N_OUT))
    inputs = 3.0 * (rng.random((STEPS, LANES, N_IN)) < 0.3)
    mask = rng.uniform(0.5, 1.5, (STEPS, LANES))
    trial = Trial(inputs, rng.normal(size=(STEPS, LANES, N_OUT)), mask)
    record = network.run(trial)
    if carried:
        record = network.run(dataclasses.replace(trial, carry=True), 1)
    assert 10 < record.traces.sum() < 0.5 * record.traces.size
    return record


class Wave(Task):
    """One slow wave of 200 ms from a clock of 10 channels: a pattern that is learned in seconds."""

    name = "wave"
    score_name = "mean square error over the target's variance"
    higher_is_better = False
    steps = 200

    @property
    def n_in(self):
        return 10

    @property
    def n_out(self):
        return 1

    def trial(self, rng, lanes, index=0):
        clock = np.eye(10)[np.arange(self.steps) * 10 // self.steps]
        curve = np.sqrt(2) * np.sin(2 * np.pi * np.arange(self.steps) / self.steps + 1)
        return Trial(*(np.repeat(a.reshape(self.steps, 1, -1), lanes, axis=1) for a in (clock, curve)))

    def evaluation(self, rng):
        return self.trial(rng, 1)

    def score(self, outputs, trial):
        return loss(outputs, trial) / float(trial.targets.var())

    def trivial(self):
        return {"mean": 1.0}

"""A task, a model, a rule, an optimizer and a baseline as a user writes them; none of them is registered."""

import numpy as np

from neuroanp import option
from neuroanp.network.model import Model
from neuroanp.network.trial import Trial
from neuroanp.optim import Stage
from neuroanp.reward import OtherPass
from neuroanp.rules import NodeRule, times
from neuroanp.training.task import Task


class Echo(Task):
    """Say what was seen a few steps before."""

    name = "echo"
    n_in = n_out = 1

    back: int = option(2, "steps back", least=1)

    def trial(self, rng, lanes, index=0):
        inputs = rng.normal(size=(12, lanes, 1))
        mask = np.ones((12, lanes))
        mask[: self.back] = 0
        return Trial(inputs, np.roll(inputs, self.back, axis=0), mask)


class Softsign(Model):
    """Units with another squashing function."""

    name = "softsign"
    equations = """
        a : 1
        x : 1
        drive : 1
        noise : 1
    """
    update = """
        a = drive + noise
        x = a / (1 + abs(a))
    """


class SignRule(NodeRule):
    """Node perturbation by the sign of the noise."""

    name = "sign"

    def post(self, layer, record, modulator):
        return times(modulator / self.sigma, np.sign(layer.noise))


class Descent(Stage):
    """Steps of one length."""

    name = "descent"

    length: float = option(0.05, "length of a step", above=0)

    def __call__(self, update, weights, state, progress):
        total = np.sqrt(sum(float(np.vdot(g, g)) for g in update.values()))
        return {name: -self.length * (1 - progress) * g / total for name, g in update.items()}


class Halved(OtherPass):
    """A baseline that counts half."""

    name = "halved"

    def __call__(self, record, discount, state):
        return 0.5 * super().__call__(record, discount, state)


SETTINGS = {"decorrelation": None, "lanes": 16, "updates": 150, "seed": 3, "progress": False, "tests": 2}


def losses(seed=3):
    """Losses of a training with all of them, for a worker process."""
    import neuroanp as nap

    run = nap.train(
        Softsign(hidden=10), Echo(), rule=SignRule(sigma=0.05), optimizer=Descent(),
        modulator=nap.Modulator(baseline=Halved()), **SETTINGS | {"seed": seed, "updates": 5},
    )  # fmt: skip
    return run.history["loss"].tolist()

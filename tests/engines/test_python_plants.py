"""Plants of Python code: the same numbers as with the same plant in Brian2 equations."""

import dataclasses
import gc

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import BalancedLIF
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.plant import PythonPlant
from neuroanp.optim import Adam
from neuroanp.reward import InputCritic, Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CartPole, cart_pole
from support.copying import training

SCALE = np.array([[cart_pole.EDGE], [2.0], [cart_pole.TILT], [2.0]])


class PythonCart(PythonPlant):
    """Cart-pole in NumPy."""

    dt = cart_pole.CartPolePlant.dt
    observations = ("x", "v", "theta", "omega")
    actions = ("push",)

    def draw_start(self, rng, lanes):
        return cart_pole.CartPolePlant().draw_start(rng, lanes)

    def observe_state(self, state):
        return (np.stack([state[name] for name in self.observations]) / SCALE).T

    def move(self, state, actions, alive):
        moved = cart_pole.pushed(np.stack([state[name] for name in self.observations]), actions[:, 0] > 0)
        over = (np.abs(moved[0]) > cart_pole.EDGE) | (np.abs(moved[2]) > cart_pole.TILT)
        return dict(zip(self.observations, moved, strict=True)), over.astype(float), over


class PythonCartPole(CartPole):
    """Cart-pole with the plant in NumPy."""

    @property
    def plant(self):
        return PythonCart(longest=self.longest)


def record_of(plant, engine="auto", passes=("plus",), moves=60, rest=0):
    network = Network(
        BalancedLIF(hidden=20), 4, 1, 5 * ms, lanes=12, passes=passes, engine=engine, seed=3, plant=plant,
        perturbation=Perturbation(target="nodes", sigma=1.0, hold_steps=4, readout=True, recorded=("trace",)),
    )  # fmt: skip
    network.load(network.model.initial_weights(np.random.default_rng(2), network.n_in, 1))
    trial = CartPole(longest=moves).trial(np.random.default_rng(0), 12)
    cut = len(trial.inputs) - rest
    trial = dataclasses.replace(
        trial, inputs=trial.inputs[:cut], targets=trial.targets[:cut], mask=trial.mask[:cut]
    )
    return network.run(trial, 7)


@pytest.mark.parametrize(
    ("engine", "passes", "rest"),
    [
        ("auto", ("plus", "minus"), 0),
        ("runtime", ("plus",), 0),
        ("runtime", ("plus", "minus"), 0),
        ("runtime", ("clean",), 2),
    ],
)
def test_python_and_brian2_make_the_same_trial(engine, passes, rest):
    moves = 12 if engine == "runtime" else 60
    python = record_of(PythonCart(), engine, passes, moves, rest)
    brian = record_of(cart_pole.CartPolePlant(), "runtime", passes, moves, rest)
    np.testing.assert_array_equal(python.traces, brian.traces)
    np.testing.assert_array_equal(python.mask, brian.mask)
    np.testing.assert_array_equal(python.loss, brian.loss)
    for name in ("inputs", "outputs", "noise"):
        np.testing.assert_allclose(getattr(python, name), getattr(brian, name), atol=1e-12)
    assert python.traces.sum() > 100
    if moves == 60:
        assert 0 < python.mask.mean() < 1


def test_learning_goes_the_same_way():
    def losses(task):
        made = training(
            model=BalancedLIF(hidden=20), task=task, rule=NodePerturbation(sigma=1.0, readout_sigma=0.1),
            modulator=Modulator(discount=0.99, baseline=InputCritic()), optimizer=Adam(lr=1e-3), lanes=8,
            updates=3, engine="runtime",
        )  # fmt: skip
        made.network.load(made.state.weights)
        return [made.step().loss for _ in range(3)]

    found = losses(PythonCartPole(longest=40))
    assert len(set(found)) == 3
    np.testing.assert_allclose(found, losses(CartPole(longest=40)), rtol=1e-9)


@pytest.mark.parametrize("engine", ["auto", "runtime"])
def test_a_record_keeps_the_memory_that_it_shows(engine):
    """The network that made it is known to nobody else."""
    first = record_of(PythonCart(), engine, ("plus", "minus"), moves=12)
    kept = {name: getattr(first, name).copy() for name in ("traces", "loss", "inputs", "outputs", "noise")}
    for _ in range(3):
        gc.collect()
        record_of(cart_pole.CartPolePlant(), engine, ("plus", "minus"), 12)
    for name, values in kept.items():
        np.testing.assert_array_equal(getattr(first, name), values)


def broken(**methods):
    return type("Broken", (PythonCart,), methods)()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"observe_state": lambda self, state: np.zeros((12, 3))},
         r"^Broken\.observe_state: expected shape \(12, 4\), got shape \(12, 3\)"),
        ({"observe_state": lambda self, state: np.full((12, 4), np.nan)},
         r"^Broken\.observe_state: expected finite numbers, got nan"),
        ({"move": lambda self, state, actions, alive: (state, np.full(12, np.inf), alive)},
         r"^Broken\.move: expected finite numbers, got inf"),
        ({"move": lambda self, state, actions, alive: (state, np.zeros(12), False)},
         r"^Broken\.move: expected over of shape \(12,\), got shape \(\)"),
    ],
)  # fmt: skip
def test_what_a_plant_returns_is_checked(methods, message):
    with pytest.raises(InvalidValue, match=message):
        record_of(broken(**methods), "runtime")


def test_a_plant_says_what_it_lacks():
    with pytest.raises(TypeError, match=r"abstract.*draw_start.*move.*observations.*observe_state"):
        PythonPlant()

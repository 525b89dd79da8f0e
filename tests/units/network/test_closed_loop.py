"""Network and plant in one run: who sees what when, on both engines and in both precisions."""

import types

import numpy as np
import pytest
from brian2 import meter, ms, second

from neuroanp.errors import InvalidValue
from neuroanp.models import BalancedLIF, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.plant import Plant
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import InputCritic, Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.training.evaluation import evaluate
from neuroanp.training.task import PlantTask
from support.copying import training

SCORELESS = types.SimpleNamespace(score=lambda outputs, trial: 0.0)
"""Stands for a task."""

STEPS, LANES = 24, 3


class Ball(Plant):
    """A ball driven by the readout, over where it is more than 1.5 m away; it moves every 3 ms."""

    equations = """
        x : meter
        drive : 1
        place : 1
        limit : meter (shared)
    """
    observe = "place = x / meter"
    update = "x += alive * tick * 8*drive*meter/second"
    observations = ("place",)
    actions = ("drive",)
    loss = "(x / meter)**2"
    over = "abs(x) > limit"
    dt = 3 * ms

    def parameters(self):
        return {"limit": 1.5 * meter}

    def draw_start(self, rng, lanes):
        return {"x": rng.uniform(-1, 1, lanes)}


class Rolling(Plant):
    """A ball that rolls by a differential equation and never ends."""

    equations = "dx/dt = 100 * drive * meter/second : meter\nplace : 1\ndrive : 1"
    observe = "place = x / meter"
    observations = ("place",)
    actions = ("drive",)
    loss = "place**2"

    def draw_start(self, rng, lanes):
        return {"x": rng.uniform(-1, 1, lanes)}


class Hold(PlantTask):
    """Keep the ball in the middle."""

    name = "hold"
    ball: Plant = Ball(longest=20)

    @property
    def plant(self):
        return self.ball

    def trivial(self):
        return {"still": 1 / 3}


def network(plant, engine, dtype="float64", model=None, passes=("plus",), lanes=LANES, **noise):
    model = model or TanhRNN(hidden=5)
    made = Network(
        model, len(plant.observations) + 1, 1, 1 * ms, lanes=lanes, passes=passes, engine=engine, dtype=dtype,
        perturbation=Perturbation(target="nodes", sigma=0.5, readout=True, **noise), plant=plant,
    )  # fmt: skip
    weights = model.initial_weights(np.random.default_rng(2), made.n_in, 1)
    made.load(weights | {"W_out": 3 * np.random.default_rng(3).normal(size=weights["W_out"].shape)})
    return made


def episode(x=(-1.0, 0.2, 0.9), steps=STEPS):
    """What is shown fills the input beside the plant's."""
    shown = np.random.default_rng(4).normal(size=(steps, LANES, 2))
    return Trial(shown, np.zeros((steps, LANES, 1)), plant={"x": np.array(x)})


@pytest.mark.parametrize(("engine", "dtype"), [("compiled", "float32"), ("runtime", "float64")])
def test_the_loop_step_by_step(engine, dtype):
    made, trial = network(Ball(), engine, dtype), episode()
    record = made.run(trial, 5)
    W, tolerance = made.weights, 1e-12 if dtype == "float64" else 2e-4
    x, alive, state = trial.plant["x"].copy(), np.ones(LANES, bool), np.zeros((LANES, 5))
    for t in range(STEPS):
        u = np.stack([np.where(alive, x, 0.0), trial.inputs[t, :, 1], np.ones(LANES)], axis=1)
        np.testing.assert_allclose(record.inputs[t], u, atol=tolerance)
        state = np.tanh(u @ W["W_in"].T + state @ W["W_rec"].T + record.noise[t])
        y = state @ W["W_out"].T + record.noise_out[t]
        np.testing.assert_allclose(record.outputs[t, 0, alive], y[alive], atol=tolerance)
        before = alive
        if t % 3 == 0:
            x = x + np.where(alive, 0.024 * y[:, 0], 0.0)
            alive = alive & (np.abs(x) <= 1.5)
        np.testing.assert_array_equal(record.mask[t], before)
        np.testing.assert_allclose(record.loss[t, 0], np.where(before, x**2, 0), atol=10 * tolerance)
    assert 0 < alive.sum() < LANES
    assert not record.noise[record.mask == 0].any() and record.noise[record.mask > 0].all()


@pytest.mark.parametrize(("engine", "dtype"), [("compiled", "float32"), ("runtime", "float64")])
def test_every_episode_starts_anew(engine, dtype):
    made = network(Ball(), engine, dtype)
    first = made.run(episode(), 5)
    kept = [getattr(first, name).copy() for name in ("inputs", "outputs", "loss", "mask")]
    made.run(episode((0.0, 0.0, 0.0)), 6)
    again = made.run(episode(), 5)
    for name, values in zip(("inputs", "outputs", "loss", "mask"), kept, strict=True):
        np.testing.assert_array_equal(getattr(again, name), values)


def test_a_plant_of_differential_equations_that_never_ends():
    record = network(Rolling(), "runtime").run(episode(), 5)
    assert record.mask.all()
    moved = record.inputs[2:, :, 0] - record.inputs[1:-1, :, 0]
    np.testing.assert_allclose(moved, 0.1 * record.outputs[:-2, 0, :, 0], atol=1e-12)
    np.testing.assert_allclose(record.loss[:, 0], record.inputs[:, :, 0] ** 2, atol=1e-12)


def test_passes_have_plants_of_their_own():
    made = network(Ball(), "runtime", passes=("plus", "minus"))
    record = made.run(episode(), 5)
    plus = network(Ball(), "runtime").run(episode(), 5)
    np.testing.assert_allclose(record.loss[:, 0], plus.loss[:, 0], atol=1e-12)
    assert np.abs(record.loss[:, 0] - record.loss[:, 1]).max() > 0.1
    assert (record.mask >= plus.mask).all()


def test_tests_take_any_number_of_lanes_and_end_with_the_episode():
    made = network(Ball(), "runtime")
    x = np.linspace(-1, 1, 7)
    trial = Trial(np.zeros((STEPS, 7, 2)), np.zeros((STEPS, 7, 1)), plant={"x": x})
    tested = evaluate(made, SCORELESS, trial)
    total = counted = 0.0
    for lane in range(7):
        alone = made.run(Trial(np.zeros((STEPS, LANES, 2)), np.zeros((STEPS, LANES, 1)),
                               plant={"x": np.full(LANES, x[lane])}), sigma=0.0)  # fmt: skip
        np.testing.assert_allclose(tested.trial.inputs[:, lane], alone.inputs[:, 0, :2], atol=1e-12)
        np.testing.assert_array_equal(np.asarray(tested.trial.mask)[:, lane], alone.mask[:, 0])
        total += alone.loss[:, 0, 0].sum()
        counted += alone.mask[:, 0].sum()
    assert tested.loss == pytest.approx(total / counted)
    np.testing.assert_array_equal(trial.inputs, 0)


@pytest.mark.parametrize("model", [TanhRNN(hidden=8), BalancedLIF(hidden=8)], ids=["tanh", "spiking"])
def test_engines_agree_in_training(model):
    def losses(engine):
        made = training(
            model=model, task=Hold(), rule=NodePerturbation(sigma=0.3, hold=2, readout_sigma=0.1),
            modulator=Modulator(baseline=InputCritic()), optimizer=Adam(lr=1e-3), lanes=4, updates=8,
            engine=engine,
        )  # fmt: skip
        made.network.load(made.state.weights)
        return [made.step().loss for update in range(8)]

    compiled = losses("compiled")
    assert len(set(compiled)) == 8
    np.testing.assert_allclose(compiled, losses("runtime"), rtol=1e-7)


def test_a_ball_is_held_in_the_middle():
    run = training(
        task=Hold(ball=Ball(longest=60)), model=TanhRNN(hidden=10), rule=NodePerturbation(sigma=0.3),
        modulator=Modulator(discount=0.9, baseline=InputCritic()), optimizer=Adam(lr=1e-2), lanes=32,
        updates=100,
    ).run(False)  # fmt: skip
    assert run.result["test_loss"] < 0.5 * run.result["trivial"]["still"]
    assert run.result["score"] > 58


def test_what_does_not_fit_is_refused():
    made = network(Ball(), "runtime")
    with pytest.raises(InvalidValue, match=r"^Trial\.plant: expected the plant's state at the start, got"):
        made.run(Trial(np.zeros((2, LANES, 2)), np.zeros((2, LANES, 1))))
    with pytest.raises(
        InvalidValue, match=r"^Trial\.plant: expected variables of alive, drive, place, x, got y$"
    ):
        made.run(Trial(np.zeros((2, LANES, 2)), np.zeros((2, LANES, 1)), plant={"y": np.zeros(LANES)}))
    with pytest.raises(InvalidValue, match=r"^Trial\.plant\['x'\]: expected shape \(3\), got shape \(2,\)"):
        Trial(np.zeros((2, LANES, 2)), np.zeros((2, LANES, 1)), plant={"x": np.zeros(2)})
    with pytest.raises(InvalidValue, match=r"^Ball\.longest: expected a whole number of 1 or more, got 0"):
        Ball(longest=0)
    with pytest.raises(InvalidValue, match=r"^Ball\.dt: expected a multiple of"):
        Ball().steps_each(2 * ms)
    with pytest.raises(InvalidValue, match=r"^Ball\.actions: expected 2 of them, one an output"):
        Network(TanhRNN(hidden=5), 1, 2, 1 * ms, lanes=1, plant=Ball())
    with pytest.raises(InvalidValue, match=r"^NodePerturbation\.readout: expected perturb or fixed"):
        training(task=Hold(), rule=NodePerturbation(sigma=0.1, readout="delta"))
    missing = type("Missing", (Ball,), {"observations": ("far",)})
    with pytest.raises(InvalidValue, match=r"^Missing\.equations: expected variables of .*, got far$"):
        Network(TanhRNN(hidden=5), 1, 1, 1 * ms, lanes=1, plant=missing())
    open_ = Network(TanhRNN(hidden=5), 2, 1, 1 * second, lanes=LANES, engine="runtime")
    with pytest.raises(InvalidValue, match=r"^Trial\.plant: expected none without a plant, got x"):
        open_.run(episode())

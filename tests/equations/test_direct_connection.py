"""Direct connection from input to readout: its output, its updates, its windows, its start."""

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.hardware import OnChip
from neuroanp.models import LIF, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator
from neuroanp.rules import EvolutionStrategies, NodePerturbation, ReadoutOnly, WeightPerturbation
from neuroanp.tasks import CopyingMemory, MackeyGlass
from neuroanp.tasks._series import forecasting
from neuroanp.training.evaluation import evaluate
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe

STEPS, LANES, HIDDEN = 9, 3, 4


def network(model: object, engine: str = "runtime", **options: object) -> Network:
    made = Network(model, 2, 2, 1 * ms, lanes=LANES, engine=engine, decorrelated=True, seed=1, **options)
    rng = np.random.default_rng(0)
    weights = {
        name: rng.standard_normal(w.shape) for name, w in made.model.start_weights(rng, made.n_in, 2).items()
    }
    D = {"D_in": np.eye(3) + 0.2 * rng.standard_normal((3, 3)), "D_hidden": np.eye(HIDDEN)}
    made.load(weights, D)
    return made


def trial(first: int = 0, last: int = STEPS) -> Trial:
    rng = np.random.default_rng(2)
    inputs, targets = rng.standard_normal((STEPS, LANES, 2)), rng.standard_normal((STEPS, LANES, 2))
    return Trial(inputs[first:last], targets[first:last], carry=first > 0)


@pytest.mark.parametrize(("steps", "engine"), [(1, "runtime"), (3, "runtime"), (3, "compiled")])
def test_output_and_gradient_are_those_of_the_definition(steps: int, engine: str) -> None:
    made = network(TanhRNN(hidden=HIDDEN, skip=True, skip_steps=steps), engine)
    record = made.run(trial())
    inputs = np.concatenate([trial().inputs, np.ones((STEPS, LANES, 1))], axis=2)
    before = np.concatenate([np.zeros((steps - 1, LANES, 3)), inputs]) @ made.decorrelation["D_in"].T
    x = np.concatenate([before[steps - 1 - lag :][:STEPS] for lag in range(steps)], axis=2)
    y = record.trace[1:] @ made.weights["W_out"].T + x @ made.weights["W_skip"].T
    np.testing.assert_allclose(record.outputs[:, 0], y, atol=1e-12)
    update = ReadoutOnly()(record, np.zeros(0), {})["W_skip"]
    error = 2 / (2 * LANES) * (y - trial().targets)
    np.testing.assert_allclose(update, np.einsum("tlo,tli->oi", error, x), atol=1e-12)


def test_windows_that_go_on_make_one_run_and_one_update() -> None:
    made = network(TanhRNN(hidden=HIDDEN, skip=True, skip_steps=4))
    whole = made.run(trial()).outputs.copy()
    update = ReadoutOnly()(made.run(trial()), np.zeros(0), {})["W_skip"]
    total = np.zeros_like(update)
    for first, last in ((0, 1), (1, 2), (2, 7), (7, 9)):
        record = made.run(trial(first, last))
        np.testing.assert_allclose(record.outputs, whole[first:last], atol=1e-14)
        total += ReadoutOnly()(record, np.zeros(0), {})["W_skip"]
    np.testing.assert_allclose(total, update, atol=1e-13)


def test_rest_forgets_the_inputs_before() -> None:
    made = network(TanhRNN(hidden=HIDDEN, skip=True, skip_steps=4))
    first = made.run(trial()).outputs.copy()
    np.testing.assert_array_equal(made.run(trial()).outputs, first)


@pytest.mark.slow  # half a minute
@pytest.mark.parametrize(
    "rule",
    [
        NodePerturbation(sigma=0.01),
        WeightPerturbation(sigma=0.01),
        EvolutionStrategies(sigma=0.01),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_rules_that_perturb_the_readout_follow_its_gradient(rule: NodePerturbation) -> None:
    made = network(
        TanhRNN(hidden=HIDDEN, skip=True, skip_steps=2), "compiled", passes=rule.passes,
        perturbation=rule.perturbation,
    )  # fmt: skip
    mean = {"W_skip": 0.0, "W_out": 0.0}
    for index in range(600):
        record = made.run(trial(), index)
        update = rule(record, Modulator()(record, {}), {})
        mean = {name: total + update[name] for name, total in mean.items()}
    gradient = ReadoutOnly()(made.run(trial(), 0, sigma=0.0), np.zeros(0), {})
    for name, total in mean.items():
        cosine = np.vdot(total, gradient[name]) / np.linalg.norm(total) / np.linalg.norm(gradient[name])
        assert cosine > 0.85
    fixed = dataclasses.replace(rule, readout="fixed")
    assert set(fixed(record, Modulator()(record, {}), {})) == {"W_in", "W_rec"}


def test_gradients_through_spiking_cells_and_their_readout() -> None:
    pytest.importorskip("jax")
    from neuroanp.gradients import BPTT

    model = LIF(hidden=HIDDEN, skip=True, skip_steps=2)
    record = network(model).run(trial())
    np.testing.assert_allclose(BPTT().forward(record)[1], record.outputs[:, 0], atol=1e-12)
    gradient, update = (rule(record, np.zeros(0), {}) for rule in (BPTT(), ReadoutOnly()))
    np.testing.assert_allclose(update["W_skip"], gradient["W_skip"], atol=1e-12)


def test_a_chip_refuses_it_by_name() -> None:
    with pytest.raises(InvalidValue, match=r"TanhRNN\.skip: expected False, as a chip has no direct"):
        OnChip(TanhRNN(skip=True), CopyingMemory(), rule=NodePerturbation())


def test_its_learning_rate_is_the_readouts_where_it_has_none_of_its_own() -> None:
    rates = [Adam(readout_lr=0.2, skip_lr=skip, anneal="none").rate("W_skip", 0) for skip in (None, 0.1, 0.0)]
    assert rates == [0.2, 0.1, 0.0] and Adam(lr=0.3, anneal="none").rate("W_skip", 0) == 0.3


@pytest.mark.parametrize("skip_steps", [1, 20])
def test_linear_start_is_as_good_as_linear_regression(skip_steps: int) -> None:
    """The series follows from its past: what the network sees decides how well a linear readout does."""
    task = MackeyGlass(steps=1500, window=60, washout=20)
    model = TanhRNN(hidden=10, skip=True, skip_steps=skip_steps)
    recipe = Recipe(model=model, readout_start="linear", lanes=8, updates=1)
    trainer = Trainer(task, recipe, engine="runtime")
    found = evaluate(trainer.network, task, trainer.unseen).loss
    assert found < 1.05 * task.linear_level(skip_steps)
    alone = Trainer(task, recipe.replace(model=TanhRNN(hidden=10)), engine="runtime").state.weights["W_out"]
    assert np.abs(alone).max() > 0


def test_linear_start_is_for_states_that_have_settled() -> None:
    """Slow units are fitted as the evaluation has them, long after the start, however many the lanes are."""
    task = MackeyGlass(steps=1200)
    recipe = forecasting(task.recipe("best"), task.washout + 1)
    trainer = Trainer(task, recipe.replace(model=recipe.model.replace(hidden=40)), engine="runtime")
    assert evaluate(trainer.network, task, trainer.unseen).loss < 5e-4


def test_linear_start_leaves_out_hidden_units_that_only_add_noise() -> None:
    from neuroanp.tasks import Series

    x = np.random.default_rng(0).standard_normal(600)
    data = {"x": x, "y": np.roll(x, 2) + 0.5 * np.random.default_rng(1).standard_normal(600)}
    task = Series(data=data, inputs="x", targets="y", ahead=0, window=60, washout=4)
    model = TanhRNN(hidden=60, input_gain=3.0, skip=True, skip_steps=3)
    weights = Trainer(
        task, Recipe(model=model, readout_start="linear", lanes=8), engine="runtime"
    ).state.weights
    assert np.abs(weights["W_out"]).max() < 0.02
    spread = data["y"][:480].std() / x[:480].std()
    np.testing.assert_allclose(weights["W_skip"][0, ::2], [0, 0, 1 / spread], atol=0.06)


def test_linear_start_needs_a_training_part() -> None:
    with pytest.raises(
        InvalidValue, match=r"Recipe\.readout_start: expected model, as copying-memory has no"
    ):
        Recipe(readout_start="linear").check(CopyingMemory())

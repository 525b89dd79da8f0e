"""Recurrent synapses that exist: drawn from the seed, kept with the weights; who can't do without all."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
from brian2 import ms, mV

from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue
from neuroanp.hardware import OnChip
from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.network.wiring import Wiring
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodePerturbation, OrnsteinUhlenbeck, WeightPerturbation
from neuroanp.training.evaluation import evaluate
from neuroanp.training.run import Run
from support.sparse import DELAYED, HIDDEN, LATE, MODELS, OUTGOING, build
from support.spiking import Wave, training


def test_the_wiring_follows_the_seed():
    model = LIF(hidden=HIDDEN, **DELAYED)
    one, again, other = (
        training(model=model, seed=seed, engine="runtime").network.wiring for seed in (1, 1, 2)
    )
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, again.arrays()[name])
        assert (values != other.arrays()[name]).any()
    compiled, runtime = (build(model, engine=engine).wiring for engine in ("compiled", "runtime"))
    np.testing.assert_array_equal(compiled.targets, runtime.targets)


def test_synapses_and_delays_are_spread_evenly():
    wiring = Wiring.draw(np.random.default_rng(0), 400, 40, 3, 7)
    assert all(len(np.unique(row)) == 40 for row in wiring.targets)
    heard = np.bincount(wiring.targets.ravel(), minlength=400)
    assert heard.sum() == 16000 and 5 < heard.std() < 7
    counts = np.bincount(wiring.delays)
    assert len(counts) == 8 and not counts[:3].any() and counts[3:].min() > 50


@pytest.mark.parametrize("name", MODELS)
def test_input_to_a_cell_is_as_strong_as_with_all_synapses(name):
    """The sum of the squared weights to a cell is the same on average."""
    totals = []
    for density in (1.0, 0.1):
        model = dataclasses.replace(MODELS[name], hidden=300, density=density)
        totals.append((model.initial_weights(np.random.default_rng(0), 2, 1)["W_rec"] ** 2).sum() / 300)
    assert totals[1] == pytest.approx(totals[0], rel=0.05)


def test_all_synapses_with_delays_are_wired_too():
    model = LIF(hidden=HIDDEN, delay=3 * ms)
    assert model.outgoing == HIDDEN and LIF(hidden=HIDDEN).outgoing is None
    assert build(model).wiring.delays.max() == 3


def test_sparse_cells_keep_to_dales_law():
    made = training(model=MODELS["ei"], engine="runtime")
    excitatory = np.repeat(np.arange(HIDDEN), OUTGOING) < 24
    first = made.state.weights["W_rec"].copy()
    made.network.load(made.state.weights)
    for _ in range(5):
        made.step()
    assert (made.state.weights["W_rec"] != first).any()
    for weights in (first, made.state.weights["W_rec"]):
        assert (weights[excitatory] >= 0).all() and (weights[~excitatory] <= 0).all()


def test_a_run_folder_is_evaluated_again(tmp_path):
    """Its wiring is with its weights, and drawn anew from its seed."""
    made = training(model=LATE, updates=2, engine="runtime")
    run = made.run(progress=False)
    weights = Run.load(run.save(tmp_path / "run")).weights
    outputs = run.example["outputs"]
    other = Network(made.recipe.model, 10, 1, 1 * ms, lanes=1, seed=99, engine="runtime")
    assert (other.wiring.targets != made.network.wiring.targets).any()
    other.load(weights)
    np.testing.assert_allclose(evaluate(other, made.task, made.unseen).outputs[:, 0], outputs, atol=1e-12)
    again = training(model=LATE, updates=2, engine="runtime")
    again.network.load({name: weights[name] for name in ("W_in", "W_rec", "W_out")})
    np.testing.assert_allclose(
        evaluate(again.network, made.task, made.unseen).outputs[:, 0], outputs, atol=1e-12
    )


def test_the_shell_has_the_options(tmp_path):
    command = "train pattern-generation --task.duration 50ms --model.hidden 20 --lanes 2 --updates 2 --quiet"
    options = ["--engine", "runtime", "--model.density", "0.25", "--model.delay", "4 ms"]
    options += ["--out", str(tmp_path / "run")]
    assert main([*command.split(), *options]) == 0
    weights = Run.load(tmp_path / "run").weights
    assert weights["W_rec"].shape == (100,) and weights["rec_targets"].shape == (20, 5)
    assert weights["rec_delays"].max() == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("density", 0.0), ("density", 0.01), ("density", 1.5), ("density", "half"), ("delay", 3.0),
        ("delay", -1 * ms), ("delay", 1 * mV), ("least_delay", 10 * ms), ("least_delay", -1 * ms),
    ],
)  # fmt: skip
def test_bad_options_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=rf"^LIF\.{field}: expected "):
        LIF(**{"hidden": HIDDEN, "delay": 9 * ms, field: value})


class Whole(NodePerturbation):
    """A rule of somebody's that knows of no wiring."""

    supports_sparse: ClassVar[bool] = False


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"decorrelation": Decorrelation()}, "Recipe.decorrelation"),
        ({"rule": WeightPerturbation()}, "Recipe.rule"),
        ({"rule": OrnsteinUhlenbeck()}, "Recipe.rule"),
        ({"rule": Whole(sigma=0.1)}, "Recipe.rule"),
    ],
)
@pytest.mark.parametrize("options", [{"density": 0.2}, {"delay": 2 * ms}], ids=["sparse", "delayed"])
def test_what_needs_all_synapses_is_refused(changes, where, options):
    with pytest.raises(InvalidValue, match=rf"^{where}: expected .* without all of its recurrent synapses"):
        training(model=LIF(hidden=HIDDEN, **options), **changes)


def test_the_chip_and_decorrelated_networks_are_refused():
    model = LIF(hidden=HIDDEN, density=0.2)
    with pytest.raises(InvalidValue, match=r"^OnChip\.model: expected a model with all recurrent synapses"):
        OnChip(model, Wave(), rule=NodePerturbation(sigma=0.1))
    with pytest.raises(InvalidValue, match=r"^Network\.decorrelated: expected False"):
        build(model, decorrelated=True)


def test_the_wiring_of_another_model_is_refused():
    made = build(LIF(hidden=HIDDEN, density=0.2))
    weights = {name: made.weights[name] for name in ("W_in", "W_rec", "W_out")}
    other = Wiring.draw(np.random.default_rng(0), HIDDEN, 7)
    with pytest.raises(InvalidValue, match=r"^Network\.load: expected rec_targets and rec_delays of shapes"):
        made.load(weights | other.arrays())
    mine = made.wiring.arrays()
    for wrong in ({"rec_targets": mine["rec_targets"] + 1}, {"rec_delays": mine["rec_delays"] - 1}):
        with pytest.raises(InvalidValue, match=r"^Network\.load: expected rec_targets from 0 to 29 and"):
            made.load(weights | mine | wrong)
    dense = build(LIF(hidden=HIDDEN))
    with pytest.raises(InvalidValue, match=r"^Network\.load: expected"):
        dense.load(weights | other.arrays())

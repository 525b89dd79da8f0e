"""Sparse recurrent synapses: the dense network with zeros where there are none, and delays of each axon."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import ms, mV

from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue
from neuroanp.filters import leaky
from neuroanp.hardware import OnChip
from neuroanp.models import ALIF, EI, LIF, ConductanceLIF, Izhikevich
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.network.wiring import Wiring
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import (  # fmt: skip
    ActivityPerturbation,
    DelayedHebbian,
    EProp,
    NodePerturbation,
    OrnsteinUhlenbeck,
    RewardSTDP,
    WeightPerturbation,
    arrived,
    outer,
    recurrent_leaky,
)
from neuroanp.testing import check_model
from neuroanp.training.evaluation import evaluate
from neuroanp.training.run import Run
from support.spiking import LANES, N_IN, N_OUT, STEPS, Wave, shown, training

HIDDEN = 30
SPARSE = {"density": 0.2, "recurrent_gain": 1.5}
DELAYED = SPARSE | {"delay": 9 * ms, "least_delay": 2 * ms}
MODELS = {
    "lif": LIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "alif": ALIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "ei": EI(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "conductance-lif": ConductanceLIF(hidden=HIDDEN, input_gain=3.0, **SPARSE),
    "izhikevich": Izhikevich(hidden=HIDDEN, input_gain=20.0, **SPARSE | {"recurrent_gain": 20.0}),
}
RULES = {
    "node": NodePerturbation(sigma=0.3, hold=5),
    "activity": ActivityPerturbation(sigma=0.3, mirrored=False),
    "stdp": RewardSTDP(sigma=0.3, hold=5, tau_plus=15 * ms, tau_minus=25 * ms, a_minus=0.7),
    "hebbian": DelayedHebbian(sigma=0.3, chance=0.1, mirrored=False),
    "e-prop": EProp(),
}


def matrix(wiring, values, fill=0.0):
    """(N, N) of the vector of existing weights."""
    full = np.full((HIDDEN, HIDDEN), fill)
    full[wiring.targets.ravel(), np.repeat(np.arange(HIDDEN), wiring.targets.shape[1])] = values
    return full


def existing(wiring, full):
    """The vector of existing weights of (N, N)."""
    return full[wiring.targets.ravel(), np.repeat(np.arange(HIDDEN), wiring.targets.shape[1])]


def build(model, rule=RULES["node"], passes=None, engine="compiled", seed=1, **options):
    noise = dataclasses.replace(rule.perturbation, records=(*rule.records, "trace"))
    return Network(
        model, N_IN, N_OUT, 1 * ms, lanes=LANES, passes=passes or rule.passes, perturbation=noise,
        seed=seed, engine=engine, **options,
    )  # fmt: skip


def pair(model, **options):
    """A sparse network, and the dense one with zeros where synapses don't exist."""
    sparse = build(model, **options)
    weights = model.initial_weights(np.random.default_rng(0), sparse.n_in, N_OUT)
    sparse.load(weights)
    dense = build(dataclasses.replace(model, density=1.0), **options)
    dense.load(weights | {"W_rec": matrix(sparse.wiring, weights["W_rec"])})
    return sparse, dense


def trials(steps=STEPS):
    """A trial and one that goes on from it."""
    rng = np.random.default_rng(3)
    first = Trial(2 * rng.random((steps, LANES, N_IN)), rng.normal(size=(steps, LANES, N_OUT)))
    second = Trial(2 * rng.random((steps, LANES, N_IN)), rng.normal(size=(steps, LANES, N_OUT)))
    return first, dataclasses.replace(second, carry=True)


# the network


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize("name", MODELS)
def test_the_network_is_the_dense_one_with_zeros(name, engine):
    one, other = (made.run(shown()) for made in pair(MODELS[name], engine=engine))
    assert one.wiring.targets.shape == (HIDDEN, 6)
    assert other.wiring is None
    assert 30 < one.state.sum() < 0.5 * one.state.size
    np.testing.assert_array_equal(one.state, other.state)
    np.testing.assert_allclose(one.outputs, other.outputs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_recurrent_weights_matter_and_late_spikes_come_late(engine):
    """One cell fires; the others hear of it when its axon lets them."""
    model = LIF(hidden=HIDDEN, v_spread=0.0, bias=False, refractory_period=100 * ms, **DELAYED)
    made = build(model, RULES["node"], passes=("clean",), engine=engine)
    wiring, sender = made.wiring, 4
    weights = {"W_in": np.zeros((HIDDEN, N_IN)), "W_out": np.zeros((N_OUT, HIDDEN))}
    weights["W_in"][sender] = 100.0
    made.load(weights | {"W_rec": np.full(wiring.targets.size, 2.0)})
    record = made.run(Trial(np.ones((1, LANES, N_IN)), np.zeros((1, LANES, N_OUT))))
    assert (np.flatnonzero(record.state[0, 0, 0]) == sender).all()
    late = made.run(
        Trial(np.zeros((12, LANES, N_IN)), np.zeros((12, LANES, N_OUT)), carry=True), sigma=0.0
    ).state[:, 0, 0]
    step, cell = np.nonzero(late[: wiring.delays[sender] + 1])
    assert wiring.delays[sender] >= 2
    assert set(step) == {wiring.delays[sender]}
    np.testing.assert_array_equal(cell, np.setdiff1d(wiring.targets[sender], [sender]))


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_spikes_under_way_do_not_leak_into_the_next_trial(engine):
    model = LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED)
    made = build(model, engine=engine)
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    first = made.run(shown(), 1).state.copy()
    queue = made.parts.projections["W_rec"]
    assert queue.arriving()[1:].any()
    np.testing.assert_array_equal(made.run(shown(), 1).state, first)
    made.run(shown(1), 2)
    under_way = queue.arriving().copy()
    evaluate(made, Wave(), shown(2))
    np.testing.assert_array_equal(queue.arriving(), under_way)


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize("passes", [("plus",), ("clean", "plus")])
def test_a_carried_window_goes_on_where_the_clean_course_ended(passes, engine):
    """Spikes under way are the clean pass's in every pass of the next window."""
    model = LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED)
    made = build(model, NodePerturbation(sigma=0.5), passes=passes, engine=engine)
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    first, second = trials()
    sigma = 0.0 if passes == ("plus",) else 0.5
    together = Trial(
        *(np.concatenate([getattr(t, n) for t in (first, second)]) for n in ("inputs", "targets"))
    )
    whole = made.run(together, sigma=sigma).state[:, 0].copy()
    if len(passes) > 1:
        assert (
            made.run(first, sigma=sigma).state[-9:, 0] != made.run(first, sigma=sigma).state[-9:, 1]
        ).any()
    else:
        made.run(first, sigma=sigma)
    carried = made.run(second, sigma=0.0).state
    for one in carried.swapaxes(0, 1):
        np.testing.assert_array_equal(one, whole[STEPS:])


@pytest.mark.parametrize("name", MODELS)
def test_models_pass_their_check(name):
    check_model(dataclasses.replace(MODELS[name], hidden=10, delay=4 * ms))


# what is learned


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize("name", RULES)
def test_the_update_is_that_of_the_dense_network_where_synapses_exist(name, engine, monkeypatch):
    monkeypatch.setattr("neuroanp.rules._sparse.BLOCK", 100)
    rule = RULES[name]
    for index, trial in enumerate(trials()):
        if not index:
            sparse, dense = pair(MODELS["alif"], rule=rule, engine=engine)
        one, other = (made.run(trial, index) for made in (sparse, dense))
        modulator = np.random.default_rng(4).normal(size=(STEPS, LANES))
        ours, theirs = (rule(record, modulator, {}) for record in (one, other))
        assert ours["W_rec"].shape == (HIDDEN * 6,)
        assert ours["W_rec"].dtype == np.float64
        theirs["W_rec"] = existing(one.wiring, theirs["W_rec"])
        for key in theirs:
            size = np.abs(theirs[key]).max()
            assert size > 0
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-9, atol=1e-12 * size)


@pytest.mark.parametrize("passes", [("plus",), ("plus", "minus"), ("clean", "plus")])
def test_the_update_sees_spikes_when_they_arrive(passes, monkeypatch):
    """Over a window and its carried one, synapse by synapse, in parts shorter than the longest delay."""
    monkeypatch.setattr("neuroanp.rules._base.PART", 4 * LANES)
    rule = NodePerturbation(sigma=0.3, hold=5)
    model = LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED)
    made = build(model, rule, passes=passes)
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    wiring, outgoing = made.wiring, made.wiring.targets.shape[1]
    assert wiring.delays.min() == 2 and wiring.delays.max() == 9
    fired = np.zeros((10, LANES, HIDDEN))
    modulator = np.random.default_rng(4).normal(size=(STEPS, LANES))
    for index, trial in enumerate(trials()):
        record = made.run(trial, index)
        courses = {name: record.state[:, k] for k, name in enumerate(passes)}
        x = courses["clean"] if "clean" in passes else np.mean(list(courses.values()), axis=0)
        seen = np.concatenate([fired, x])
        post = modulator[:, :, None] * record.noise / (0.3**2 * 5)
        expected = np.zeros((HIDDEN, outgoing))
        for j, k in np.ndindex(HIDDEN, outgoing):
            first = 10 - 1 - wiring.delays[j]
            expected[j, k] = (post[:, :, wiring.targets[j, k]] * seen[first : first + STEPS, :, j]).sum()
        update = rule(record, modulator, {})["W_rec"]
        np.testing.assert_allclose(update, expected.ravel(), rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        # potentials go on from the mean of mirrored passes, spikes under way are those of the first
        fired = courses["clean" if "clean" in passes else "plus"][-10:].copy()
        for j, delay in enumerate(wiring.delays):
            fired[9 - delay, :, j] = x[STEPS - 1 - delay, :, j]


def test_traces_that_fade_are_summed_backwards():
    model = LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED)
    made = build(model)
    made.load(model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT))
    record = made.run(shown())
    x, post = record.state[:, 0], np.random.default_rng(1).normal(size=(STEPS, LANES, HIDDEN))
    heard = arrived(record, x)
    for j, delay in enumerate(record.wiring.delays):
        np.testing.assert_array_equal(heard[delay + 1 :, :, j], x[: -delay - 1, :, j])
        assert not heard[: delay + 1, :, j].any()
    found = recurrent_leaky(record, post, heard, 0.9, gain=0.5)
    full = outer(post, 0.5 * leaky(heard, 0.9))
    np.testing.assert_allclose(found, existing(record.wiring, full), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_training_is_that_of_the_dense_network_whose_other_weights_stay_zero(engine, dtype):
    """Stages see a vector; the loss of every update is that of the full matrix."""
    model = LIF(hidden=HIDDEN, input_gain=3.0, **SPARSE)
    made = training(model=model, engine=engine, dtype=dtype)
    rule = Masked(sigma=0.1, hold=10, readout="delta")
    full = training(model=model.replace(density=1.0), rule=rule, engine=engine, dtype=dtype)
    wiring = made.network.wiring
    full.state.weights = made.state.weights | {"W_rec": matrix(wiring, made.state.weights["W_rec"])}
    exists = matrix(wiring, 1.0) > 0
    object.__setattr__(rule, "exists", exists)
    full.network.load(full.state.weights)
    start = made.state.weights["W_rec"].copy()
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    losses = np.array([[one.step().loss for one in (made, full)] for _ in range(5)])
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=tolerance)
    assert np.abs(made.state.weights["W_rec"] - start).max() > 1e-3
    assert made.state.weights["W_rec"].shape == (HIDDEN * 6,)
    assert not full.state.weights["W_rec"][~exists].any()


class Masked(NodePerturbation):
    """Node perturbation of the recurrent weights that exist."""

    name = "masked"

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        return update | {"W_rec": update["W_rec"] * self.exists}


@pytest.mark.parametrize("options", [{}, {"delay": 5 * ms}], ids=["no delay", "delays"])
def test_sparse_cells_learn(options):
    run = training(model=LIF(hidden=60, input_gain=2.0, density=0.1, readout_gain=1.0, **options)).run(False)
    assert run.result["score"] < 0.4


def test_sparse_cells_keep_to_dales_law():
    made = training(model=MODELS["ei"])
    cells = np.repeat(np.arange(HIDDEN), 6)
    excitatory = cells < 24
    for weights in (made.state.weights, _after(made, 10)):
        assert (weights["W_rec"][excitatory] >= 0).all() and (weights["W_rec"][~excitatory] <= 0).all()
    assert made.state.weights["W_rec"].any()


def _after(made, updates):
    made.network.load(made.state.weights)
    for _ in range(updates):
        made.step()
    return made.state.weights


# the wiring


def test_the_wiring_follows_the_seed():
    model = LIF(hidden=HIDDEN, **DELAYED)
    one, again, other = (training(model=model, seed=seed).network.wiring for seed in (1, 1, 2))
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


def test_a_run_folder_is_evaluated_again(tmp_path):
    """Its wiring is with its weights, and drawn anew from its seed."""
    made = training(model=LIF(hidden=HIDDEN, input_gain=3.0, **DELAYED), updates=5)
    run = made.run(progress=False)
    weights = Run.load(run.save(tmp_path / "run")).weights
    outputs = run.example["outputs"]
    other = Network(made.recipe.model, 10, 1, 1 * ms, lanes=1, seed=99)
    assert (other.wiring.targets != made.network.wiring.targets).any()
    other.load(weights)
    np.testing.assert_allclose(evaluate(other, made.task, made.unseen).outputs[:, 0], outputs, atol=1e-12)
    again = training(model=made.recipe.model, updates=5)
    again.network.load({name: weights[name] for name in ("W_in", "W_rec", "W_out")})
    np.testing.assert_allclose(
        evaluate(again.network, made.task, made.unseen).outputs[:, 0], outputs, atol=1e-12
    )


def test_the_shell_has_the_options(tmp_path):
    command = "train pattern-generation --task.duration 50ms --model.hidden 20 --lanes 2 --updates 2 --quiet"
    options = ["--model.density", "0.25", "--model.delay", "4 ms", "--out", str(tmp_path / "run")]
    assert main([*command.split(), *options]) == 0
    weights = Run.load(tmp_path / "run").weights
    assert weights["W_rec"].shape == (100,) and weights["rec_targets"].shape == (20, 5)
    assert weights["rec_delays"].max() == 4


# refusals


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

    sparse = False


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
    weights = made.model.initial_weights(np.random.default_rng(0), made.n_in, N_OUT)
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

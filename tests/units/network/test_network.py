"""What a network promises: its equation, its passes, its lanes, its order, its state."""

import dataclasses
import types

import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.noise import draw
from neuroanp.errors import InvalidValue
from neuroanp.models import LIF, TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.training.evaluation import evaluate

SCORELESS = types.SimpleNamespace(score=lambda outputs, trial: 0.0)
"""Stands for a task."""

N_IN, HIDDEN, N_OUT, LANES, STEPS = 3, 8, 2, 4, 7
NODES = Perturbation(target="nodes", sigma=0.1, readout=True, recorded=("activity", "trace"))


def network(model=None, engine="compiled", seed=1, lanes=LANES, passes=("plus", "minus"), perturbation=NODES):
    model = model or TanhRNN(hidden=HIDDEN, bias=False, readout_gain=1.0)
    made = Network(
        model,
        N_IN,
        N_OUT,
        1 * ms,
        lanes=lanes,
        passes=passes,
        perturbation=perturbation,
        seed=seed,
        engine=engine,
    )
    made.load(model.initial_weights(np.random.default_rng(0), N_IN, N_OUT))
    return made


@pytest.fixture(scope="module")
def mirrored():
    return network()


def trial(seed=0, lanes=LANES, steps=STEPS, **options):
    rng = np.random.default_rng(seed)
    return Trial(rng.normal(size=(steps, lanes, N_IN)), rng.normal(size=(steps, lanes, N_OUT)), **options)


def reference(weights, shown, noise, noise_out, x=None):
    """The published equation, written out."""
    x = np.zeros((shown.lanes, HIDDEN)) if x is None else x
    states, outputs = [], []
    for u, xi, xi_out in zip(shown.inputs, noise, noise_out, strict=True):
        x = np.tanh(u @ weights["W_in"].T + x @ weights["W_rec"].T + xi)
        states.append(x)
        outputs.append(x @ weights["W_out"].T + xi_out)
    return np.array(states), np.array(outputs)


def test_a_run_is_the_published_equation_in_every_pass(mirrored):
    shown = trial()
    record = mirrored.run(shown, 5)
    weights = {name: p.weights for name, p in mirrored.parts.projections.items()}
    for p, sign in enumerate((1, -1)):
        states, outputs = reference(weights, shown, sign * record.noise, sign * record.noise_out)
        np.testing.assert_allclose(record.traces[:, p], states, atol=1e-13)
        np.testing.assert_allclose(record.outputs[:, p], outputs, atol=1e-13)
        loss = ((outputs - shown.targets) ** 2).mean(axis=2)
        np.testing.assert_allclose(record.loss[:, p], loss, atol=1e-13)
        np.testing.assert_allclose(np.tanh(record.activity[:, p]), states, atol=1e-13)


@pytest.mark.parametrize(
    ("engine", "passes"),
    [
        ("compiled", ("plus", "minus")), ("compiled", ("clean", "plus")), ("runtime", ("plus", "minus")),
        ("runtime", ("minus", "plus")), ("runtime", ("clean", "plus")), ("runtime", ("plus",)),
    ],
)  # fmt: skip
def test_the_course_without_noise_is_that_of_the_passes(passes, engine):
    made = network(passes=passes, engine=engine)
    first = made.run(trial(), 1).traces[-1].copy()
    record = made.run(trial(seed=2, carry=True), 2)
    before = first[passes.index("clean")] if "clean" in passes else first.mean(axis=0)
    np.testing.assert_allclose(record.trace[0], before, atol=1e-15)
    np.testing.assert_allclose(record.trace[1:], record.passes.clean(record.traces), atol=1e-15)
    assert np.abs(record.traces[:, 0]).max() > 0.05


def test_the_trace_of_each_pass_is_kept_where_it_is_asked_for(mirrored):
    other = network(perturbation=dataclasses.replace(NODES, recorded=()), engine="runtime")
    record, asked = other.run(trial(), 1), mirrored.run(trial(), 1)
    assert record.traces.shape == (0, 2, LANES, HIDDEN) and asked.traces.shape == (STEPS, 2, LANES, HIDDEN)
    np.testing.assert_allclose(record.trace, asked.trace, atol=1e-14)


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize(("hold", "steps"), [(1, 300), (3, 300)])
def test_noise_is_that_of_its_step_however_many_are_drawn_at_once(hold, steps, engine):
    noise = dataclasses.replace(NODES, hold_steps=hold)
    made = network(perturbation=noise, engine=engine)
    record = made.run(trial(steps=steps), 4)
    for t in range(steps):
        expected = draw("gaussian", made.seed, 0, 4, t // hold, LANES, HIDDEN) * noise.sigma
        np.testing.assert_allclose(record.noise[t], expected, rtol=1e-12)


@pytest.mark.parametrize("lanes", [LANES, LANES + 1])
def test_minus_is_the_exact_mirror_of_plus(lanes):
    """With inputs of zero a tanh network is odd: the mirrored pass is minus the plus pass, bit for bit."""
    made = network(lanes=lanes)
    silent = Trial(np.zeros((STEPS, lanes, N_IN)), np.zeros((STEPS, lanes, N_OUT)))
    record = made.run(silent, 3)
    assert np.abs(record.traces).max() > 0.05
    np.testing.assert_array_equal(record.traces[:, 0], -record.traces[:, 1])
    np.testing.assert_array_equal(record.outputs[:, 0], -record.outputs[:, 1])


def test_the_noise_follows_seed_and_trial(mirrored):
    first = mirrored.run(trial(), 1).noise.copy()
    np.testing.assert_array_equal(mirrored.run(trial(), 1).noise, first)
    assert not np.array_equal(mirrored.run(trial(), 2).noise, first)
    assert not np.array_equal(network(seed=2).run(trial(), 1).noise, first)
    assert first.std() == pytest.approx(0.1, rel=0.1)


def test_noise_of_a_lane_does_not_depend_on_how_many_there_are(mirrored):
    few = mirrored.run(trial(), 1).noise.copy()
    np.testing.assert_array_equal(
        network(lanes=LANES + 1).run(trial(lanes=LANES + 1), 1).noise[:, :LANES], few
    )


def test_lanes_are_exchangeable(mirrored):
    shown, order = trial(), [2, 0, 3, 1]
    swapped = Trial(shown.inputs[:, order], shown.targets[:, order])
    record = mirrored.run(shown, sigma=0.0).traces.copy()
    np.testing.assert_allclose(mirrored.run(swapped, sigma=0.0).traces, record[:, :, order], atol=1e-14)


def test_zero_noise_makes_no_difference_between_passes_and_no_update(mirrored):
    record = mirrored.run(trial(), sigma=0.0)
    np.testing.assert_array_equal(record.loss[:, 0], record.loss[:, 1])
    update = NodePerturbation(sigma=0.1)(record, Modulator()(record, {}), {})
    assert all(np.all(values == 0) for values in update.values())


def test_names_do_not_matter():
    """Objects of the same slot have an order of their own, so other names change nothing."""
    plain, renamed = network(), network()
    for k, obj in enumerate(sorted(renamed.parts.net.objects, key=lambda obj: obj.name)):
        obj._name = f"{'zyxwvutsrqponmlkjihg'[k % 20]}{k}_{obj.name}"
    renamed.device._programs.pop(renamed.parts.net)
    with renamed.device.active():
        renamed._program = renamed.device.program(renamed.parts.net, {}, None)
    np.testing.assert_array_equal(renamed.run(trial(), 4).traces, plain.run(trial(), 4).traces)


def test_a_carried_window_goes_on_where_the_last_one_ended():
    made = network(engine="runtime", passes=("clean",), perturbation=Perturbation())
    whole = trial(steps=10)
    expected = made.run(whole).traces.copy()
    first = made.run(Trial(whole.inputs[:4], whole.targets[:4])).traces.copy()
    second = made.run(Trial(whole.inputs[4:], whole.targets[4:], carry=True))
    np.testing.assert_array_equal(first, expected[:4])
    np.testing.assert_array_equal(second.traces, expected[4:])
    np.testing.assert_array_equal(second.trace[0], expected[3, 0])


def test_a_carried_window_starts_all_passes_from_the_clean_course(mirrored):
    mirrored.run(trial(), 0)
    ended = mirrored.parts.hidden.variables["x"].get_value().reshape(2, LANES, HIDDEN).mean(axis=0)
    record = mirrored.run(trial(carry=True), 1)
    np.testing.assert_array_equal(record.trace[0], ended)


def test_a_new_trial_starts_from_rest_even_with_spikes():
    model = LIF(hidden=HIDDEN, input_gain=12.0, bias=False)
    made = network(model, "runtime", passes=("clean",), perturbation=Perturbation())
    first = made.run(trial(steps=40)).traces.copy()
    assert first.sum() > 10
    np.testing.assert_array_equal(made.run(trial(steps=40)).traces, first)


def test_trials_of_other_lengths_need_no_new_network(mirrored):
    long = mirrored.run(trial(steps=30), 1).noise.copy()
    np.testing.assert_array_equal(mirrored.run(trial(steps=5), 1).noise, long[:5])


def test_outputs_takes_any_number_of_lanes(mirrored):
    shown = trial(lanes=11)
    expected = reference(
        {name: p.weights for name, p in mirrored.parts.projections.items()},
        shown, np.zeros((STEPS, 11, HIDDEN)), np.zeros((STEPS, 11, N_OUT)),
    )[1]  # fmt: skip
    np.testing.assert_allclose(evaluate(mirrored, SCORELESS, shown).outputs, expected, atol=1e-13)


@pytest.mark.parametrize("lanes", [0, -1, 1.5, True])
def test_lanes_are_checked(lanes):
    with pytest.raises(InvalidValue, match=r"Network\.lanes: expected a whole number"):
        Network(TanhRNN(hidden=2), 1, 1, 1 * ms, lanes=lanes)


def test_a_trial_of_another_shape_is_refused(mirrored):
    message = r"Trial.inputs: expected shape \(7, 4, 3\), got shape \(7, 5, 3\)"
    with pytest.raises(InvalidValue, match=message):
        mirrored.run(trial(lanes=5))


def test_noise_on_weights_needs_dense_projections():
    with pytest.raises(InvalidValue, match=r"Network.perturbation: .* follow spikes"):
        network(LIF(hidden=3), perturbation=Perturbation(target="weights", sigma=0.1, hold_steps=None))

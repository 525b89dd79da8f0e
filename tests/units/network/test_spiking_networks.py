"""What learning asks of spiking networks: noise, start, variables seen, readout, shared inputs."""

import dataclasses

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF, CurrentLIF, TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import ActivityPerturbation, NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.evaluation import evaluate
from support.spiking import LANES, STEPS, Wave, network, shown, training

HIDDEN = 10


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
def test_noise_is_held_and_the_readout_has_its_own(engine):
    rule = NodePerturbation(sigma=0.2, hold=10, readout_sigma=0.05)
    made = network(LIF(hidden=HIDDEN), engine, **dataclasses.asdict(rule.perturbation))
    record = made.run(shown(), 3)
    for noise, sigma in ((record.noise, 0.2), (record.noise_out, 0.05)):
        draws = noise.reshape(6, 10, -1)
        np.testing.assert_array_equal(draws, np.repeat(draws[:, :1], 10, axis=1))
        assert len(np.unique(draws[:, 0])) == draws[:, 0].size
        assert draws[:, 0].std() == pytest.approx(sigma, rel=0.35)
    quiet = made.run(shown(), 3, sigma=0.0)
    assert not quiet.noise.any() and not quiet.noise_out.any()
    half = made.run(shown(), 3, sigma=0.1).noise_out.copy()
    np.testing.assert_allclose(half, 0.5 * made.run(shown(), 3).noise_out)


@pytest.mark.parametrize(
    ("engine", "model"),
    [
        ("runtime", LIF(hidden=HIDDEN)),
        ("runtime", ALIF(hidden=HIDDEN, beta=0.3)),
        ("compiled", ALIF(hidden=HIDDEN, beta=0.3)),
    ],
    ids=["runtime-lif", "runtime-alif", "compiled-alif"],
)
def test_variables_are_seen_as_thresholds_see_them(engine, model):
    made = network(model, engine, recorded=("potential", "adaptation", "drive"), passes=("clean",))
    record = made.run(shown())
    assert 5 < record.traces.sum() < 0.3 * record.traces.size
    v, b = record.hidden["potential"], record.hidden.get("adaptation", 0.0)
    np.testing.assert_array_equal(record.traces > 0, v > 1 + b)
    assert ("adaptation" in record.hidden) == isinstance(model, ALIF)
    inputs = np.pad(shown().inputs, ((0, 0), (0, 0), (0, 1)), constant_values=1)
    np.testing.assert_allclose(record.hidden["drive"][:, 0], inputs @ record.weights["W_in"].T)


@pytest.mark.parametrize(
    "model",
    [LIF(hidden=HIDDEN), ALIF(hidden=HIDDEN, beta=0.3), CurrentLIF(hidden=HIDDEN, refractory_period=2 * ms)],
    ids=["lif", "alif", "current-lif"],
)
def test_cells_are_the_constants_of_the_equations(model):
    """The next potential and threshold from those before, by the constants alone."""
    record = network(model, passes=("clean",), recorded=("potential", "adaptation", "drive")).run(shown())
    cells, spikes = record.cells, record.traces[:, 0]
    v, drive = record.hidden["potential"][:, 0], record.hidden["drive"][:, 0]
    arrived = spikes @ record.weights["W_rec"].T
    predicted = cells.memory * (v[:-1] + arrived[:-1]) + cells.drive * drive[1:]
    silent = np.zeros(spikes.shape, bool)
    for late in range(cells.refractory + 1):
        silent[late:] |= spikes[: STEPS - late] > 0
        if late:
            assert not (spikes[late:] * spikes[:-late]).any()
    free = ~silent[:-1]
    assert free.sum() > 1000
    np.testing.assert_allclose(v[1:][free], predicted[free], atol=1e-12)
    if isinstance(model, ALIF):
        b = record.hidden["adaptation"][:, 0]
        np.testing.assert_allclose(b[1:], cells.fading * (b[:-1] + cells.rise * spikes[:-1]), atol=1e-12)


def test_cells_start_spread_out_in_every_trial():
    made = network(LIF(hidden=HIDDEN, v_spread=0.8), recorded=("potential",))
    starts = made.parts.hidden.variables["v"].get_value().reshape(LANES, HIDDEN).copy()
    np.testing.assert_array_equal(starts, np.repeat(starts[:1], LANES, axis=0))
    assert len(np.unique(starts[0])) == HIDDEN and 0 <= starts.min() < starts.max() < 0.8
    first = made.run(shown(), 1).hidden["potential"].copy()
    np.testing.assert_array_equal(made.run(shown(), 1).hidden["potential"], first)
    together = network(LIF(hidden=HIDDEN, v_spread=0.0), recorded=("potential",)).run(shown(), 1)
    assert np.abs(together.hidden["potential"][0] - first[0]).max() > 0.3


def test_the_delta_rule_is_the_gradient_of_a_leaky_readout():
    made = network(LIF(hidden=HIDDEN), passes=("clean",))
    trial, weights = shown(), made.weights
    record = made.run(trial)
    assert record.readout_memory == pytest.approx(np.exp(-1 / 20))
    update = NodePerturbation(sigma=0.0, readout="delta")(record, np.zeros((STEPS, LANES)), {})["W_out"]
    for where in ((0, 0), (1, 7)):
        sides = []
        for step in (1e-4, -1e-4):
            moved = weights["W_out"].copy()
            moved[where] += step
            made.load(weights | {"W_out": moved})
            sides.append(made.run(trial).loss[:, 0].sum(axis=0).mean())
        assert (sides[0] - sides[1]) / 2e-4 == pytest.approx(update[where], rel=1e-6)


TASK = CopyingMemory(alphabet=4, length=2, delay=20, evaluation_trials=16)
RULE = NodePerturbation(sigma=0.1, hold=10, readout="delta")


@pytest.mark.parametrize(("copies", "groups"), [(4, 4), (0, 1)])
def test_lanes_that_are_compared_share_their_input_and_not_their_noise(copies, groups):
    modulator = Modulator(baseline=OtherLanes(copies=copies))
    made = training(model=LIF(hidden=HIDDEN), task=TASK, rule=RULE, modulator=modulator, engine="runtime")
    trial = made.trial(0)
    assert trial.lanes == 16
    for array in (trial.inputs, trial.targets, trial.mask):
        grouped = array.reshape(len(array), groups, 16 // groups, -1)
        np.testing.assert_array_equal(grouped, np.repeat(grouped[:, :, :1], 16 // groups, axis=2))
    assert len(np.unique(trial.inputs, axis=1)[0]) <= groups
    record = made.network.run(trial, 0)
    assert record.passes == ("plus",)
    assert len(np.unique(record.noise[0], axis=0)) == 16


def test_other_baselines_draw_every_lane_by_itself():
    trial = training(task=TASK, modulator=Modulator(baseline=RunningMean()), engine="runtime").trial(0)
    assert len(np.unique(trial.inputs, axis=1)[0]) > 1


def test_lanes_that_cannot_be_shared_out_are_refused_at_the_start():
    with pytest.raises(InvalidValue, match=r"^OtherLanes\.copies: expected a multiple of 3 lanes, got"):
        training(modulator=Modulator(baseline=OtherLanes(copies=3)))
    with pytest.raises(InvalidValue, match=r"^Modulator\.baseline: expected OtherPass\(\), as activity-"):
        training(rule=ActivityPerturbation(), modulator=Modulator(baseline=OtherLanes()))


def test_a_test_tells_rate_and_spikes_of_all_lanes():
    """More lanes than the network has, so that two runs make up the test."""
    made = network(LIF(hidden=HIDDEN), passes=("clean",))
    trials = [shown(seed) for seed in (0, 1)]
    spikes = np.concatenate([made.run(trial).traces[:, 0].copy() for trial in trials], axis=1)
    both = [np.concatenate([getattr(t, k) for t in trials], axis=1) for k in ("inputs", "targets")]
    tested = evaluate(made, Wave(), Trial(both[0][:, :6], both[1][:, :6]))
    np.testing.assert_array_equal(tested.spikes, spikes[:, 0] > 0)
    assert tested.rate == pytest.approx(spikes[:, :6].mean() / 0.001)
    rate_units = evaluate(network(TanhRNN(hidden=HIDDEN), passes=("clean",)), Wave(), shown())
    assert rate_units.spikes is None and rate_units.rate is None

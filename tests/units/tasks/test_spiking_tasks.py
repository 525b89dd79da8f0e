"""Tasks of spiking networks: layout of a trial, what counts, how cues are drawn, trivial levels."""

import dataclasses

import numpy as np
import pytest
from brian2 import Hz, ms, mV

from neuroanp.errors import InvalidValue
from neuroanp.optim import Clip
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.tasks import CueAccumulation, DelayedXOR, Digits, PatternGeneration, SpikingDigits, StoreRecall
from neuroanp.tasks._linear import linear
from neuroanp.training.loop import Trainer
from neuroanp.training.task import loss

DECISIONS = [DelayedXOR(), StoreRecall(), CueAccumulation()]
TASKS = [*DECISIONS, PatternGeneration(), SpikingDigits(), SpikingDigits(code="latency")]
POISSON = [*DECISIONS, SpikingDigits()]


def name_of(task) -> str:
    return f"{task.name}-{task.code}" if isinstance(task, SpikingDigits) else task.name


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_trials_have_the_shapes_that_the_task_says(task, rng) -> None:
    trial = task.trial(rng, 6)
    assert trial.inputs.shape == (trial.steps, 6, task.n_in)
    assert trial.targets.shape == (trial.steps, 6, task.n_out)
    assert set(np.unique(trial.inputs)) == {0, 1} and set(np.unique(trial.mask)) <= {0, 1}
    judged = task.evaluation(rng)
    assert (judged.steps, judged.inputs.shape[2], judged.targets.shape[2]) == (
        trial.steps, task.n_in, task.n_out,
    )  # fmt: skip
    best = 1.0 if task.higher_is_better else pytest.approx(0.0)
    assert task.score(judged.targets, judged) == best


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_draws_repeat_with_the_seed(task) -> None:
    first, again, other = (task.trial(np.random.default_rng(seed), 8) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert np.array_equal(first.inputs, other.inputs) == (task.name == "pattern-generation")


@pytest.mark.parametrize("task", POISSON, ids=name_of)
def test_spikes_are_drawn_for_every_lane_by_itself(task, rng) -> None:
    """No two lanes share a spike train, though conditions repeat; counts spread like Poisson's."""
    inputs = task.trial(rng, 64).inputs
    assert len({lane.tobytes() for lane in inputs.swapaxes(0, 1)}) == 64
    again = task.trial(rng, 64).inputs
    assert not any(np.array_equal(inputs[:, lane], again[:, lane]) for lane in range(64))


@pytest.mark.parametrize(
    ("task", "steps", "last"),
    [(DECISIONS[0], 160, 20), (DECISIONS[1], 600, 100), (DECISIONS[2], 1700, 150), (TASKS[4], 60, 20)],
)
def test_only_the_decision_period_counts(task, steps, last, rng) -> None:
    mask = task.trial(rng, 3).mask
    assert mask.shape == (steps, 3)
    assert not mask[:-last].any() and mask[-last:].all()


def test_cues_differ_where_the_answer_is_yes(rng) -> None:
    """Each cue fires in one set of inputs at its rate, the rest in the background, and nothing else tells."""
    trial = DelayedXOR().trial(rng, 2000)
    inputs, answer = trial.inputs[:, :, :20].reshape(160, 2000, 2, 10), trial.targets[0, :, 0]
    counts = np.stack([inputs[start : start + 50].sum(axis=(0, 3)) for start in (0, 70)])
    shown = counts.argmax(axis=2)
    np.testing.assert_array_equal(np.where(shown[0] != shown[1], 1.0, -1.0), answer)
    assert counts.max(axis=2).mean() == pytest.approx(100, rel=0.02)
    assert counts.min(axis=2).mean() == pytest.approx(2.5, rel=0.1)
    assert counts.max(axis=2).var() == pytest.approx(100 * 0.8, rel=0.1)
    assert inputs[50:70].mean() == pytest.approx(0.005, rel=0.1)
    assert answer.sum() == 0
    np.testing.assert_array_equal(trial.inputs[:, :, 20], trial.mask)


def test_the_delay_is_the_time_after_each_cue(rng) -> None:
    trial = DelayedXOR(delay=100 * ms, background=0 * Hz).trial(rng, 400)
    assert trial.steps == 320
    silent = ~trial.inputs[:, :, :20].any(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(silent), [*range(50, 150), *range(200, 320)])


def test_the_bit_of_the_store_slot_is_asked_for(rng) -> None:
    trial = StoreRecall(between=2, background=0 * Hz).trial(rng, 500)
    sets = trial.inputs.reshape(4, 100, 500, 4, 10).sum(axis=(1, 4))
    assert ((sets[:, :, :2] > 0).sum(axis=2) == 1).all()
    np.testing.assert_array_equal(2.0 * sets[0, :, :2].argmax(axis=1) - 1, trial.targets[-1, :, 0])
    assert (sets[0, :, 2] > 0).all() and not sets[1:, :, 2].any()
    assert (sets[-1, :, 3] > 0).all() and not sets[:-1, :, 3].any()
    bits = sets[:, :, :2].argmax(axis=2)
    assert np.abs(np.corrcoef(bits) - np.eye(4)).max() < 0.2


def test_the_side_with_more_cues_is_right(rng) -> None:
    trial = CueAccumulation(delay=50 * ms).trial(rng, 400)
    cues = trial.inputs[:1050].reshape(7, 150, 400, 4, 10)
    assert not cues[:, 100:, :, :2].any()
    counts = cues[:, :, :, :2].sum(axis=(1, 4))
    assert ((counts > 0).sum(axis=2) == 1).all()
    right = counts.argmax(axis=2)
    np.testing.assert_array_equal(np.where(right.sum(axis=0) > 3, 1.0, -1.0), trial.targets[-1, :, 0])
    agree = (right == (trial.targets[-1, :, 0] > 0)).mean()
    assert agree == pytest.approx(0.71, abs=0.04)
    assert counts.max(axis=2).mean() == pytest.approx(100, rel=0.03)
    assert not trial.inputs[:-150, :, 20:30].any() and trial.inputs[-150:, :, 20:30].mean() > 0.09
    assert trial.inputs[:, :, 30:].mean() == pytest.approx(0.01, rel=0.05)


def test_the_brighter_a_pixel_the_sooner_it_fires() -> None:
    task = SpikingDigits(code="latency", copies=1, row=15 * ms)
    image = np.zeros((1, 8, 8))
    image[0, 2, :4] = [1.0, 0.5, 0.05, 0.2]
    trial = task._present(np.random.default_rng(0), image, np.array([3]))
    times, pixels = np.nonzero(trial.inputs[:120, 0, :-1])
    assert dict(zip(pixels.tolist(), (times - 30).tolist(), strict=True)) == {0: 0, 1: 7, 3: 11}
    assert trial.targets[-1, 0].tolist() == np.eye(10)[3].tolist()


def test_pixels_come_one_by_one_from_the_top_left() -> None:
    task = SpikingDigits(step="pixel", code="latency", row=2 * ms, copies=3)
    image = (np.random.default_rng(3).random((1, 8, 8)) > 0.5) * 1.0
    trial = task._present(np.random.default_rng(0), image, np.array([3]))
    assert trial.inputs.shape == (128 + 20, 1, 4)
    for copy in range(3):
        np.testing.assert_array_equal(trial.inputs[0:128:2, 0, copy], image.ravel())
        assert not trial.inputs[1:128:2, 0, copy].any()


def test_a_pixel_fires_at_a_rate_of_its_grey_value() -> None:
    image = np.random.default_rng(3).random((1, 8, 8))
    trial = SpikingDigits(copies=500, row=15 * ms, rate=400 * Hz)._present(
        np.random.default_rng(0), image, np.array([3])
    )
    spikes = trial.inputs[:120, 0, :-1].reshape(8, 15, 8, 500).sum(axis=(1, 3)) / (15 * 500)
    np.testing.assert_allclose(spikes, 0.4 * image[0], atol=0.03)


def test_patterns_have_variance_one_and_the_clock_ticks_in_turn(rng) -> None:
    task = PatternGeneration(curves=3, pattern_seed=4)
    trial = task.trial(rng, 2)
    np.testing.assert_allclose(trial.targets.var(axis=0), 1)
    np.testing.assert_array_equal(trial.inputs[:, 0].argmax(axis=1), np.repeat(np.arange(20), 50))
    power = np.abs(np.fft.rfft(trial.targets[:, 0, 1])) ** 2
    assert set(np.argsort(power)[-4:]) == {1, 2, 3, 5}
    judged = task.evaluation(rng)
    assert task.score(judged.targets + 0.5, judged) == pytest.approx(0.25)
    other = dataclasses.replace(task, pattern_seed=5).evaluation(rng)
    assert not np.allclose(judged.targets, other.targets)


@pytest.mark.parametrize("task", DECISIONS, ids=name_of)
def test_trivial_levels_are_those_of_the_evaluation_trials(task) -> None:
    task = dataclasses.replace(task, channels=3, evaluation_trials=100)
    rng = np.random.default_rng(0)
    trial, others = task.evaluation(rng), task.evaluation(rng)
    last = int(np.asarray(trial.mask)[:, 0].sum())
    seen, right = (np.concatenate([f(t) for t in (others, trial)]) for f in (
        lambda t: t.inputs[-last:].sum(axis=0), lambda t: t.targets[-1],
    ))  # fmt: skip
    n = trial.lanes
    guess = linear(seen, right, range(n), range(n, 2 * n))
    assert task.trivial() == pytest.approx(
        {"zero": 1.0, "linear on the present": ((guess - right[n:]) ** 2).mean()}
    )
    scores = task.trivial_scores()
    yes = (right[n:] > 0).mean()
    assert scores["chance"] == pytest.approx(max(yes, 1 - yes))
    assert scores["linear on the present"] == ((guess > 0) == (right[n:] > 0)).mean()


def test_no_linear_function_of_the_counts_solves_the_exclusive_or() -> None:
    assert abs(DelayedXOR().trivial_scores()["linear on the spike counts"] - 0.5) < 0.08


def test_one_cue_says_less_than_all() -> None:
    scores = CueAccumulation(channels=3, delay=0 * ms).trivial_scores()
    assert 0.55 < scores["by the last cue"] < 0.75 < 0.9 < scores["by the spikes of all cues"]


def test_trivial_levels_of_the_pattern_and_the_digits() -> None:
    task = PatternGeneration(ticks=10)
    trial = task.evaluation(np.random.default_rng(0))
    means = trial.targets.reshape(10, 100).mean(axis=1).repeat(100)[:, None, None]
    expected = {"mean of the curve": 1.0, "linear on the clock": loss(means, trial)}
    assert task.trivial() == pytest.approx(expected)
    assert SpikingDigits().trivial() == Digits().trivial()
    assert SpikingDigits().trivial_scores()["chance"] == 0.1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DelayedXOR(delay=-1 * ms), r"^DelayedXOR\.delay: expected a number of 0 or more"),
        (lambda: DelayedXOR(delay=20), r"^DelayedXOR\.delay: expected a quantity in ms"),
        (lambda: DelayedXOR(cue=0.2 * ms), r"^DelayedXOR\.cue: expected at least one step of 1"),
        (lambda: StoreRecall(rate=2000 * Hz), r"^StoreRecall\.rate: expected a number from 0 to 1000"),
        (lambda: StoreRecall(between=-1), r"^StoreRecall\.between: expected a whole number of 0"),
        (lambda: CueAccumulation(cues=6), r"^CueAccumulation\.cues: expected an odd number"),
        (lambda: CueAccumulation(minority=1.5), r"^CueAccumulation\.minority: expected a number from 0 to 1"),
        (lambda: PatternGeneration(duration=1 * ms), r"^PatternGeneration\.duration: expected two steps"),
        (lambda: PatternGeneration(duration=1 * mV), r"^PatternGeneration\.duration: expected a quantity"),
        (lambda: SpikingDigits(code="phase"), r"^SpikingDigits\.code: expected one of rate, latency"),
        (lambda: SpikingDigits(row=0 * ms), r"^SpikingDigits\.row: expected a number above 0"),
    ],
)
def test_bad_fields(make, said) -> None:
    with pytest.raises(InvalidValue, match=said):
        make()


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_recipes_need_one_pass_and_know_targets_but_for_scalar_ones(task) -> None:
    assert isinstance(task.recipe("best").rule, EProp | NodePerturbation)
    for preset in set(task.presets) - {"published"}:
        found = task.recipe(preset)
        found.check(task)
        assert found.modulator.passes(found.rule.passes) == ("plus",)
        assert found.lanes % found.modulator.lanes_per_input(found.lanes) == 0
        assert found.rule.readout == ("perturb" if preset == "scalar" else "delta")
        assert found.decorrelation is None
        if isinstance(found.rule, NodePerturbation):
            assert found.rule.hold == 10


def test_the_reward_may_be_one_bit_that_says_whether_the_sign_is_wrong() -> None:
    task = DelayedXOR(reward="sign")
    training = Trainer(task, task.recipe("scalar").replace(clip=Clip(), lanes=16), seed=1, engine="runtime")
    record = training.network.run(training.trial(0), 0)
    wrong = np.sign(record.outputs[:, 0, :, 0]) != np.sign(record.targets[:, :, 0])
    counted = np.asarray(record.mask) > 0
    assert set(np.unique(record.loss[:, 0][counted])) == {0.0, 1.0}
    np.testing.assert_array_equal(record.loss[:, 0][counted], wrong[counted])
    with pytest.raises(InvalidValue, match=r"DelayedXOR\.reward: expected one of error, sign, got 'bit'"):
        DelayedXOR(reward="bit")


def test_windows_of_a_pattern_make_the_pattern_again_and_again():
    rng, task = np.random.default_rng(0), PatternGeneration(duration=50 * ms, ticks=5, window=20 * ms)
    whole = PatternGeneration(duration=50 * ms, ticks=5).trial(rng, 2)
    windows = [task.trial(rng, 2, index) for index in range(6)]
    assert [(window.steps, window.carry) for window in windows] == 2 * [(20, False), (20, True), (10, True)]
    for name in ("inputs", "targets"):
        shown = np.concatenate([getattr(window, name) for window in windows])
        np.testing.assert_array_equal(shown, np.concatenate(2 * [getattr(whole, name)]))
        np.testing.assert_array_equal(getattr(task.evaluation(rng), name), getattr(whole, name)[:, :1])

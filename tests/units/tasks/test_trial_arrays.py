"""Trials of one's own: parts, targets and scores, and what is refused."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import DataError, InvalidValue
from neuroanp.tasks import TrialArrays
from neuroanp.testing import check_task

N, STEPS = 40, 12
rng = np.random.default_rng(0)
X = rng.standard_normal((N, STEPS, 2))
LABELS = np.array(["left", "right", "none"])[rng.integers(3, size=N)]
MASKS = np.zeros((N, STEPS))
MASKS[:, -3:] = 2
MASKS[5, -1] = 0


def numbers(inputs: np.ndarray) -> list[int]:
    """Numbers of the trials that lanes of inputs (T, L, n_in) are."""
    found = (inputs.swapaxes(0, 1)[:, None] == X).all(axis=(2, 3))
    assert (found.sum(axis=1) == 1).all()
    return found.argmax(axis=1).tolist()


def test_parts_are_disjoint_whole_and_the_same_whatever_the_seed() -> None:
    task = TrialArrays(inputs=X, targets=LABELS, masks=MASKS)
    train = numbers(task.trial(np.random.default_rng(1), 2000).inputs)
    test = numbers(task.evaluation(np.random.default_rng(1)).inputs)
    assert sorted({*train, *test}) == list(range(N)) and not set(train) & set(test) and len(test) == 8
    assert test == numbers(task.evaluation(np.random.default_rng(2)).inputs)
    for lanes in (5, 64):
        trials = [trial for trial, _ in task.fitting(lanes)]
        assert {trial.lanes for trial in trials} == {lanes}
        shown = [numbers(trial.inputs[:, trial.mask.any(axis=0)]) for trial in trials]
        assert sorted(itertools.chain(*shown)) == sorted(set(train))


def test_lanes_have_their_own_labels_and_masks() -> None:
    task = TrialArrays(inputs=X, targets=LABELS, masks=MASKS)
    assert task.classes == ("left", "none", "right") and task.score_name == "fraction of trials right"
    for trial in (task.trial(np.random.default_rng(3), 30), task.evaluation(rng)):
        chosen = numbers(trial.inputs)
        expected = LABELS[chosen][:, None] == np.array(task.classes)
        np.testing.assert_array_equal(trial.targets, np.repeat(expected[None], STEPS, axis=0))
        np.testing.assert_array_equal(trial.mask, MASKS[chosen].T)


def test_a_trial_is_right_by_the_sum_over_the_steps_that_count() -> None:
    task = TrialArrays(inputs=X, targets=LABELS, masks=MASKS)
    trial = task.evaluation(rng)
    outputs = trial.targets.copy()
    outputs[:-3] = 0
    outputs[-1] = 1.5 * (1 - outputs[-1])
    assert task.score(outputs, trial) == 1
    outputs[-2:] = 1.5 * (1 - trial.targets[-2:])
    assert task.score(outputs, trial) == 0
    likeliest = task.trivial_scores()["mean"]
    assert likeliest in {float((LABELS[numbers(trial.inputs)] == each).mean()) for each in task.classes}


def test_labels_of_steps_count_by_themselves() -> None:
    steps = (X[..., 0] > 0).astype(int)
    task = TrialArrays(inputs=X, targets=steps, masks=MASKS)
    trial = task.evaluation(rng)
    wrong = trial.targets.copy()
    wrong[-3] = 1 - wrong[-3]
    assert task.score(wrong, trial) == pytest.approx(1 - 1 / 3, abs=0.02)
    assert task.score(trial.targets, trial) == 1 and task.score_name == "fraction of steps right"


@pytest.mark.parametrize("shape", [(N,), (N, STEPS), (N, STEPS, 2)])
def test_numbers_are_held_or_of_each_step(shape: tuple[int, ...]) -> None:
    targets = np.random.default_rng(4).standard_normal(shape)
    task = TrialArrays(inputs=X, targets=targets, dt=5 * ms)
    trial = task.trial(np.random.default_rng(3), 9)
    chosen = targets[numbers(trial.inputs)]
    lanes = {1: lambda: np.repeat(chosen[:, None, None], STEPS, axis=1), 2: lambda: chosen[..., None]}
    whole = lanes.get(len(shape), lambda: chosen)()
    np.testing.assert_array_equal(trial.targets, whole.swapaxes(0, 1))
    assert task.classes == () and task.dt == 5 * ms and (trial.mask == 1).all()


def test_linear_predictors_find_a_linear_law_by_the_steps_that_count() -> None:
    targets = np.where(MASKS[..., None] > 0, np.roll(X, 2, axis=1) @ [[3.0], [-1.0]] + 1, 1e3)
    levels = TrialArrays(inputs=X, targets=targets, masks=MASKS).trivial()
    assert levels["linear on the last 4 steps"] < 1e-20 < levels["linear on the present"] < 1e3


def test_test_arrays_take_the_place_of_the_split() -> None:
    held_out = {"test_inputs": X[:6, :9], "test_targets": LABELS[:6], "test_masks": MASKS[:6, 3:]}
    task = TrialArrays(inputs=X[6:], targets=LABELS[6:], **held_out)
    np.testing.assert_array_equal(task.evaluation(rng).inputs, X[:6, :9].swapaxes(0, 1))
    assert len(set(numbers(task.trial(rng, 1000).inputs))) == N - 6


def test_files_are_the_arrays(tmp_path: Path) -> None:
    inputs = np.random.default_rng(5).standard_normal((400, STEPS, 2))
    labels = (inputs.sum(axis=(1, 2)) > 0).astype(int)
    np.savez(tmp_path / "own.npz", inputs=inputs, targets=labels)
    np.save(tmp_path / "x.npy", inputs)
    task = TrialArrays(data=str(tmp_path / "own.npz"))
    check_task(task)
    other = TrialArrays(inputs=tmp_path / "x.npy", targets=labels)
    for name in ("inputs", "targets", "mask"):
        ours, theirs = (getattr(each.evaluation(rng), name) for each in (task, other))
        np.testing.assert_array_equal(ours, theirs)


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", inputs=X, targets=np.array([print, len], dtype=object))
    np.save(tmp_path / "x.npy", np.array([print], dtype=object), allow_pickle=True)
    for options in ({"data": tmp_path / "own.npz"}, {"inputs": tmp_path / "x.npy", "targets": LABELS}):
        with pytest.raises(DataError, match=r"cannot be read .* Object arrays"):
            TrialArrays(**options).n_in  # noqa: B018


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": None}, r"inputs: expected an array, or a file"),
        ({"inputs": X[0]}, r"inputs: expected shape \(any, any, any\), got shape \(12, 2\)"),
        ({"inputs": X * [np.nan, 1]}, r"inputs: expected finite numbers, got nan at index \(0, 0, 0\)"),
        ({"targets": LABELS[:7]}, r"targets: expected labels of shape \(40,\) or \(40, 12\), got \(7,\)"),
        ({"targets": X[:, :5]}, r"targets: expected shape \(40, 12, any\), got shape \(40, 5, 2\)"),
        ({"targets": X, "kind": "classification"}, r"targets: expected labels .* float64 of shape"),
        ({"targets": LABELS[:1].repeat(N)}, "at least two different labels"),
        ({"masks": MASKS[:, 1:]}, r"masks: expected shape \(40, 12\), got shape \(40, 11\)"),
        ({"masks": -MASKS}, "masks: expected weights of 0 or more, got -2 in trial 0, step 9"),
        ({"masks": MASKS * (np.arange(N) != 3)[:, None]}, "counts in each of the 40 .* in trial 3"),
        ({"test_inputs": X}, "test_targets: expected an array"),
        ({"test_inputs": X[:2], "test_targets": ["left", "up"]}, "test_targets: expected labels .* got up"),
        ({"test_inputs": X[:2, :, :1], "test_targets": LABELS[:2]}, "test_inputs: expected 2 values a step"),
        ({"data": "own.npz"}, "data: expected either a file or arrays, got both, with inputs,"),
        ({"split": 0.999}, "inputs: expected trials enough for two parts"),
    ],
)  # fmt: skip
def test_what_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=rf"TrialArrays\.{message}|{message}"):
        TrialArrays(**({"inputs": X, "targets": LABELS, "masks": MASKS} | changes)).n_in  # noqa: B018

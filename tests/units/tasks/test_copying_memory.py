"""Copying memory: layout of a trial, what counts as right, trivial levels."""

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.tasks import CopyingMemory
from neuroanp.tasks._linear import linear
from neuroanp.training.task import loss


def test_layout_of_a_trial(rng: np.random.Generator) -> None:
    trial = CopyingMemory(alphabet=5, length=2, delay=3).trial(rng, 6)
    assert trial.inputs.shape == trial.targets.shape == (7, 6, 5)
    assert set(np.unique(trial.inputs)) == {0, 1}
    seen, wanted = trial.inputs.argmax(axis=2), trial.targets.argmax(axis=2)
    assert (trial.inputs.sum(axis=2) == 1).all()
    assert (trial.targets.sum(axis=2) == 1).all()
    assert (seen[:2] < 3).all()
    assert (seen[2:5] == 3).all()
    assert (seen[5:] == 4).all()
    assert (wanted[:5] == 3).all()
    np.testing.assert_array_equal(wanted[5:], seen[:2])
    assert (trial.mask == 1).all()


def test_fresh_sequences_are_uniform_and_independent(rng: np.random.Generator) -> None:
    sequence = CopyingMemory().trial(rng, 20_000).inputs[:5, :, :4]
    np.testing.assert_allclose(sequence.mean(axis=1), 0.25, atol=0.015)
    pairs = np.einsum("li,lj->ij", sequence[0], sequence[1]) / 20_000
    np.testing.assert_allclose(pairs, 1 / 16, atol=0.01)


def test_fresh_sequences_differ_between_trials_and_from_the_evaluation() -> None:
    task = CopyingMemory(alphabet=10, length=20, delay=5)
    rng = np.random.default_rng(1)
    trained = {lane.tobytes() for _ in range(5) for lane in task.trial(rng, 64).inputs[:20].swapaxes(0, 1)}
    judged = {lane.tobytes() for lane in task.evaluation(rng).inputs[:20].swapaxes(0, 1)}
    assert len(trained) == 320
    assert len(judged) == 1000
    assert not trained & judged


def test_one_sequence_for_ever_when_not_fresh() -> None:
    task = CopyingMemory(fresh=False, sequence_seed=4)
    trial = task.trial(np.random.default_rng(1), 3)
    judged = task.evaluation(np.random.default_rng(2))
    assert judged.lanes == 1
    np.testing.assert_array_equal(trial.inputs, np.repeat(judged.inputs, 3, axis=1))
    other = CopyingMemory(fresh=False, sequence_seed=5).evaluation(np.random.default_rng(2))
    assert not np.array_equal(judged.inputs, other.inputs)


def test_draws_repeat_with_the_seed() -> None:
    first, again, other = (CopyingMemory().trial(np.random.default_rng(seed), 8).inputs for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("alphabet", "length", "delay", "zero", "memoryless"),
    [
        (10, 100, 10, 0.1, 0.0417),
        (10, 100, 50, 0.1, 0.0350),
        (10, 100, 100, 0.1, 0.0292),
        (5, 3, 3, 0.2, 0.0444),
        (6, 5, 5, 0.1667, 0.0417),
    ],
)
def test_trivial_levels_are_those_of_the_design(
    alphabet: int, length: int, delay: int, zero: float, memoryless: float
) -> None:
    task = CopyingMemory(alphabet=alphabet, length=length, delay=delay, evaluation_trials=20)
    assert task.trivial() == pytest.approx({"zero": zero, "memoryless": memoryless}, abs=5e-5)


@pytest.mark.parametrize("fresh", [True, False])
def test_no_function_of_the_present_input_does_better(fresh: bool, rng: np.random.Generator) -> None:
    task = CopyingMemory(fresh=fresh, evaluation_trials=10_000)
    trial = task.evaluation(rng)
    inputs, targets = (values.reshape(-1, 6) for values in (trial.inputs, trial.targets))
    steps = range(len(inputs))
    best = linear(inputs, targets, steps, steps).reshape(trial.targets.shape)
    assert task.trivial()["memoryless"] == pytest.approx(loss(best, trial), rel=1e-3)


def test_score_counts_the_recalled_symbols_only(rng: np.random.Generator) -> None:
    task = CopyingMemory(evaluation_trials=10)
    trial = task.evaluation(rng)
    outputs = trial.targets.copy()
    outputs[:10] = rng.normal(size=outputs[:10].shape)
    assert task.score(outputs, trial) == 1
    outputs[-1, 0] = np.roll(outputs[-1, 0], 1)
    assert task.score(outputs, trial) == pytest.approx(1 - 1 / 50)
    outputs[-2, 0, 4] = 2
    assert task.score(outputs, trial) == pytest.approx(1 - 2 / 50)


def test_chance_of_a_symbol_without_memory() -> None:
    assert CopyingMemory().trivial_scores() == {"memoryless": 0.25}
    task = CopyingMemory(fresh=False, length=8)
    symbols = task.evaluation(np.random.default_rng(0)).targets[-8:, 0].argmax(axis=1)
    assert task.trivial_scores() == {"memoryless": np.bincount(symbols).max() / 8}


@pytest.mark.parametrize(
    "fields", [{"alphabet": 3}, {"length": 0}, {"delay": -1}, {"delay": 2.5}, {"evaluation_trials": 0}]
)
def test_bad_fields(fields: dict) -> None:
    with pytest.raises(InvalidValue, match=f"CopyingMemory.{next(iter(fields))}: expected a whole number"):
        CopyingMemory(**fields)

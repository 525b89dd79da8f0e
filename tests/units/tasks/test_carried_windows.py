"""Windows that go on from one another: they tile the training part, lane by lane, lap by lap."""

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.tasks import CopyingMemory, MackeyGlass


def walk(task: MackeyGlass, lanes: int, windows: int) -> list:
    """The first windows of a run, each drawn with another seed."""
    return [task.trial(np.random.default_rng(index), lanes, index) for index in range(windows)]


def place(task: MackeyGlass, value: float) -> int:
    """The step of the series that has this input."""
    return int(np.flatnonzero(task.series.inputs[:, 0] == value)[0])


@pytest.mark.parametrize("window", [1, 10, 57])
def test_windows_tile_the_part_of_each_lane(window: int) -> None:
    task = MackeyGlass(steps=1000, carry=True, window=window)
    part = len(task.series.train) // 3
    count = part // window
    trials = walk(task, 3, count)
    assert [trial.carry for trial in trials] == [False] + [True] * (count - 1)
    inputs, targets = (np.concatenate([getattr(t, name) for t in trials]) for name in ("inputs", "targets"))
    for lane in range(3):
        steps = slice(lane * part, lane * part + count * window)
        np.testing.assert_array_equal(inputs[:, lane], task.series.inputs[steps])
        np.testing.assert_array_equal(targets[:, lane], task.series.targets[steps])


def test_a_lap_starts_again_one_step_later_until_every_step_was_seen() -> None:
    task = MackeyGlass(steps=1000, carry=True, window=60)
    part = len(task.series.train) // 3
    count, rest = divmod(part, 60)
    assert (count, rest) == (4, 21)
    trials = walk(task, 3, count * (rest + 2))
    starts = [k for k, trial in enumerate(trials) if not trial.carry]
    assert starts == list(range(0, len(trials), count))
    firsts = [place(task, trials[k].inputs[0, 1, 0]) - part for k in starts]
    assert firsts == [*range(rest + 1), 0]
    for lane in range(3):
        seen = np.concatenate([trial.inputs[:, lane, 0] for trial in trials])
        whole = task.series.inputs[lane * part : (lane + 1) * part, 0]
        np.testing.assert_array_equal(np.unique(seen), np.unique(whole))


@pytest.mark.parametrize(("window", "uncounted"), [(60, 40), (40, 39), (10, 9), (1, 0)])
def test_only_a_window_that_starts_has_a_washout_and_every_window_counts(window: int, uncounted: int) -> None:
    task = MackeyGlass(carry=True, window=window, washout=40)
    start, later = walk(task, 2, 2)
    np.testing.assert_array_equal(
        start.mask, np.repeat([[0.0], [1.0]], [uncounted, window - uncounted], 0) * [1, 1]
    )
    assert later.mask.all()


def test_tasks_of_single_trials_do_not_look_at_the_index() -> None:
    for task in (MackeyGlass(), CopyingMemory()):
        first, later = (task.trial(np.random.default_rng(1), 4, index) for index in (0, 7))
        np.testing.assert_array_equal(first.inputs, later.inputs)
        assert not later.carry


def test_evaluation_is_the_same_with_and_without_carry() -> None:
    rng = np.random.default_rng(0)
    plain, carried = (MackeyGlass(carry=carry).evaluation(rng) for carry in (False, True))
    np.testing.assert_array_equal(plain.inputs, carried.inputs)
    np.testing.assert_array_equal(plain.mask, carried.mask)
    assert not carried.carry


def test_too_many_lanes_for_the_window() -> None:
    message = r"MackeyGlass\.window: expected at most the 62 steps of the part of each lane, got 120"
    with pytest.raises(InvalidValue, match=message):
        MackeyGlass(carry=True).trial(np.random.default_rng(0), 64)


@pytest.mark.parametrize("carry", ["yes", 1, None])
def test_carry_is_a_yes_or_no(carry: object) -> None:
    with pytest.raises(InvalidValue, match=r"MackeyGlass\.carry: expected True or False"):
        MackeyGlass(carry=carry)

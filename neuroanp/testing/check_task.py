"""`check_task`: what a task has to hold to be trained on."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from brian2 import get_dimensions, second

from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.testing._part import check_part, require
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss

TRIALS, LANES = 3, 32
MARGIN = 1.25
"""Ratio by which a level may differ from one on another draw of the evaluation."""


def check_task(task: Task, *, varies: bool = True, held_out: bool = True) -> None:
    """Check a task of one's own; returns nothing when all is well.

    Checked are: its options are documented and survive ``config.json``; trials and evaluation have the
    promised shapes, finite numbers and a mask that counts something; equal seeds give equal trials, others
    do not; the evaluation does not depend on what was drawn before and repeats no training lane; the trivial
    levels belong to the evaluation; and a perfect output scores at least as well as none.

    Parameters
    ----------
    task : Task
        With small settings the check is quick.
    varies : bool
        False for a task that has one trial only.
    held_out : bool
        False for a task with so few different trials that the evaluation has to repeat some.

    Raises
    ------
    InvalidValue
        With what is wrong, as ``Class.field: expected ..., got ...``.
    DataError
        For a task that can't be read back from ``config.json``.

    Examples
    --------
    >>> from neuroanp.tasks import MackeyGlass
    >>> check_task(MackeyGlass(steps=400))
    """
    check_part(task, Task)
    _check_declarations(task)
    trials = _check_trials(task, varies)
    evaluation = _check_evaluation(task)
    if held_out:
        _check_unseen(task, trials, evaluation)
    _check_trivial(task, evaluation)
    _check_score(task, evaluation)


def _check_declarations(task: Task) -> None:
    cls = type(task)
    for name in ("n_in", "n_out"):
        size = getattr(task, name)
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size > 0
        require(whole, f"{cls.__name__}.{name}", "a whole number of 1 or more", size)
    try:
        inspect.signature(task.trial).bind(None, 1, 0)
    except TypeError as error:
        raise InvalidValue(f"{cls.__name__}.trial", "parameters rng, lanes, index", str(error)) from None
    timed = get_dimensions(task.dt) is second.dim and float(task.dt) > 0
    require(timed, f"{cls.__name__}.dt", "a time above 0", task.dt)
    text = getattr(task, "score_name", None)
    require(isinstance(text, str) and text, f"{cls.__name__}.score_name", "what score measures", text)
    for preset in cls.presets:
        recipe = task.recipe(preset)
        require(isinstance(recipe, Recipe), f"{cls.__name__}.recipe", "a Recipe", recipe)


def _check_trials(task: Task, varies: bool) -> list[Trial]:
    where = f"{type(task).__name__}.trial"
    for lanes in (1, 3):
        _check_trial(where, task, task.trial(np.random.default_rng(1), lanes, 0), lanes)
    trials = [task.trial(np.random.default_rng(k), LANES, k) for k in range(TRIALS)]
    again = [task.trial(np.random.default_rng(k), LANES, k) for k in range(TRIALS)]
    for first, other in zip(trials, again, strict=True):
        _check_trial(where, task, first, LANES)
        require(_same(first, other), where, "the same trial under the same seed", "another one")
    require(not trials[0].carry, where, "a first trial that starts from rest", "carry=True")
    if varies:
        differs = not _same(trials[0], trials[1])
        require(differs, where, "other trials under other seeds (or varies=False)", "the same one")
    return trials


def _check_trial(where: str, task: Task, trial: Any, lanes: int | None = None) -> None:
    require(isinstance(trial, Trial), where, "a Trial", type(trial).__name__)
    lanes = trial.lanes if lanes is None else lanes
    for name, width in (("inputs", task.n_in), ("targets", task.n_out)):
        shape, expected = getattr(trial, name).shape, (trial.steps, lanes, width)
        require(shape == expected, where, f"{name} of shape {expected}", f"shape {shape}")


def _same(first: Trial, other: Trial) -> bool:
    names = ("inputs", "targets", "mask")
    return all(np.array_equal(getattr(first, name), getattr(other, name)) for name in names)


def _check_evaluation(task: Task) -> Trial:
    where = f"{type(task).__name__}.evaluation"
    evaluation = task.evaluation(np.random.default_rng(1))
    _check_trial(where, task, evaluation)
    require(not evaluation.carry, where, "a trial that starts from rest", "carry=True")
    task.trial(np.random.default_rng(5), 2, 5)
    again = task.evaluation(np.random.default_rng(1))
    require(_same(evaluation, again), where, "the same trial under the same seed, whatever came between",
            "another one")  # fmt: skip
    return evaluation


def _check_unseen(task: Task, trials: list[Trial], evaluation: Trial) -> None:
    """No training lane is a stretch of an evaluation lane whose last step counts."""
    steps = min(trials[0].steps, evaluation.steps)
    rows = np.concatenate([evaluation.inputs, evaluation.targets], axis=2)
    ends = np.argwhere(np.asarray(evaluation.mask)[steps - 1 :] > 0)
    stretches = {rows[end : end + steps, lane].tobytes() for end, lane in ends}
    for trial in trials:
        rows = np.concatenate([trial.inputs, trial.targets], axis=2)[-steps:]
        count = sum(rows[:, lane].tobytes() in stretches for lane in range(trial.lanes))
        expected = "trials that training does not show (or held_out=False)"
        require(
            not count,
            f"{type(task).__name__}.evaluation",
            expected,
            f"{count} of {trial.lanes} training lanes",
        )


def _check_trivial(task: Task, evaluation: Trial) -> None:
    where = f"{type(task).__name__}.trivial"
    levels = task.trivial()
    require(isinstance(levels, dict) and levels, where, "a level for each trivial predictor", levels)
    for name, level in levels.items():
        valid = isinstance(level, (float, np.floating)) and np.isfinite(level) and level >= 0
        require(valid, where, f"a loss of 0 or more for {name!r}", level)
    require(task.trivial() == levels, where, "the same levels at every call", "others")
    nothing = loss(np.zeros_like(evaluation.targets), evaluation)
    if "zero" in levels:
        varies = not _same(evaluation, task.evaluation(np.random.default_rng(2)))
        right = np.isclose(levels["zero"], nothing, rtol=MARGIN - 1 if varies else 1e-6)
        require(right, where, f"the loss of zero output on the evaluation, {nothing:.4g}", levels["zero"])
    weight = np.asarray(evaluation.mask)[:, :, None]
    constant = (evaluation.targets * weight).sum(axis=(0, 1)) / weight.sum()
    level = loss(np.broadcast_to(constant, evaluation.targets.shape), evaluation)
    best = min(levels.values())
    reached = best <= MARGIN * level + 1e-12
    require(reached, where, f"a best level no worse than the best constant output's, {level:.4g}", best)
    for name, score in task.trivial_scores().items():
        require(np.isfinite(score), f"{where}_scores", f"a number for {name!r}", score)


def _check_score(task: Task, evaluation: Trial) -> None:
    where = f"{type(task).__name__}.score"
    perfect = task.score(evaluation.targets.copy(), evaluation)
    nothing = task.score(np.zeros_like(evaluation.targets), evaluation)
    for score in (perfect, nothing):
        finite = isinstance(score, (float, np.floating)) and np.isfinite(score)
        require(finite, where, "a finite float", score)
    sign = 1 if task.higher_is_better else -1
    order = "higher" if task.higher_is_better else "lower"
    expected = f"a {order} score for the targets themselves than for zeros"
    require(sign * perfect >= sign * nothing, where, expected, f"{perfect:.4g} and {nothing:.4g}")

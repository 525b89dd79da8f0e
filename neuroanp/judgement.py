"""How good a tested network is, beside the trivial predictors, and the trial that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroanp.task import Task
from neuroanp.tested import Tested

Array = NDArray[Any]


def judge(task: Task, tested: Tested, before: Sequence[float]) -> dict[str, Any]:
    """The part of `Run.result` that says how good a network is.

    Parameters
    ----------
    task : Task
    tested : Tested
        On the task's evaluation.
    before : sequence of float
        Scores of the tests on the way.
    """
    trivial = task.trivial()
    scores = task.trivial_scores() if task.judged_by == "score" else {}
    score = task.final_score(task.score(tested.outputs, tested.trial), before)
    sign = 1 if task.higher_is_better else -1
    beats = sign * score > max(sign * s for s in scores.values()) if scores else None
    return {
        "test_loss": tested.loss,
        "score": score,
        "score_name": task.score_name,
        "trivial": trivial,
        "trivial_scores": scores,
        "beats_trivial": bool(tested.loss < min(trivial.values()) if beats is None else beats),
        "rate": tested.rate,
    }


def example(task: Task, tested: Tested) -> dict[str, Array]:
    """The first lane of a test, as `Run.example` has it."""
    trial = tested.trial
    shown = {
        "inputs": trial.inputs[:, 0],
        "outputs": tested.outputs[:, 0],
        "mask": np.asarray(trial.mask)[:, 0],
        "dt": np.array(float(task.dt)),
    }
    if tested.spikes is not None:
        shown["spikes"] = tested.spikes
    if task.plant is None:
        return shown | {"targets": trial.targets[:, 0]}
    return shown | {"observations": np.array(task.plant.observations)}

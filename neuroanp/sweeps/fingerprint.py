"""`fingerprint`: digest of the data of a sweep's task, by which its file knows it again."""

from __future__ import annotations

import hashlib

import numpy as np

from neuroanp.sweeps.space import Space

DIGITS = 6
"""Digits of inputs and targets that count, as the last ones differ between machines."""


def fingerprint(space: Space) -> str:
    """Digest of a training trial and the evaluation of the task, at the first of the varied values."""
    task = space.task_of({name: axis.corners[0] for name, axis in space.axes.items()})
    total = hashlib.sha256()
    for trial in (task.trial(np.random.default_rng(0), 1), task.evaluation(np.random.default_rng(0))):
        for values in (trial.inputs, trial.targets, np.asarray(trial.mask)):
            total.update(np.round(np.asarray(values, dtype=np.float64), DIGITS).tobytes())
    return total.hexdigest()[:16]

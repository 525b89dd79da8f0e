"""Checks of what comes from outside into a chip in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial


def check_weights(weights: Any, hidden: int, n_in: int, n_out: int) -> None:
    """Check of names, shapes and finiteness of a chip's first weights; `InvalidValue` if wrong."""
    shapes = {"W_in": (hidden, n_in), "W_rec": (hidden, hidden), "W_out": (n_out, hidden)}
    checks.instance("IntegerChip.weights", weights, Mapping)
    if weights.keys() != shapes.keys():
        raise InvalidValue("IntegerChip.weights", ", ".join(shapes), ", ".join(map(str, weights)) or "none")
    for name, shape in shapes.items():
        checks.array(f"IntegerChip.weights[{name!r}]", weights[name], shape)


def check_trial(trial: Any, lanes: int | None, n_in: int, n_out: int, binary: bool) -> None:
    """Check that a trial fits a chip; `InvalidValue` if not.

    Parameters
    ----------
    trial : Trial
    lanes : int or None
        None for any number of lanes.
    n_in, n_out : int
        Inputs without the bias, and outputs.
    binary : bool
        True for a chip whose inputs have one bit.
    """
    checks.instance("IntegerChip.trial", trial, Trial)
    checks.array("Trial.inputs", trial.inputs, (None, lanes, n_in))
    checks.array("Trial.targets", trial.targets, (None, lanes, n_out))
    if binary and not np.isin(trial.inputs, (0, 1)).all():
        got = f"{trial.inputs[~np.isin(trial.inputs, (0, 1))][0]:g}"
        expected = "0 or 1, as the task's first trials have, from which the chip takes its inputs' bits"
        raise InvalidValue("Trial.inputs", expected, got)

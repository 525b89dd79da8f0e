"""Spiking models whose threshold is noisy."""

from __future__ import annotations

import copy
from typing import TypeVar

from brian2 import Equations, get_unit
from brian2.utils.stringtools import word_substitute

from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model

M = TypeVar("M", bound=Model)

THRESHOLD_NOISE = "threshold_noise"
"""Hidden variable that is added to the potential as it is compared with the threshold, and nowhere else."""


def with_noisy_threshold(model: M) -> M:
    """Model whose cells compare their potential plus `THRESHOLD_NOISE` with the threshold.

    Parameters
    ----------
    model : Model
        Of spiking cells; it stays as it is.

    Raises
    ------
    InvalidValue
        For a model without threshold or without a `potential` in it.

    Examples
    --------
    >>> from neuroanp.models import ALIF
    >>> with_noisy_threshold(ALIF()).threshold
    '(v + threshold_noise) > 1 + b'
    """
    if model.threshold is None:
        expected = "noise on nodes or weights for a model without a threshold"
        raise InvalidValue("Network.perturbation", expected, "thresholds")
    noisy = copy.copy(model)
    names = {str(model.potential): f"({model.potential} + {THRESHOLD_NOISE})"}
    threshold = word_substitute(model.threshold, names)
    if threshold == model.threshold:
        where = f"{type(model).__name__}.potential"
        raise InvalidValue(where, "the variable that its threshold compares", model.potential)
    object.__setattr__(noisy, "threshold", threshold)
    dimension = Equations(model.equations)[str(model.potential)].dim
    unit = "1" if dimension.is_dimensionless else repr(get_unit(dimension))
    object.__setattr__(noisy, "equations", f"{model.equations}\n{THRESHOLD_NOISE} : {unit}\n")
    return noisy

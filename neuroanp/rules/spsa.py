"""Simultaneous perturbation stochastic approximation."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.rules.weight import WeightPerturbation


class SPSA(WeightPerturbation):
    r"""All weights are moved by plus or minus c at once, for a whole trial, and back the other way.

    .. math:: \hat g_k = \frac{L(W + c \Delta) - L(W - c \Delta)}{2 c \, \Delta_k}, \qquad
              \Delta_k = \pm 1 \text{ with even chance}

    It is `WeightPerturbation` with held, mirrored noise of two values, where dividing by :math:`\Delta_k`
    and multiplying by it are the same; `sigma` is c. `EvolutionStrategies` has such a pair in each lane.

    References
    ----------
    Spall, IEEE Trans. Automatic Control 37, 332 (1992).
    """

    name = "spsa"

    distribution: Literal["gaussian", "sign"] = option("sign", "distribution of the noise")

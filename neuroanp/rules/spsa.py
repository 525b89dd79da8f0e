"""Simultaneous perturbation stochastic approximation."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.rules.weight import WeightPerturbation

SPALL = """@article{spall1992multivariate,
  author = {Spall, James C.},
  title = {Multivariate stochastic approximation using a simultaneous perturbation gradient approximation},
  journal = {IEEE Transactions on Automatic Control},
  volume = {37},
  number = {3},
  pages = {332--341},
  year = {1992},
  doi = {10.1109/9.119632}
}"""


class SPSA(WeightPerturbation):
    r"""Perturbation of all weights at once by plus or minus c, for a whole trial, and by its negative.

    .. math:: \hat g_k = \frac{L(W + c \Delta) - L(W - c \Delta)}{2 c \, \Delta_k}, \qquad
              \Delta_k = \pm 1 \text{ with even chance}

    It is `WeightPerturbation` with held, mirrored noise of two values, where dividing by :math:`\Delta_k`
    and multiplying by it are the same; `sigma` is c. `EvolutionStrategies` has such a pair in each lane.

    References
    ----------
    Spall, IEEE Trans. Automatic Control 37, 332 (1992).
    """

    name = "spsa"
    sources = (SPALL,)

    distribution: Literal["gaussian", "sign"] = option("sign", "distribution of the noise")

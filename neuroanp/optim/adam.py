"""Adam."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroanp.arrays import added, contiguous, number, sqrt
from neuroanp.config.option import option
from neuroanp.engine.elementwise import Elementwise
from neuroanp.optim._base import Optimizer
from neuroanp.synapse import Synapse
from neuroanp.types import Arrays

_STEP = Elementwise(
    """
    m = b1 * m + change
    v = b2 * v + change * change
    change = rate * m / (sqrt(v) + eps)
    """,
    arrays=("change", "m", "v"),
    numbers=("b1", "b2", "rate", "eps"),
)

KINGMA_BA = """@inproceedings{kingma2015adam,
  author = {Kingma, Diederik P. and Ba, Jimmy},
  title = {Adam: a method for stochastic optimization},
  booktitle = {International Conference on Learning Representations},
  year = {2015},
  eprint = {1412.6980},
  archivePrefix = {arXiv}
}"""


class Adam(Optimizer):
    r"""Steps of a size that does not depend on the gradient's.

    .. math:: m_k = \beta_1 m_{k-1} + (1-\beta_1) g_k, \qquad v_k = \beta_2 v_{k-1} + (1-\beta_2) g_k^2

    .. math:: \Delta W = -\eta_k \, \frac{m_k / (1-\beta_1^k)}{\sqrt{v_k / (1-\beta_2^k)} + \varepsilon}

    Parameters
    ----------
    b1, b2 : float
        Decay of the mean and of the mean square of the gradient, from 0 to less than 1.
    eps : float
        :math:`\varepsilon`, above 0: gradients well below it give no full step.

    See `Optimizer` for the other options.

    Examples
    --------
    >>> adam, weights = Adam(lr=0.1), {"W_out": np.zeros((1, 1))}
    >>> adam({"W_out": np.full((1, 1), 5.0)}, weights, adam.start(weights), progress=0.0)["W_out"].round(6)
    array([[-0.1]])

    References
    ----------
    Kingma and Ba, ICLR (2015), arXiv 1412.6980.
    """

    name = "adam"
    sources = (KINGMA_BA,)

    lr: float = option(0.003, "learning rate", least=0)
    b1: float = option(0.9, "decay of the mean gradient", least=0, below=1)
    b2: float = option(0.999, "decay of the mean square gradient", least=0, below=1)
    eps: float = option(1e-8, "added to the root mean square gradient", above=0)
    anneal: Literal["none", "linear", "cosine"] = option("linear", "fall of the learning rate over the run")

    def start(self, weights: Arrays) -> Arrays:
        _STEP.compile()
        state: Arrays = {"updates": np.zeros(())}
        for name, w in weights.items():
            state |= {f"m.{name}": np.zeros_like(w), f"v.{name}": np.zeros_like(w)}
        return state

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        r"""Change of the weights; the state holds :math:`\hat m = m / (1-\beta_1), \hat v = v / (1-\beta_2)`.

        .. math:: \Delta W = -\eta_k \, s \, \frac{\hat m}{\sqrt{\hat v} + \varepsilon r}, \qquad
                  r = \sqrt{\frac{1-\beta_2^k}{1-\beta_2}}, \qquad s = r \, \frac{1-\beta_1}{1-\beta_1^k}
        """
        state["updates"] = added(state["updates"], (), 1.0)
        k = number(state["updates"])
        r = sqrt((1 - self.b2**k) / (1 - self.b2))
        s = r * (1 - self.b1) / (1 - self.b1**k)
        for name, gradient in update.items():
            m, v = f"m.{name}", f"v.{name}"
            update[name], state[m], state[v] = _STEP(
                contiguous(gradient, state[m].dtype), state[m], state[v],
                self.b1, self.b2, -s * self.rate(name, progress), self.eps * r,
            )  # fmt: skip
        return update

    def synapse(self) -> Synapse:
        learn = """
            mean = b1 * mean + (1 - b1) * gradient
            square = b2 * square + (1 - b2) * gradient**2
            weight -= learning_rate / (1 - b1**trials) * mean / (sqrt(square / (1 - b2**trials)) + eps)
        """
        constants = {"b1": self.b1, "b2": self.b2, "eps": self.eps}
        return Synapse(state=("mean", "square"), learn=learn, constants=constants)

"""Adam."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.engine.elementwise import Elementwise
from neuroanp.errors import InvalidValue
from neuroanp.optim._base import Stage, check_rates, rate
from neuroanp.optim.schedule import ANNEAL
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adam(Stage):
    r"""Steps of a size that does not depend on the gradient's.

    .. math:: m_k = \beta_1 m_{k-1} + (1-\beta_1) g_k, \qquad v_k = \beta_2 v_{k-1} + (1-\beta_2) g_k^2

    .. math:: \Delta W = -\eta_k \, \frac{m_k / (1-\beta_1^k)}{\sqrt{v_k / (1-\beta_2^k)} + \varepsilon}

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta`, 0 or more, at the start of the run.
    readout_lr : float, optional
        The same for ``W_out``; `lr` when left out.
    input_lr : float, optional
        The same for ``W_in``, whose currents reach a cell of a spiking network as a part dt / tau only.
    b1, b2 : float
        Decay of the mean and of the mean square of the gradient, from 0 to less than 1.
    eps : float
        :math:`\varepsilon`, above 0: gradients well below it give no full step.
    anneal : str
        How the learning rate falls over the run: ``"none"``, ``"linear"`` or ``"cosine"``.

    Examples
    --------
    >>> adam, weights = Adam(lr=0.1), {"W_out": np.zeros((1, 1))}
    >>> adam({"W_out": np.full((1, 1), 5.0)}, weights, adam.start(weights), progress=0.0)["W_out"].round(6)
    array([[-0.1]])

    The state holds :math:`m_k / (1-\beta_1)` and :math:`v_k / (1-\beta_2)`: no array is needed besides the
    gradient's.

    References
    ----------
    Kingma and Ba, ICLR (2015), arXiv 1412.6980.
    """

    lr: float = option(0.003, "learning rate")
    readout_lr: float | None = option(None, "learning rate of the readout, where another than lr")
    input_lr: float | None = option(None, "learning rate of the input weights, where another than lr")
    b1: float = option(0.9, "decay of the mean gradient")
    b2: float = option(0.999, "decay of the mean square gradient")
    eps: float = option(1e-8, "added to the root mean square gradient")
    anneal: str = option("linear", "how the learning rate falls over the run (none, linear, cosine)")

    def __post_init__(self) -> None:
        check_rates(self)
        checks.not_negative(self, "b1", "b2")
        checks.positive(self, "eps")
        for field in ("b1", "b2"):
            if getattr(self, field) >= 1:
                raise InvalidValue(f"Adam.{field}", "a number from 0 to less than 1", getattr(self, field))
        checks.one_of(self, "anneal", ANNEAL)

    def start(self, weights: Arrays) -> Arrays:
        _STEP.compile()
        state: Arrays = {"updates": np.zeros(())}
        for name, w in weights.items():
            state[f"m.{name}"] = np.zeros_like(w)
            state[f"v.{name}"] = np.zeros_like(w)
        return state

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        state["updates"] += 1
        k = float(state["updates"])
        root = math.sqrt((1 - self.b2**k) / (1 - self.b2))
        scale = root * (1 - self.b1) / (1 - self.b1**k)
        for name, gradient in update.items():
            m, v = state[f"m.{name}"], state[f"v.{name}"]
            change = np.ascontiguousarray(gradient, m.dtype)
            _STEP(change, m, v, self.b1, self.b2, -scale * rate(self, name, progress), self.eps * root)
            update[name] = change
        return update

    def synapse(self) -> Synapse:
        learn = """
            mean = b1 * mean + (1 - b1) * gradient
            square = b2 * square + (1 - b2) * gradient**2
            weight -= learning_rate / (1 - b1**trials) * mean / (sqrt(square / (1 - b2**trials)) + eps)
        """
        constants = {"b1": self.b1, "b2": self.b2, "eps": self.eps}
        return Synapse(state=("mean", "square"), learn=learn, constants=constants)

    def told(self, name: str, progress: float) -> dict[str, float]:
        return {"learning_rate": rate(self, name, progress)}

"""Dale's law."""

from __future__ import annotations

import numpy as np

from neuroanp.arrays import namespace
from neuroanp.config.option import option
from neuroanp.optim._base import Stage
from neuroanp.types import Arrays


class KeepSigns(Stage):
    r"""Signs of weights, kept by a stop at zero: an excitatory synapse stays excitatory.

    .. math:: \Delta W_{ij} \leftarrow s_{ij} \max(s_{ij} (W_{ij} + \Delta W_{ij}), 0) - W_{ij},
              \qquad s_{ij} = \mathrm{sign} \, W_{ij}(0)

    The signs are those of the weights that a run starts with; weights that start from zero are free. A weight
    that has reached zero can grow again, in its direction. Comes after the optimizer.

    Parameters
    ----------
    names : tuple of str
        Weights that keep their signs: ``("W_rec",)``.

    Examples
    --------
    >>> stage, weights = KeepSigns(names=("W_rec",)), {"W_rec": np.array([[0.5, -0.5]])}
    >>> stage({"W_rec": np.array([[-2.0, -2.0]])}, weights, stage.start(weights), progress=0.0)
    {'W_rec': array([[-0.5, -2. ]])}
    """

    names: tuple[str, ...] = option((), "weights that keep their signs")

    def start(self, weights: Arrays) -> Arrays:
        return {name: np.sign(weights[name]) for name in self.names}

    def __call__(self, update: Arrays, weights: Arrays, state: Arrays, progress: float) -> Arrays:
        for name in self.names:
            if name in update:
                w, change = weights[name], update[name]
                beyond = state[name] * (w + change) < 0
                update[name] = namespace(w).where(beyond, -w, change)
        return update

"""Weights that a training starts from: those of another run, or from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from neuroanp.errors import InvalidValue
from neuroanp.network.layout import DECORRELATING, PROJECTIONS
from neuroanp.network.model import Model
from neuroanp.training.run import Run
from neuroanp.types import Array, Arrays


def weights_of(start: Run | Mapping[str, Array], model: Model, decorrelated: bool) -> tuple[Arrays, Arrays]:
    """Weights (a wiring among them) and decorrelating matrices for a training.

    Parameters
    ----------
    start : Run or mapping
        A run, or arrays by the names that `Run.weights` has.
    model : Model
        That of the other training.
    decorrelated : bool
        False folds the matrices into the weights, W D, with the same outputs.

    Raises
    ------
    InvalidValue
        For a run of another kind of model.
    """
    if not isinstance(start, (Run, Mapping)):
        raise InvalidValue("Trainer.start", "a run, or weights by name", start)
    if isinstance(start, Run) and start.result["model"] != model.name:
        raise InvalidValue("Trainer.start", f"a run of {model.name}", f"a run of {start.result['model']}")
    given = start.weights if isinstance(start, Run) else start
    matrices = {name: w for name, w in given.items() if name in DECORRELATING}
    weights = {name: w for name, w in given.items() if name not in matrices}
    if decorrelated:
        return weights, matrices
    for name, w in weights.items():
        D = matrices.get(PROJECTIONS[name].decorrelated_by) if name in PROJECTIONS else None
        weights[name] = w if D is None else w @ D
    return weights, {}

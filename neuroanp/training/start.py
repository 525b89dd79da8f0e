"""Weights that a training starts from: those of another run."""

from __future__ import annotations

from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import DECORRELATING, PROJECTIONS
from neuroanp.network.model import Model
from neuroanp.training.run import Run
from neuroanp.types import Arrays


def weights_of(run: Run, model: Model, decorrelated: bool) -> tuple[Arrays, Arrays]:
    """Weights (a wiring among them) and decorrelating matrices of a run, for another training.

    Parameters
    ----------
    run : Run
    model : Model
        That of the other training.
    decorrelated : bool
        False folds the matrices into the weights, W D, with the same outputs.

    Raises
    ------
    InvalidValue
        For a run of another kind of model.
    """
    checks.instance("Trainer.start", run, Run)
    if run.result["model"] != model.name:
        raise InvalidValue("Trainer.start", f"a run of {model.name}", f"a run of {run.result['model']}")
    matrices = {name: w for name, w in run.weights.items() if name in DECORRELATING}
    weights = {name: w for name, w in run.weights.items() if name not in matrices}
    if decorrelated:
        return weights, matrices
    for name, w in weights.items():
        D = matrices.get(PROJECTIONS[name].decorrelated_by) if name in PROJECTIONS else None
        weights[name] = w if D is None else w @ D
    return weights, {}

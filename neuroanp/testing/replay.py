"""Recorded updates of the published method, done again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.errors import DataError
from neuroanp.models import TanhRNN
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation
from neuroanp.types import Array

_RULES = {"np": NodePerturbation, "anp": ActivityPerturbation, "wp": WeightPerturbation}


def replay(path: str | Path, engine: str = "auto") -> dict[str, Array]:
    """One recorded update of the published method, done again by this library.

    The file gives weights, decorrelating matrices, inputs, targets and the noise that was drawn; which of
    the published rules it is follows from the start of its name (``np_``, ``anp_``, ``wp_``).

    Parameters
    ----------
    path : path
        An ``.npz`` file with ``x``, ``y``, ``W_in``, ``W_rec``, ``W_out``, ``D_in``, ``D_hidden``, ``lr``,
        ``sigma``, ``decor_lr``, and ``noise_hidden`` and ``noise_output`` or ``noise_W_in``, ``noise_W_rec``
        and ``noise_W_out``.
    engine : {"auto", "compiled", "runtime"}

    Returns
    -------
    dict
        ``W_in, W_rec, W_out, D_in, D_hidden`` after the update.

    Raises
    ------
    DataError
        If the file isn't such a record.
    """
    path = Path(path)
    rule_name = path.name.split("_")[0]
    if rule_name not in _RULES:
        raise DataError(f"{path.name}: expected a name that starts with np_, anp_ or wp_")
    with np.load(path) as file:
        data = dict(file)
    on_weights = rule_name == "wp"
    noise_names = ("W_in", "W_rec", "W_out") if on_weights else ("hidden", "output")
    names = ["x", "y", "W_in", "W_rec", "W_out", "D_in", "D_hidden", "lr", "sigma", "decor_lr"]
    missing = [name for name in (*names, *(f"noise_{n}" for n in noise_names)) if name not in data]
    if missing:
        raise DataError(f"{path.name}: no {', '.join(missing)} in it")

    sigma, lr = float(data["sigma"]), float(data["lr"])
    options: dict[str, Any] = {"hold": "step"} if on_weights else {}
    rule = _RULES[rule_name](sigma=sigma, mirrored=False, readout="perturb", **options)
    trial = Trial(data["x"], data["y"])
    hidden = len(data["W_rec"])
    network = Network(
        TanhRNN(hidden=hidden, bias=False),
        n_in=trial.inputs.shape[2],
        n_out=trial.targets.shape[2],
        dt=1 * ms,
        lanes=trial.lanes,
        passes=rule.passes,
        perturbation=Perturbation(
            target="weights" if on_weights else "nodes", readout=True, external=True, recorded=("activity",)
        ),
        engine=engine,
        decorrelated=True,
    )
    weights = {name: data[name] for name in ("W_in", "W_rec", "W_out")}
    matrices = {name: data[name] for name in ("D_in", "D_hidden")}
    network.load(weights, matrices)
    record = network.run(trial, noise={name: data[f"noise_{name}"] for name in noise_names})
    gradient = rule(record, Modulator(discount=0.0, scope="global")(record, {}), {})
    # the published rules divide by sigma where ours divide by its square
    eta = lr if rule_name == "anp" else lr * sigma
    step = SGD(lr=eta, anneal="none")
    change = step(gradient, weights, step.start(weights), 0.0)
    updated = {name: weights[name] + change[name] for name in weights}
    decorrelation = Decorrelation(rate=float(data["decor_lr"]), anneal="none")
    return {**updated, **decorrelation(record, matrices, 0.0)}

"""The published method's updates, file by file, from rules + decorrelation + plain SGD."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from neuroanp.optim import SGD
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation
from support.simulator import NAMES, simulate

SHARED = Path(os.environ.get("NEUROANP_SHARED", Path(__file__).parents[3] / "shared"))
FILES = sorted((SHARED / "reference" / "updates").glob("*.npz"))

if not FILES:
    pytest.skip(f"no reference updates in {SHARED}; set NEUROANP_SHARED", allow_module_level=True)

RULES = {
    "np": lambda sigma: NodePerturbation(sigma=sigma, mirrored=False),
    "anp": lambda sigma: ActivityPerturbation(sigma=sigma, mirrored=False),
    "wp": lambda sigma: WeightPerturbation(sigma=sigma, mirrored=False, hold="step"),
}


def relative(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_update_is_the_published_one(path):
    file = dict(np.load(path))
    kind = path.name.split("_")[0]
    weights = {name: file[name] for name in NAMES}
    matrices = {name: file[name] for name in ("D_in", "D_hidden")}
    sigma, lr = float(file["sigma"]), float(file["lr"])
    weight_noise = None
    if kind == "wp":
        weight_noise = [{name: file[f"noise_{name}"][t] for name in NAMES} for t in range(len(file["x"]))]
    rule = RULES[kind](sigma)
    record = simulate(
        weights,
        file["x"],
        file["y"],
        passes=rule.passes,
        noise=file.get("noise_hidden"),
        noise_out=file.get("noise_output"),
        weight_noise=weight_noise,
        decorrelation=matrices,
    )
    assert relative(record.outputs[:, 0], file["clean_output"]) < 1e-12

    update = rule(record, Modulator(discount=0.0, scope="global")(record, {}), {})
    sgd = SGD(lr=lr if kind == "anp" else lr * sigma)
    change = sgd(update, weights, sgd.start(weights), progress=0.0)
    for name in NAMES:
        expected = file[f"{name}_after"] - weights[name]
        assert relative(weights[name] + change[name], file[f"{name}_after"]) < 1e-9
        assert relative(change[name], expected) < 1e-9

    learned = Decorrelation(rate=float(file["decor_lr"]))(record, matrices, progress=0.0)
    for name, D in learned.items():
        assert relative(D, file[f"{name}_after"]) < 1e-9
        assert relative(D - matrices[name], file[f"{name}_after"] - matrices[name]) < 1e-9

"""Whole updates of the real engine against the equations written out in NumPy, decorrelation explicit."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.engine import noise
from neuroanp.optim import Adam
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import ActivityPerturbation, NodePerturbation, WeightPerturbation
from support.copying import training
from support.simulator import NAMES, simulate

SIGMA, LR, RATE, UPDATES = 0.05, 0.01, 0.05, 5
STREAM = {"hidden": 0, "output": 1, "W_in": 2, "W_rec": 3, "W_out": 4}
SOURCE = {"W_in": "D_in", "W_rec": "D_hidden", "W_out": "D_hidden"}


def drawn(made, what, index, step, rows, columns):
    """The noise of one step, a pure function of seed, trial, lane, unit and step."""
    seed = made.network.seed
    return SIGMA * noise.draw("gaussian", seed, STREAM[what], index, step, rows, columns, np.dtype(float))


def course(made, weights, matrices, index):
    """One trial of both passes, the decorrelated traces made where they are used; and the weight noise."""
    trial, rule = made.trial(index), made.recipe.rule
    steps, lanes = trial.steps, trial.lanes
    with_bias = np.concatenate([trial.inputs, np.ones((steps, lanes, 1))], axis=2)
    if rule.perturbs == "weights":
        xi = {name: drawn(made, name, index, 0, *w.shape) for name, w in weights.items()}
        given = {"weight_noise": [xi]}
    else:
        sizes = {"hidden": made.recipe.model.hidden, "output": trial.targets.shape[2]}
        xi = {
            layer: np.array([drawn(made, layer, index, t, lanes, n) for t in range(steps)])
            for layer, n in sizes.items()
        }
        given = {"noise": xi["hidden"], "noise_out": xi["output"]}
    record = simulate(
        weights, with_bias, trial.targets, passes=rule.passes, decorrelation=matrices,
        mask=np.asarray(trial.mask), **given,
    )  # fmt: skip
    return record, xi


def compared(values, passes):
    """Course without noise, and what the noise changed."""
    plus, other = values[:, passes.index("plus")], values[:, 1 - passes.index("plus")]
    return ((plus + other) / 2, (plus - other) / 2) if "minus" in passes else (other, plus - other)


def estimate(rule, record, xi, matrices):
    """The update as the equation has it: modulator x post x decorrelated pre, over steps and lanes."""
    passes = record.passes
    _, change = compared(record.loss, passes)
    returned = np.flip(np.cumsum(np.flip(change * record.mask, 0), axis=0), 0)
    modulator = returned / record.mask.shape[1]
    if rule.perturbs == "weights":
        return {name: modulator[0].sum() / SIGMA**2 * xi[name] for name in NAMES}
    x, _ = compared(record.traces, passes)
    earlier = np.concatenate([np.zeros_like(x[:1]), x[:-1]])
    pre = {"W_in": record.inputs, "W_rec": earlier, "W_out": x}
    if isinstance(rule, ActivityPerturbation):
        units = record.inputs.shape[2] + x.shape[2] + record.targets.shape[2]
        post = {}
        for layer, values in (("hidden", record.activity), ("output", record.outputs)):
            _, da = compared(values, passes)
            post[layer] = np.sqrt(units) * da / (da**2).sum(axis=2, keepdims=True)
    else:
        post = {layer: noise_ / SIGMA**2 for layer, noise_ in xi.items()}
    return {
        name: np.einsum(
            "tl,tli,tlj->ij",
            modulator,
            post["output" if name == "W_out" else "hidden"],
            pre[name] @ matrices[SOURCE[name]].T,
        )
        for name in NAMES
    }


def decorrelated(D, x, rate):
    """D - rate * mean(offdiag(x_hat x_hat^T)) D, the mean taken outer product by outer product."""
    hat = (x @ D.T).reshape(-1, len(D))
    mean = np.mean([np.outer(h, h) for h in hat], axis=0)
    return D - rate * (mean - np.diag(np.diag(mean))) @ D


@pytest.mark.parametrize(
    ("rule", "engine"),
    [
        (NodePerturbation(sigma=SIGMA), "runtime"),
        (NodePerturbation(sigma=SIGMA, mirrored=False), "compiled"),
        (ActivityPerturbation(sigma=SIGMA), "runtime"),
        (WeightPerturbation(sigma=SIGMA), "runtime"),
    ],
    ids=["nodes, mirrored", "nodes, clean", "activity", "weights"],
)
def test_folded_decorrelation_is_the_explicit_one_update_for_update(rule, engine):
    made = training(
        rule=rule,
        decorrelation=Decorrelation(rate=RATE),
        optimizer=Adam(lr=LR),
        updates=UPDATES,
        engine=engine,
    )
    weights = {name: w.copy() for name, w in made.state.weights.items()}
    weights["W_out"] += 0.1 * np.random.default_rng(0).standard_normal(weights["W_out"].shape)
    made.state.weights = {name: w.copy() for name, w in weights.items()}
    made.network.load(made.state.weights, made.state.decorrelation)
    matrices = {"D_in": np.eye(weights["W_in"].shape[1]), "D_hidden": np.eye(20)}
    m, v = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    for k in range(UPDATES):
        record, xi = course(made, weights, matrices, k)
        clean, _ = compared(record.loss, record.passes)
        assert made.step().loss == pytest.approx(clean.mean(), rel=1e-9)
        left = 1 - k / UPDATES
        for name, g in estimate(rule, record, xi, matrices).items():
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            scaled = m[name] / (1 - 0.9 ** (k + 1)) / (np.sqrt(v[name] / (1 - 0.999 ** (k + 1))) + 1e-8)
            weights[name] = weights[name] - left * LR * scaled
        x, _ = compared(record.traces, record.passes)
        for name, trace in (("D_in", record.inputs), ("D_hidden", x)):
            matrices[name] = decorrelated(matrices[name], trace, left * RATE)
        for name, value in (weights | matrices).items():
            found = (made.state.weights | made.state.decorrelation)[name]
            np.testing.assert_allclose(found, value, rtol=1e-7, atol=1e-9, err_msg=f"{name}, update {k}")
    assert np.abs(matrices["D_hidden"] - np.eye(20)).max() > 0.01

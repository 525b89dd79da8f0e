"""Evaluation of a network on unseen trials, without noise, beside the trivial predictors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

_TRIVIAL = "_trivial"
SAMPLES = 4096
"""Samples (steps x lanes) of a hidden trace that correlations are taken of."""

APART = 2**40
"""Number of the first trial of an evaluation whose cells are noisy: no training trial has its noise."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Outputs of a network on trials of a task, with loss and score.

    Attributes
    ----------
    outputs : (T, L, n_out) array
    trial : Trial
        The trials; in closed loop with the inputs, mask and charged loss of the run.
    loss : float
        Mean over counted steps and lanes.
    score : float
    spikes : (T, N) array of bool, optional
        Spikes of the first lane, of spiking cells.
    rate : float, optional
        Mean rate of spiking cells in Hz.
    silent : float, optional
        Part of the spiking cells that have no spike in any of the trials.
    saturated : float, optional
        Part that fires at more than half of `Model.highest_rate`.
    correlation : float
        Mean squared correlation of two hidden traces, as the synapses see them.
    """

    outputs: Array
    trial: Trial
    loss: float
    score: float
    spikes: Array | None = None
    rate: float | None = None
    silent: float | None = None
    saturated: float | None = None
    correlation: float = float("nan")


def evaluate(network: Network, task: Task, trial: Trial) -> Evaluation:
    """Evaluation of a network, as many lanes of the trial at a time as the network has.

    The network's state is put back, so that a carried trial goes on from the one before.

    Parameters
    ----------
    network : Network
        With its weights loaded.
    task : Task
    trial : Trial
        With any number of lanes.
    """
    state = network.get_state()
    hidden = network.model.hidden
    width = trial.inputs.shape[2]
    outputs = np.empty((trial.steps, trial.lanes, network.n_out))
    inputs = trial.inputs.copy()
    mask = np.asarray(trial.mask).copy()
    charged = np.empty(mask.shape)
    spikes = None
    counts = np.zeros(hidden)
    squared_correlation = float("nan")
    for first in range(0, trial.lanes, network.lanes):
        lanes = np.arange(first, first + network.lanes) % trial.lanes
        there = dataclasses.replace(trial.lane(lanes), carry=False)
        record = network.run(there, test_index(network, first), sigma=0.0)
        block = slice(first, first + network.lanes)
        count = min(network.lanes, trial.lanes - first)
        outputs[:, block] = record.outputs[:, 0, :count]
        inputs[:, block] = record.inputs[:, :count, :width]
        mask[:, block] = record.mask[:, :count]
        charged[:, block] = record.loss[:, 0, :count]
        trace = record.trace[1:, :count]
        if first == 0:
            samples = trace.reshape(-1, hidden)[-SAMPLES:]
            squared_correlation = correlation(samples, record.decorrelation.get("D_hidden"))
        if network.model.threshold is not None:
            counts += trace.sum(axis=(0, 1), dtype=np.float64)
            spikes = trace[:, 0] > 0 if spikes is None else spikes
    network.set_state(state)
    value = loss(outputs, trial)
    if trial.plant is not None:
        trial = dataclasses.replace(trial, inputs=inputs, mask=mask, charged=charged)
        value = float((charged * mask).sum() / mask.sum())
    return Evaluation(
        outputs=outputs,
        trial=trial,
        loss=value,
        score=task.score(outputs, trial),
        spikes=spikes,
        correlation=squared_correlation,
        **({} if spikes is None else _firing(network, counts / (mask.size * record.dt))),
    )


def _firing(network: Network, rates: Array) -> dict[str, float]:
    """What the rates (N,) of all cells in Hz say, by the names that an evaluation has for it."""
    highest = network.model.highest_rate(network.layout.dt)
    return {
        "rate": float(rates.mean()),
        "silent": float((rates == 0).mean()),
        "saturated": float((rates > 0.5 * highest).mean()),
    }


def test_index(network: Network, first: int) -> int:
    """Number of the trial in which lanes from `first` on are tested, which noise of the cells is drawn by."""
    return APART + first if network.perturbation.lasting else 0


def correlation(traces: Array, D: Array | None = None) -> float:
    """Mean squared correlation of two different units, 0 for independent ones.

    Parameters
    ----------
    traces : (samples, n) array
        Before decorrelation.
    D : (n, n) array, optional

    Returns
    -------
    float; NaN where fewer than two units vary.
    """
    x = traces if D is None else traces @ D.T
    varies = x.std(axis=0) > 1e-12
    if varies.sum() < 2:
        return float("nan")
    C = np.corrcoef(x[:, varies], rowvar=False)
    n = len(C)
    return float((np.sum(C**2) - n) / (n * (n - 1)))


def evaluations(updates: int, tests: int) -> list[int]:
    """Updates after which a network is evaluated on the way, the last among them unless `tests` is 0."""
    return [int(update) for update in np.linspace(0, updates, tests + 1)[1:]]


def judge(task: Task, evaluation: Evaluation, scores: Sequence[float]) -> dict[str, Any]:
    """Part of `Run.result` that compares a network with the trivial predictors.

    Parameters
    ----------
    task : Task
    evaluation : Evaluation
        On the task's unseen trials.
    scores : sequence of float
        Scores of the evaluations on the way.
    """
    trivial, trivial_scores = _trivial(task)
    score = task.final_score(evaluation.score, scores)
    sign = 1 if task.higher_is_better else -1
    if trivial_scores:
        beats = sign * score > max(sign * other for other in trivial_scores.values())
    else:
        beats = evaluation.loss < min(trivial.values())
    return {
        "test_loss": evaluation.loss,
        "score": score,
        "score_name": task.score_name,
        "trivial": trivial,
        "trivial_scores": trivial_scores,
        "beats_trivial": bool(beats),
        "rate": evaluation.rate,
        "silent": evaluation.silent,
        "saturated": evaluation.saturated,
    }


def _trivial(task: Task) -> tuple[dict[str, float], dict[str, float]]:
    """Losses and scores of the trivial predictors, which a task object keeps."""
    kept = vars(task)
    if _TRIVIAL not in kept:
        kept[_TRIVIAL] = task.trivial(), task.trivial_scores() if task.judged_by == "score" else {}
    trivial, scores = kept[_TRIVIAL]
    return dict(trivial), dict(scores)


def example(task: Task, evaluation: Evaluation) -> dict[str, Array]:
    """First lane of an evaluation, for `Run.example`."""
    trial = evaluation.trial
    lane = {
        "inputs": trial.inputs[:, 0],
        "outputs": evaluation.outputs[:, 0],
        "mask": np.asarray(trial.mask)[:, 0],
        "dt": np.array(float(task.dt)),
    }
    if evaluation.spikes is not None:
        lane["spikes"] = evaluation.spikes
    if task.plant is None:
        return lane | {"targets": trial.targets[:, 0]}
    return lane | {"observations": np.array(task.plant.observations)}

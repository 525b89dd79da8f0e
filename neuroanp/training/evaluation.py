"""`Tested`: what a network made of trials, without noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroanp.network.trial import Trial
from neuroanp.optim.decorrelation import correlation
from neuroanp.training.task import Task, loss

Array = NDArray[Any]

SEEN = 4096
"""Samples (steps x lanes) of a test that correlations are taken of."""


class Tested(NamedTuple):
    """What a network made of trials, without noise."""

    outputs: Array
    """(T, L, n_out) readout."""
    trial: Trial
    """The trials; in closed loop as they went: inputs that the network saw, mask, and what was charged."""
    loss: float
    """Mean over counted steps and lanes."""
    spikes: Array | None = None
    """(T, N) spikes of the first lane, of spiking cells."""
    rate: float | None = None
    """Mean rate of spiking cells in Hz."""
    correlation: float = float("nan")
    """Mean squared correlation of two hidden traces, as the synapses see them."""


def tested(network: Any, trial: Trial) -> Tested:
    """Run trials without noise, as many lanes at a time as the network has.

    Parameters
    ----------
    network : Network
        Left in the state that the last of them ended in.
    trial : Trial
        With any number of lanes.
    """
    width, model = trial.inputs.shape[2], network.model
    outputs = np.empty((trial.steps, trial.lanes, network.n_out))
    inputs, mask = trial.inputs.copy(), np.asarray(trial.mask).copy()
    charged, spikes, fired, alike = np.empty(mask.shape), None, 0.0, float("nan")
    for first in range(0, trial.lanes, network.lanes):
        chosen = np.arange(first, first + network.lanes) % trial.lanes
        record = network.run(dataclasses.replace(trial.lane(chosen), carry=False), sigma=0.0)
        lanes, count = slice(first, first + network.lanes), min(network.lanes, trial.lanes - first)
        outputs[:, lanes] = record.outputs[:, 0, :count]
        inputs[:, lanes] = record.inputs[:, :count, :width]
        mask[:, lanes] = record.mask[:, :count]
        charged[:, lanes] = record.loss[:, 0, :count]
        trace = record.course[1:, :count]
        if first == 0:
            seen = trace.reshape(-1, model.hidden)[-SEEN:]
            alike = correlation(seen, record.decorrelation.get("D_hidden"))
        if model.threshold is not None:
            fired += float(trace.sum())
            spikes = trace[:, 0] > 0 if spikes is None else spikes
    seconds = mask.size * record.dt
    rate = None if spikes is None else fired / (model.hidden * seconds)
    if trial.plant is None:
        return Tested(outputs, trial, loss(outputs, trial), spikes, rate, alike)
    course = dataclasses.replace(trial, inputs=inputs, mask=mask, charged=charged)
    return Tested(outputs, course, float((charged * mask).sum() / mask.sum()), spikes, rate, alike)


def judge(task: Task, tested: Tested, before: Sequence[float]) -> dict[str, Any]:
    """The part of `Run.result` that says how good a network is.

    Parameters
    ----------
    task : Task
    tested : Tested
        On the task's evaluation.
    before : sequence of float
        Scores of the tests on the way.
    """
    trivial = task.trivial()
    scores = task.trivial_scores() if task.judged_by == "score" else {}
    score = task.final_score(task.score(tested.outputs, tested.trial), before)
    sign = 1 if task.higher_is_better else -1
    beats = sign * score > max(sign * s for s in scores.values()) if scores else None
    return {
        "test_loss": tested.loss,
        "score": score,
        "score_name": task.score_name,
        "trivial": trivial,
        "trivial_scores": scores,
        "beats_trivial": bool(tested.loss < min(trivial.values()) if beats is None else beats),
        "rate": tested.rate,
    }


def example(task: Task, tested: Tested) -> dict[str, Array]:
    """The first lane of a test, as `Run.example` has it."""
    trial = tested.trial
    shown = {
        "inputs": trial.inputs[:, 0],
        "outputs": tested.outputs[:, 0],
        "mask": np.asarray(trial.mask)[:, 0],
        "dt": np.array(float(task.dt)),
    }
    if tested.spikes is not None:
        shown["spikes"] = tested.spikes
    if task.plant is None:
        return shown | {"targets": trial.targets[:, 0]}
    return shown | {"observations": np.array(task.plant.observations)}

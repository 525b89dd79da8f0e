"""Answers of a device to the passes of a trial, as a `Record` for modulator and rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.hardware.device import Perturbed, losses
from neuroanp.network.layout import Passes
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.types import Arrays


def board_record(
    passes: Passes,
    trial: Trial,
    answers: Sequence[Perturbed],
    noise: Arrays | None,
    weights: Arrays,
    task_loss: str | None,
) -> Record:
    """Record of one trial.

    Parameters
    ----------
    passes : Passes
    trial : Trial
    answers : sequence of Perturbed
        One a pass.
    noise : dict of arrays or None
        Noise that the host added to the weights; None where the device perturbed its nodes.
    weights : dict of arrays
    task_loss : str, optional
        Loss of the task, where it isn't the squared error.

    Raises
    ------
    InvalidValue
        For answers of other shapes than asked for.
    """
    where = "Device.run_trial" if noise is not None else "Device.perturb"
    absent = np.zeros((trial.steps, trial.lanes, 0))
    charged = [losses(where, each.outcome, trial, task_loss) for each in answers]
    outputs = [np.asarray(each.outcome, dtype=float) for each in answers]
    record = Record(
        passes=passes,
        loss=np.stack(charged, axis=1),
        mask=np.asarray(trial.mask, dtype=float),
        inputs=trial.inputs,
        trace=np.zeros((trial.steps + 1, trial.lanes, 0)),
        traces=absent,
        activity=absent,
        noise=absent,
        outputs=np.stack(outputs, axis=1) if outputs[0].shape == trial.targets.shape else absent,
        targets=trial.targets,
        noise_out=absent,
        weights=weights,
    )
    if noise is None:
        return dataclasses.replace(record, **_of_nodes(passes, trial, answers, weights))
    return dataclasses.replace(record, weight_noise=lambda: iter([noise]))


def _of_nodes(passes: Passes, trial: Trial, answers: Sequence[Perturbed], weights: Arrays) -> dict[str, Any]:
    """Arrays of a record that a device which perturbs its nodes gives."""
    steps, lanes, hidden = trial.steps, trial.lanes, len(weights["W_rec"])
    noisy = answers[passes.index("plus")]
    on_outputs = np.zeros(trial.targets.shape) if noisy.readout_noise is None else noisy.readout_noise
    of_cells: list[tuple[str, Any]] = [("noise", noisy.noise), *(("trace", each.trace) for each in answers)]
    _check("readout_noise", on_outputs, trial.targets.shape)
    for name, values in of_cells:
        _check(name, values, (steps, lanes, hidden))
    course = np.stack([np.asarray(each.trace, dtype=float) for each in answers], axis=1)
    bias = np.ones((steps, lanes, weights["W_in"].shape[1] - trial.inputs.shape[2]))
    return {
        "trace": np.concatenate([np.zeros((1, lanes, hidden)), passes.clean(course)]),
        "inputs": np.concatenate([trial.inputs, bias], axis=2),
        "noise": np.asarray(noisy.noise, dtype=float),
        "noise_out": np.asarray(on_outputs, dtype=float),
    }


def _check(name: str, values: Any, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        got = "none" if values is None else f"shape {np.shape(values)}"
        raise InvalidValue(f"Perturbed.{name}", f"shape {shape}", got)

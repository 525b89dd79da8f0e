"""`Device`: a board, or any black box, as the network that learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.trial import Trial
from neuroanp.types import Array


@runtime_checkable
class Device(Protocol):
    """Board, simulator of others, or any black box with weights, for `BoardTrainer`.

    A class needs no base: it has these methods. It may have ``restart()``, which is called after a trial that
    failed, and returns when the device can be written again; the weights may be gone by then.

    What goes wrong in a method is said by raising `TrialFailed`, or an `OSError`, as timeouts and lost
    connections are; other exceptions are mistakes in the program, and end the training.

    Examples
    --------
    >>> class Board:
    ...     def write_weights(self, weights):
    ...         self.port.send(weights)
    ...     def run_trial(self, trial):
    ...         return self.port.ask(trial.inputs)
    """

    def write_weights(self, weights: Mapping[str, Array]) -> None:
        """Take over all weights, by name."""

    def run_trial(self, trial: Trial) -> float | Array:
        """Outcome of one trial from rest, all of its L lanes, one after the other where it has one.

        Returns
        -------
        (T, L, n_out) outputs; (T, L) loss of each step; (L,) mean loss of each lane over the steps that
        count; or a number, that over all lanes.
        """


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Perturbed:
    """Trial of a device that perturbs its own nodes.

    Parameters
    ----------
    outcome : number or array
        As of `Device.run_trial`.
    noise : (T, L, N) array, optional
        Noise of the plus pass on each cell; zeros in a pass without.
    trace : (T, L, N) array, optional
        What synapses see of each cell at the end of a step: its rate or spike.
    readout_noise : (T, L, n_out) array, optional
        Noise of the plus pass on the outputs, where they are perturbed.
    """

    outcome: float | Array
    noise: Array | None = None
    trace: Array | None = None
    readout_noise: Array | None = None


@runtime_checkable
class PerturbingDevice(Device, Protocol):
    """Device that can perturb its nodes."""

    def perturb(self, trial: Trial, perturbation: Perturbation, seed: int, sign: int) -> Perturbed:
        """One pass of a trial, with noise on the nodes.

        Parameters
        ----------
        trial : Trial
        perturbation : Perturbation
            Standard deviation, distribution and hold of the noise.
        seed : int
            The same number asks for the same noise, as the other pass of a trial and one that is repeated
            do. A device whose noise can't be had again serves a rule of a single pass alone.
        sign : int
            1 for the noise, -1 for its negative, 0 for none.
        """


def losses(where: str, outcome: Any, trial: Trial, custom: str | None) -> Array:
    """Loss (T, L) of each step, from the outcome of a trial.

    A loss of the whole trial is charged at the last step that counts, so that it is the return of all before.

    Parameters
    ----------
    where : str
        Method that gave it, for messages.
    outcome : number or array
    trial : Trial
    custom : str, optional
        Loss of the task, where it isn't the squared error.

    Raises
    ------
    InvalidValue
        For another shape, and for outputs of a task with a loss of its own.
    """
    values, mask = np.asarray(outcome, dtype=float), np.asarray(trial.mask, dtype=float)
    if values.shape == trial.targets.shape:
        if custom is not None:
            raise InvalidValue(where, f"losses, as those of the task are {custom}", "outputs")
        return np.asarray(((values - trial.targets) ** 2).mean(axis=2))
    if values.shape == mask.shape:
        return values
    if values.shape not in ((), (trial.lanes,)):
        shapes = f"{trial.targets.shape}, {mask.shape}, {(trial.lanes,)} or a number"
        raise InvalidValue(where, f"an array of shape {shapes}", f"shape {values.shape}")
    last, lanes = len(mask) - 1 - np.argmax(mask[::-1] > 0, axis=0), np.arange(trial.lanes)
    charged = np.zeros(mask.shape)
    charged[last, lanes] = values * mask.sum(axis=0) / mask[last, lanes]
    return charged

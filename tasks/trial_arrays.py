"""Trials of one's own: arrays of inputs, targets and masks."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from brian2 import ms

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.tasks._trials import Trials, linear, read_array, read_file
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

NAMES = ("inputs", "targets", "masks", "test_inputs", "test_targets", "test_masks")
ORDER_SEED = 0
"""Seed of the one order in which trials are split."""
TAIL = 5
"""One training trial in so many is what a penalty is chosen on."""
LAGS = 20
"""Steps that the linear predictor on a window sees at most."""
SAMPLES = 10
"""Least number of training samples for each of its weights."""


class TrialArrays(Task):
    """Trials of one's own, as arrays: regression or classification of many trials of the same length.

    Arrays have the trials first, as recordings are mostly stored: inputs (trials, T, n_in). They are given in
    Python, or as a file of `numpy.savez` whose arrays have the names of the options. Targets are

    - (trials, T, n_out), or (trials, T) of one output: numbers for the readout at each step;
    - (trials,) numbers, held for the whole trial;
    - (trials,) labels, one for each trial, or (trials, T), one for each step: whole numbers or texts.

    Labels become one output a class. A trial is right where the output of its class, summed over the steps
    that count, is the largest; with labels for each step, each counts by itself. Values are shown as they
    are: scale inputs to about 1, and targets too.

    Held out are the test arrays, or else a part of the trials, in an order that is shuffled once and for all.

    Parameters
    ----------
    data : path, optional
        File, instead of arrays.
    inputs, targets : array
    masks : (trials, T) array, optional
        Weight of each step, 0 for those that don't count; shorter trials end in zeros. Ones when left out.
    test_inputs, test_targets, test_masks : array, optional
        Held-out trials.
    kind : str
        ``"classification"``, ``"regression"``, or ``"auto"``: classification for whole numbers and texts of
        one or two dimensions.
    dt : Quantity
        Length of a step.
    split : float
        Part of the trials for training, where no test arrays are given.

    Raises
    ------
    InvalidValue
        For shapes that don't agree, numbers that aren't finite, masks that are negative or count nothing.
    DataError
        For a file that can't be read, without what is needed, or with objects, which are never loaded.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> task = TrialArrays(inputs=rng.random((50, 30, 2)), targets=rng.integers(3, size=50))
    >>> task.trial(rng, lanes=4).targets.shape
    (30, 4, 3)
    """

    name = "trial-arrays"

    data: str | Path | None = option(
        None, f"file of numpy.savez with {', '.join(NAMES)}, the last four if any"
    )
    inputs: str | Path | Any = option(None, "array (trials, T, n_in), or a file of numpy.save")
    targets: str | Path | Any = option(None, "array (trials, T, n_out), (trials, T) or (trials,), or a file")
    masks: str | Path | Any = option(None, "array (trials, T), weight of each step, or a file")
    test_inputs: str | Path | Any = option(None, "inputs of held-out trials")
    test_targets: str | Path | Any = option(None, "targets of held-out trials")
    test_masks: str | Path | Any = option(None, "masks of held-out trials")
    kind: Literal["auto", "regression", "classification"] = option("auto", "meaning of the targets")
    dt: Any = option(1 * ms, "length of a step", unit="ms", above=0)  # type: ignore[misc]
    split: float = option(0.8, "part of the trials for training, without test arrays", above=0, below=1)

    @functools.cached_property
    def _given(self) -> Mapping[str, Any]:
        options = {name: getattr(self, name) for name in NAMES}
        given = {
            name: read_array(Path(value).expanduser()) if isinstance(value, (str, Path)) else value
            for name, value in options.items()
            if value is not None
        }
        if self.data is not None and given:
            raise InvalidValue(
                "TrialArrays.data", "either a file or arrays", f"both, with {', '.join(given)}"
            )
        found = given if self.data is None else read_file(Path(self.data).expanduser(), NAMES)
        tested = any(name.startswith("test_") for name in found)
        for name in ("inputs", "targets"):
            if name not in found or (tested and f"test_{name}" not in found):
                where = f"TrialArrays.{name if name not in found else f'test_{name}'}"
                raise InvalidValue(where, "an array, or a file that has it (--data FILE)", "none")
        return found

    @functools.cached_property
    def classes(self) -> tuple[Any, ...]:
        """Labels of the outputs, in order; empty for a regression."""
        labels = [np.asarray(self._given[n]) for n in ("targets", "test_targets") if n in self._given]
        if self.kind == "regression":
            return ()
        if not all(each.ndim in (1, 2) and each.dtype.kind in "iubUS" for each in labels):
            if self.kind == "auto":
                return ()
            got = f"{labels[0].dtype} of shape {labels[0].shape}"
            raise InvalidValue("TrialArrays.targets", "labels (trials,) or (trials, T)", got)
        known = np.unique(labels[0])
        for name in np.setdiff1d(labels[-1], known)[:1]:
            raise InvalidValue("TrialArrays.test_targets", f"labels of targets, {known.tolist()}", str(name))
        if len(known) < 2:
            raise InvalidValue("TrialArrays.targets", "at least two different labels", f"{known.tolist()}")
        return tuple(known.tolist())

    @functools.cached_property
    def _parts(self) -> tuple[Trials, Trials]:
        """Training and held-out trials."""
        given = self._given
        train = self._trials("", given)
        if "test_inputs" in given:
            test = self._trials("test_", given)
            for name in ("inputs", "targets"):
                ours, theirs = (getattr(part, name).shape[2] for part in (train, test))
                if ours != theirs:
                    raise InvalidValue(
                        f"TrialArrays.test_{name}", f"{ours} values a step, as in {name}", theirs
                    )
            return train, test
        order = np.random.default_rng(ORDER_SEED).permutation(len(train))
        count = round(self.split * len(train))
        if not 0 < count < len(train):
            expected = f"trials enough for two parts, {self.split:g} of them to train"
            raise InvalidValue("TrialArrays.inputs", expected, f"{len(train)} trials")
        return train.some(order[:count]), train.some(order[count:])

    def _trials(self, prefix: str, given: Mapping[str, Any]) -> Trials:
        where = f"TrialArrays.{prefix}"
        inputs = checks.array(f"{where}inputs", given[f"{prefix}inputs"], (None, None, None))
        count, steps, _ = inputs.shape
        if 0 in inputs.shape:
            raise InvalidValue(
                f"{where}inputs", "at least a trial, a step and an input", f"shape {inputs.shape}"
            )
        targets = self._targets(f"{where}targets", np.asarray(given[f"{prefix}targets"]), count, steps)
        masks = checks.array(
            f"{where}masks", given.get(f"{prefix}masks", np.ones((count, steps))), (count, steps)
        )
        if masks.min() < 0:
            trial, step = map(int, np.argwhere(masks < 0)[0])
            got = f"{masks[trial, step]:g} in trial {trial}, step {step}"
            raise InvalidValue(f"{where}masks", "weights of 0 or more", got)
        for trial in np.flatnonzero(~masks.any(axis=1))[:1]:
            expected = f"a step that counts in each of the {count} trials of {steps} steps"
            raise InvalidValue(f"{where}masks", expected, f"zeros alone in trial {trial}")
        return Trials(inputs, targets, masks)

    def _targets(self, where: str, targets: Array, count: int, steps: int) -> Array:
        """Targets (trials, T, n_out)."""
        if self.classes:
            shapes = [(count,), (count, steps)]
            if targets.shape not in shapes:
                raise InvalidValue(where, f"labels of shape {shapes[0]} or {shapes[1]}", f"{targets.shape}")
            one_hot = (targets[..., None] == np.array(self.classes)).astype(np.float64)
            return one_hot if targets.ndim == 2 else np.repeat(one_hot[:, None], steps, axis=1)
        if targets.ndim == 1:
            held = checks.array(where, targets, (count,))
            return np.repeat(held[:, None, None], steps, axis=1)
        if targets.ndim == 2:
            return checks.array(where, targets, (count, steps))[:, :, None]
        values = checks.array(where, targets, (count, steps, None))
        if values.shape[2] == 0:
            raise InvalidValue(where, "at least one output", f"shape {values.shape}")
        return values

    @property
    def n_in(self) -> int:
        return self._parts[0].inputs.shape[2]

    @property
    def n_out(self) -> int:
        return self._parts[0].targets.shape[2]

    @property
    def score_name(self) -> str:  # type: ignore[override]
        return f"fraction of {self._unit}s right" if self.classes else Task.score_name

    @property
    def _unit(self) -> str:
        return "step" if np.ndim(self._given["targets"]) == 2 else "trial"

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Training trials, one for each lane: (T, lanes, n)."""
        train = self._parts[0]
        return train.some(rng.integers(len(train), size=lanes)).shown()

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out trials, a lane each; the same for every `rng`."""
        return self._parts[1].shown()

    def fitting(self, lanes: int) -> Iterator[tuple[Trial, bool]]:
        """Training trials, one in five of them apart."""
        train = self._parts[0]
        numbers = np.arange(len(train))
        for apart in (False, True):
            chosen = numbers[(numbers % TAIL == TAIL - 1) == apart]
            for first in range(0, len(chosen), lanes):
                yield train.some(chosen[first : first + lanes]).shown(lanes), apart

    def score(self, outputs: Array, trial: Trial) -> float:
        """Fraction right of a classification, part of the variance explained of a regression."""
        if not self.classes:
            return super().score(outputs, trial)
        mask = np.asarray(trial.mask)
        if self._unit == "step":
            right = outputs.argmax(axis=2) == trial.targets.argmax(axis=2)
            return float(right[mask > 0].mean())
        named = (outputs * mask[:, :, None]).sum(axis=0).argmax(axis=1)
        return float((named == trial.targets[0].argmax(axis=1)).mean())

    def trivial(self) -> dict[str, float]:
        """Test loss of the mean of the training targets, and of linear predictors."""
        trial = self._parts[1].shown()
        return {name: loss(outputs, trial) for name, outputs in self._guesses.items()}

    def trivial_scores(self) -> dict[str, float]:
        """Fraction right of the same predictors, of a classification."""
        trial = self._parts[1].shown()
        guesses = self._guesses if self.classes else {}
        return {name: self.score(outputs, trial) for name, outputs in guesses.items()}

    @functools.cached_property
    def _guesses(self) -> dict[str, Array]:
        """Outputs (T, trials, n_out) of trivial predictors for the held-out trials."""
        train, test = self._parts
        mean = np.average(train.targets, axis=(0, 1), weights=train.masks)
        guesses = {"mean": np.broadcast_to(mean, test.shown().targets.shape)}
        guesses["linear on the present"] = linear(train, test, 1)
        lags = min(LAGS, train.inputs.shape[1], int((train.masks > 0).sum()) // (SAMPLES * self.n_in))
        if lags > 1:
            guesses[f"linear on the last {lags} steps"] = linear(train, test, lags)
        return guesses

"""Arrays of many trials: files of them, and linear predictors."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from neuroanp.errors import DataError
from neuroanp.network.trial import Trial
from neuroanp.storage import READING
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, eq=False)
class Trials:
    """Trials: inputs (n, T, n_in), targets (n, T, n_out) and masks (n, T)."""

    inputs: Array
    targets: Array
    masks: Array

    def __len__(self) -> int:
        return len(self.inputs)

    def some(self, chosen: Array) -> Trials:
        """Trials of these numbers."""
        return Trials(self.inputs[chosen], self.targets[chosen], self.masks[chosen])

    def shown(self, lanes: int | None = None) -> Trial:
        """Trial with a lane for each; where there are fewer than `lanes`, the last lanes don't count."""
        missing = 0 if lanes is None else lanes - len(self)
        chosen = np.append(np.arange(len(self)), np.zeros(missing, int))
        masks = self.masks[chosen].copy()
        masks[len(self) :] = 0
        return Trial(self.inputs[chosen].swapaxes(0, 1), self.targets[chosen].swapaxes(0, 1), masks.T)


def read_file(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """Arrays of a file of `numpy.savez`, of these names; `DataError` for any other file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if isinstance(file, np.ndarray):
                raise DataError(f"{path}: expected a file of numpy.savez, got one of numpy.save")
            other = sorted(set(file.files) - set(names))
            if other:
                raise DataError(f"{path}: expected arrays {', '.join(names)}, got {', '.join(other)}")
            return {name: file[name] for name in file.files}
    except (OSError, *READING) as error:
        raise DataError(f"{path}: cannot be read as a file of numpy.savez: {error}") from error


def read_array(path: Path) -> Array:
    """Array of a file of `numpy.save`; `DataError` for any other file."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, *READING) as error:
        raise DataError(f"{path}: cannot be read as a file of numpy.save: {error}") from error
    if not isinstance(values, np.ndarray):
        values.close()
        raise DataError(f"{path}: expected a file of numpy.save, got one of numpy.savez")
    return values


def lagged(trials: Trials, lags: int) -> Array:
    """Inputs of the last `lags` steps (n, T, lags n_in + 1), the first ones again before the first, and 1."""
    steps = np.arange(trials.inputs.shape[1])
    past = [trials.inputs[:, np.maximum(steps - lag, 0)] for lag in range(lags)]
    return np.concatenate([*past, np.ones((*trials.masks.shape, 1))], axis=2)


def linear(train: Trials, test: Trials, lags: int) -> Array:
    """Outputs (T, trials, n_out) of the least squares on the last `lags` inputs, by the weights of masks."""
    root = np.sqrt(train.masks)[:, :, None]
    x, y = ((values * root).reshape(-1, values.shape[2]) for values in (lagged(train, lags), train.targets))
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    return np.asarray((lagged(test, lags) @ weights).swapaxes(0, 1))

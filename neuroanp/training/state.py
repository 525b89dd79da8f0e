"""`TrainingState`: weights, states and history of a training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.types import Array, Arrays

UPDATES = ("update", "loss", "seconds")
"""Columns of the history with a row an update."""

TESTS = ("test_update", "test_loss", "test_score", "test_correlation")
"""Columns of the history with a row an evaluation."""


@dataclasses.dataclass(kw_only=True)
class TrainingState:
    """Weights, states of the parts of a recipe, and history.

    Attributes
    ----------
    weights : dict of arrays
    decorrelation : dict of arrays
        ``D_in`` and ``D_hidden``; empty without decorrelation.
    modulator, rule : dict of arrays
        States of these parts.
    optimizer : list of dicts of arrays
        State of each stage from the estimate to the change of the weights.
    update : int
        Updates made.
    history : dict of lists
        By the names in `UPDATES` and `TESTS`.
    """

    weights: Arrays
    decorrelation: Arrays
    modulator: Arrays
    rule: Arrays
    optimizer: list[Arrays]
    update: int = 0
    history: dict[str, list[float]] = dataclasses.field(
        default_factory=lambda: {name: [] for name in (*UPDATES, *TESTS)}
    )

    def note(self, names: tuple[str, ...], values: tuple[float, ...]) -> None:
        """Append values to the history."""
        for name, value in zip(names, values, strict=True):
            self.history[name].append(value)

    def mark(self) -> int:
        """Number that changes with the weights and the decorrelating matrices."""
        matrices = (*self.weights.items(), *self.decorrelation.items())
        return hash(tuple((name, hash(values.tobytes())) for name, values in matrices))

    def arrays(self) -> Arrays:
        """State as arrays by path, such as ``"optimizer/1/m.W_rec"``, for a NumPy archive."""
        branches = dataclasses.asdict(self)
        branches["history"] = {
            name: np.array(values, dtype=int if name.endswith("update") else float)
            for name, values in self.history.items()
        }
        return dict(_leaves("", branches))

    @classmethod
    def restored(cls, arrays: Mapping[str, Array]) -> TrainingState:
        """State of which `arrays` are the arrays, to the bit."""
        branches: dict[str, Any] = {field.name: {} for field in dataclasses.fields(cls)}
        for path, values in arrays.items():
            *way, leaf = path.split("/")
            branch = branches
            for name in way:
                branch = branch.setdefault(name, {})
            if leaf:
                branch[leaf] = values
        stages = branches.pop("optimizer")
        history = {name: values.tolist() for name, values in branches.pop("history").items()}
        optimizer = [stages[key] for key in sorted(stages, key=int)]
        return cls(**branches | {"update": int(branches["update"])}, optimizer=optimizer, history=history)


def finite(values: Array) -> bool:
    """True if all values are finite; tries the cheap sum of squares first."""
    return math.isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())


def joined(parts: Mapping[str, Arrays]) -> Arrays:
    """Arrays of several parts, by path."""
    return {f"{part}/{name}": values for part, arrays in parts.items() for name, values in arrays.items()}


def parted(arrays: Arrays, *parts: str) -> list[Arrays]:
    """Arrays that belong to none of the parts, and those of each."""
    split: dict[str, Arrays] = {part: {} for part in ("", *parts)}
    for path, values in arrays.items():
        part, _, name = path.partition("/")
        if part in parts:
            split[part][name] = values
        else:
            split[""][path] = values
    return list(split.values())


def _leaves(path: str, branch: Any) -> Iterator[tuple[str, Array]]:
    if isinstance(branch, dict | list):
        items = list(branch.items()) if isinstance(branch, dict) else list(enumerate(branch))
        for name, inner in items:
            yield from _leaves(f"{path}/{name}" if path else str(name), inner)
        if not items:
            yield f"{path}/", np.zeros(0)
    else:
        yield path, np.array(branch)

"""Files of a run folder, read and checked: what damage or hands made of them is refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp import storage
from neuroanp.errors import DataError
from neuroanp.network.layout import DECORRELATING, PROJECTIONS
from neuroanp.training.result import RESULT_KEYS
from neuroanp.types import Array

CONFIG, RESULT = "config.json", "result.json"
"""Files of a run folder that say what was trained, and that it ended."""

OF_EXAMPLE = {
    "inputs": (2, "fiu"), "outputs": (2, "fiu"), "mask": (1, "fiub"), "targets": (2, "fiub"),
    "dt": (0, "fiu"), "spikes": (2, "fiub"), "observations": (1, "U"),
}  # fmt: skip
"""Axes and kinds of the arrays in an example."""

LATER = ("silent", "saturated")
"""Entries that results of earlier versions don't have."""

WIRING = ("rec_targets", "rec_delays")
NEEDED = ("W_in", "W_rec", "W_out")


def read(folder: Path) -> dict[str, Any]:
    """Arguments of `Run` from the files in a folder; `DataError` for what no run can have written."""
    config = storage.read_json(folder / CONFIG)
    higher_is_better = config.pop("higher_is_better", True)
    _check(folder / CONFIG, "higher_is_better", higher_is_better, "true or false")
    _check_config(folder / CONFIG, config)
    result = dict.fromkeys(LATER) | storage.read_json(folder / RESULT)
    _check_result(folder / RESULT, result)
    history = storage.read_history(folder / "history.csv")
    if missing := [name for name in ("update", "loss") if name not in history]:
        raise DataError(f"{folder / 'history.csv'}: expected columns update and loss, got no {missing[0]}")
    weights = storage.read_arrays(folder / "weights.npz")
    _check_weights(folder / "weights.npz", weights)
    missing = sorted(DECORRELATING.keys() - weights.keys())
    if config.get("recipe", {}).get("decorrelation") and missing:
        raise DataError(f"{folder / 'weights.npz'}: expected {missing[0]} of a decorrelated run, got none")
    example = None
    if (folder / "example.npz").exists():
        example = storage.read_arrays(folder / "example.npz")
        _check_example(folder / "example.npz", example)
        n_out, shown = len(weights["W_out"]), example["outputs"].shape[1]
        if n_out != shown:
            raise DataError(f"{folder / 'example.npz'}: expected {n_out} outputs, as of W_out, got {shown}")
    return {
        "config": config, "result": result, "history": history, "weights": weights, "example": example,
        "higher_is_better": higher_is_better,
    }  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_levels(value: Any) -> bool:
    """True for numbers by name; they may not be finite, which null says in JSON."""
    return isinstance(value, dict) and all(
        str(name).isprintable() and (level is None or _is_number(level)) for name, level in value.items()
    )


KINDS: dict[str, Callable[[Any], bool]] = {
    "a text": lambda value: isinstance(value, str) and value.isprintable(),
    "true or false": lambda value: isinstance(value, bool),
    "a whole number of 0 or more": _is_count,
    "a number": _is_number,
    "a number or null": lambda value: value is None or _is_number(value),
    "numbers by name": _is_levels,
    "settings by name": lambda value: isinstance(value, dict),
}
"""Tests of what JSON can hold, by their name in messages."""

OF_RESULT = {
    "a text": ("task", "model", "rule", "engine", "score_name"),
    "a whole number of 0 or more": ("seed", "updates", "trials"),
    "a number": ("seconds",),
    "a number or null": ("train_loss", "test_loss", "score", "rate", "silent", "saturated"),
    "numbers by name": ("trivial", "trivial_scores"),
    "true or false": ("beats_trivial",),
}
OF_CONFIG = {
    "settings by name": ("task", "recipe"),
    "a whole number of 0 or more": ("seed", "tests"),
    "a text": ("engine", "dtype"),
}


def _check(path: Path, name: str, value: Any, kind: str) -> None:
    if not KINDS[kind](value):
        raise DataError(f"{path}: {name}: expected {kind}, got {value!r}")


def _check_config(path: Path, config: Mapping[str, Any]) -> None:
    for kind, names in OF_CONFIG.items():
        for name in names:
            if name in config:
                _check(path, name, config[name], kind)
    _check(path, "recipe.updates", config.get("recipe", {}).get("updates", 0), "a whole number of 0 or more")


def _check_result(path: Path, result: dict[str, Any]) -> None:
    if different := sorted(result.keys() ^ set(RESULT_KEYS)):
        fault = "unknown" if different[0] in result else "missing"
        raise DataError(f"{path}: {different[0]} is {fault}; expected {', '.join(RESULT_KEYS)}")
    for kind, names in OF_RESULT.items():
        for name in names:
            _check(path, name, result[name], kind)
    for name in OF_RESULT["numbers by name"]:
        levels = result[name].items()
        result[name] = {key: math.nan if level is None else level for key, level in levels}


def _check_weights(path: Path, weights: Mapping[str, Array]) -> None:
    known = (*PROJECTIONS, *DECORRELATING, *WIRING)
    for name in NEEDED:
        if name not in weights:
            raise DataError(f"{path}: expected {', '.join(NEEDED)}, got no {name}")
    for name, values in weights.items():
        if name not in known:
            raise DataError(f"{path}: expected weights of {', '.join(known)}, got {name!r}")
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise DataError(f"{path}: {name}: expected finite numbers, got {values.dtype} that is not")
    shapes = {name: values.shape for name, values in weights.items()}
    if (
        (W_in := weights["W_in"]).ndim != 2
        or (W_out := weights["W_out"]).ndim != 2
        or not W_in.size * W_out.size
    ):
        raise DataError(f"{path}: expected W_in (N, n_in) and W_out (n_out, N), got {shapes}")
    (hidden, n_in), n_out = W_in.shape, len(W_out)
    skip = (n_out, n_in * max(1, weights["W_skip"].size // (n_in * n_out))) if "W_skip" in weights else ()
    targets = weights.get(WIRING[0], np.zeros((hidden, 0)))
    expected = {
        "W_in": (hidden, n_in), "W_out": (n_out, hidden), "D_in": (n_in, n_in), "D_hidden": (hidden, hidden),
        "W_rec": (targets.size,) if WIRING[0] in weights else (hidden, hidden), "W_skip": skip,
        "rec_targets": (hidden, targets.size // hidden), "rec_delays": (hidden,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if shape != expected[name]:
            raise DataError(f"{path}: {name}: expected shape {expected[name]}, got {shape}")
    if len(set(WIRING) & set(weights)) == 1:
        raise DataError(f"{path}: expected both of {' and '.join(WIRING)}, got one")


def _check_example(path: Path, example: Mapping[str, Array]) -> None:
    """Refuse an example other than `Run.example`."""
    needed = {"inputs", "outputs", "mask", "dt", "observations" if "observations" in example else "targets"}
    if missing := sorted(needed - example.keys()):
        raise DataError(f"{path}: expected {', '.join(sorted(needed))}, got no {missing[0]}")
    steps = example["mask"].size
    for name, values in example.items():
        if name not in OF_EXAMPLE:
            raise DataError(f"{path}: expected arrays of {', '.join(OF_EXAMPLE)}, got {name!r}")
        axes, kinds = OF_EXAMPLE[name]
        if values.ndim != axes or not values.size or ("f" in kinds and axes and len(values) != steps):
            expected = f"an array of {axes} axes, as of {steps} steps"
            raise DataError(f"{path}: {name}: expected {expected}, got shape {values.shape}")
        if values.dtype.kind not in kinds:
            expected = "numbers" if "f" in kinds else "names"
            raise DataError(f"{path}: {name}: expected {expected}, got {values.dtype}")
        if name in ("inputs", "mask", "targets", "dt") and not np.isfinite(values).all():
            raise DataError(f"{path}: {name}: expected finite numbers, got others")
    if not example["dt"] > 0 or example["mask"].min() < 0:
        raise DataError(f"{path}: expected dt above 0 and mask of 0 or more, got others")

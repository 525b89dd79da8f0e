"""Checkpoint of a training: a file of arrays from which it goes on to the bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp import storage
from neuroanp.config import document
from neuroanp.errors import DataError, InvalidValue
from neuroanp.training.loop import Trainer
from neuroanp.training.run_files import CONFIG, RESULT
from neuroanp.training.state import TESTS, UPDATES
from neuroanp.training.task import Task
from neuroanp.types import Array, Arrays

FILE = "checkpoint.npz"
FORMAT = 1
OWN = ("config", "engine")
"""Entries of a training's checkpoint beside the arrays of `Trainer.get_state`."""
GROWING = ("history/", "network/W_rec.spikes")
"""Arrays with an entry an update, an evaluation, or a spike under way."""
FORMED = ("modulator/", "rule/")
"""Arrays that a part may form in the course of a training."""


def save(path: Path, trainer: Trainer) -> None:
    """Write a checkpoint file, whole or not at all.

    Raises
    ------
    SaveFailed
        Where it can't be written.
    """
    own = {"config": np.array(storage.json_line(trainer.config)), "engine": np.array(trainer.engine)}
    write(path, trainer.get_state() | own)


def write(path: Path, state: Arrays) -> None:
    """Write arrays by name, with a format and a digest; `SaveFailed` where they can't be written."""
    state = state | {"format": np.array(FORMAT)}
    with storage.replaced(path) as draft:
        storage.write_arrays(draft, state | {"digest": np.array(_digest(state))}, compressed=False)


def read(path: Path, *names: str) -> Arrays:
    """Arrays that `write` wrote, these names among them; `DataError` for a damaged, altered or newer file."""
    arrays = storage.read_arrays(path)
    missing = [name for name in ("format", "digest", *names) if name not in arrays]
    if missing:
        raise DataError(f"{path}: expected a checkpoint, found no {missing[0]}")
    if arrays["format"].shape != () or arrays["format"].dtype.kind not in "iu":
        raise DataError(f"{path}: expected a format number, got {arrays['format'].dtype}")
    if arrays["format"] > FORMAT:
        newer = f"written by a newer NeuroANP (format {arrays['format']}); this one reads {FORMAT}"
        raise DataError(f"{path}: {newer}")
    if str(arrays.pop("digest")) != _digest(arrays):
        raise DataError(f"{path}: altered since it was written")
    del arrays["format"]
    return arrays


def load(folder: Path | str, task: Task | None = None) -> Trainer:
    """Training that goes on from the checkpoint in a run folder, to the bit.

    Parameters
    ----------
    folder : Path or str
    task : Task, optional
        The task of the training, where the folder can't hold it: one with arrays or functions in it.

    Raises
    ------
    DataError
        For a folder without a checkpoint, a damaged or altered one, one of a newer version, and settings that
        name a class which isn't imported.
    """
    folder = Path(folder)
    arrays = _read(folder)
    config = _settings(folder, arrays)
    given = {"start": None} if task is None else {"start": None, "task": task}
    settings = document.restore({name: value for name, value in config.items() if name not in given}) | given
    try:
        trainer = Trainer(**settings | {"engine": str(arrays["engine"])})
    except TypeError as error:
        raise DataError(f"{folder / CONFIG}: expected the settings of a training ({error})") from None
    trainer.config = config
    _set_state(folder, trainer, arrays)
    return trainer


def go_on(folder: Path, trainer: Trainer) -> None:
    """Have a new trainer go on from the checkpoint in a run folder, to the bit.

    Raises
    ------
    DataError
        For a folder without a checkpoint, a damaged or altered one, and one of another training.
    """
    arrays = _read(folder)
    same = _essential(_settings(folder, arrays)) == storage.finite(_essential(trainer.config))
    if not same or str(arrays["engine"]) != trainer.engine:
        raise DataError(f"{folder / FILE}: expected the checkpoint of this training, got another's")
    _set_state(folder, trainer, arrays)


def _set_state(folder: Path, trainer: Trainer, arrays: Arrays) -> None:
    state = {name: values for name, values in arrays.items() if name not in OWN}
    _check(folder / FILE, state, trainer)
    trainer.set_state(state)


def check_goes_on(folder: Path, trainer: Trainer) -> None:
    """Check that a training may write over the checkpoint in a folder: it is its own, of no later update.

    Raises
    ------
    InvalidValue
        For the checkpoint of another training, and for one with updates that would be lost.
    """
    arrays = _read(folder)
    settings = _essential(_settings(folder, arrays)), _essential(trainer.config)
    if settings[0] != storage.finite(settings[1]) or arrays["update"] > trainer.state.update:
        expected = "a new one, or that of this training so far: neuroanp.resume goes on with another"
        raise InvalidValue("run folder", expected, str(folder))


def _read(folder: Path) -> Arrays:
    path = folder / FILE
    if not path.exists():
        if (folder / RESULT).exists():
            raise DataError(
                f"{folder}: this run is finished; nap.train(start=...) and --start go on from its weights"
            )
        raise DataError(f"{folder}: expected a run folder with {FILE}, found none")
    return read(path, *OWN)


def _digest(arrays: Mapping[str, Array]) -> str:
    """SHA-256 of names, types, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {values.dtype.str} {arrays[name].shape}".encode())
        total.update(values.tobytes())
    return total.hexdigest()


def _settings(folder: Path, arrays: Arrays) -> dict[str, Any]:
    """Settings in a checkpoint, which have to be those of its folder."""
    config = storage.parse_json(f"{folder / FILE}: config", str(arrays["config"]))
    if _essential(storage.read_json(folder / CONFIG)) != _essential(config):
        expected = "the settings that the checkpoint was made with, got others"
        raise DataError(f"{folder / CONFIG}: expected {expected}")
    return config


def _essential(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in document.NOT_SETTINGS}


def _check(path: Path, arrays: Mapping[str, Array], trainer: Trainer) -> None:
    """Refuse arrays of another training."""
    check_arrays(path, arrays, trainer.get_state())
    for name, values in arrays.items():
        if not name.startswith("history/") and np.isnan(values).any():
            raise DataError(f"{path}: {name}: expected numbers, got nan")
        counts = name.startswith("optimizer/") and name.endswith("/updates")
        if counts and not ((values >= 0) & (values <= arrays["update"])).all():
            raise DataError(f"{path}: {name}: expected 0 to {arrays['update']} updates, got {values}")
    _check_history(path, arrays, trainer.recipe.updates)


def check_arrays(path: Path, arrays: Mapping[str, Array], like: Mapping[str, Array]) -> None:
    """Check of names, types and shapes, beside those of a state of the same training; `DataError`."""
    different = {name for name in arrays.keys() - like.keys() if not name.startswith(FORMED)}
    different |= {name for name in like.keys() - arrays.keys() if name not in FORMED}
    for name in sorted(different)[:1]:
        fault = "unknown" if name in arrays else "missing"
        raise DataError(f"{path}: {name} is {fault}, as in a checkpoint of another training")
    for name, values in arrays.items():
        form, got = _form(name, like.get(name, values)), _form(name, values)
        if form != got or (name not in like and values.dtype.kind not in "fiub"):
            raise DataError(f"{path}: expected {name} as {form}, got {got}")


def _form(name: str, values: Array) -> str:
    shape = ("any", *values.shape[1:]) if name.startswith(GROWING) and values.ndim else values.shape
    return f"{values.dtype} of shape {shape}"


def _check_history(path: Path, arrays: Mapping[str, Array], asked: int) -> None:
    updates = int(arrays["update"])
    rows = {len(arrays[f"history/{name}"]) for name in UPDATES}
    if not 0 <= updates <= asked or rows != {updates}:
        history = f"a history of {updates} updates of {asked}"
        raise DataError(f"{path}: expected {history}, got {sorted(rows)} rows")
    for name in ("loss", "seconds"):
        if not np.isfinite(arrays[f"history/{name}"]).all():
            raise DataError(f"{path}: history/{name}: expected finite numbers, got others")
    made, tested = arrays["history/update"], arrays["history/test_update"]
    uneven = len({len(arrays[f"history/{name}"]) for name in TESTS}) > 1
    if uneven or (np.diff(tested) <= 0).any() or not np.isin(tested, made).all():
        raise DataError(f"{path}: expected a test in a row of its own after some updates, got others")
    if (made != np.arange(1, updates + 1)).any():
        raise DataError(f"{path}: expected updates from 1 to {updates} in the history, got others")

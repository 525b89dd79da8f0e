"""Run folders: JSON, histories and arrays of a run on disk, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import json
import lzma
import math
import os
import shutil
import struct
import tempfile
import tokenize
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.errors import DataError, InvalidValue, SaveFailed
from neuroanp.types import Array, Arrays

SPARSE = "test_"
"""Prefix of the columns of a history with a row an evaluation."""

READING = (
    ValueError, TypeError, KeyError, EOFError, RuntimeError, SyntaxError, OverflowError, MemoryError,
    struct.error, tokenize.TokenError, lzma.LZMAError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""Errors of NumPy and its archive with a damaged file, which may ask for any size, method or password."""

DEEPEST = 60
"""Levels of objects and lists in JSON."""


def check_folder(folder: Path | str) -> None:
    """Check that a run folder can be made at this path; leaves nothing behind.

    Raises
    ------
    InvalidValue
        If something other than an empty folder is there, or nothing can be written there.
    """
    folder = Path(folder)
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise InvalidValue("run folder", "a path that is new or an empty folder", str(folder))
        parent = folder.absolute().parent
        while not parent.exists():
            parent = parent.parent
        probe = parent / _hidden(folder)
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        reason = f"{folder} ({error.strerror or error})"
        raise InvalidValue("run folder", "a place that can be written", reason) from None


@contextlib.contextmanager
def new_folder(folder: Path | str) -> Iterator[Path]:
    """Hidden folder beside `folder`, renamed to it when the block ends, removed when the block fails.

    Raises
    ------
    SaveFailed
        If `folder` can't be written.
    """
    folder = Path(folder)
    draft = folder.absolute().parent / _hidden(folder)
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        if folder.is_dir():
            folder.rmdir()
        os.rename(draft, folder)
    except OSError as error:
        raise SaveFailed(f"{folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def filled_folder(folder: Path, last: str) -> Iterator[Path]:
    """Hidden folder inside `folder`, whose files take their places when the block ends, `last` as the last.

    Raises
    ------
    SaveFailed
        If `folder` can't be written.
    """
    draft = folder / ".draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        yield draft
        for file in sorted(draft.iterdir(), key=lambda file: file.name == last):
            os.replace(file, folder / file.name)
    except OSError as error:
        raise SaveFailed(f"{folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Hidden file beside `path` that takes its place, on the disk, when the block ends.

    Raises
    ------
    SaveFailed
        If it can't be written; `path` is what it was.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise SaveFailed(f"{path}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def fallbacks(folder: Path) -> Iterator[Path]:
    """New folders where a run can go when there is no room in `folder`: temporary files, here, and home."""
    for place in (tempfile.gettempdir(), Path.cwd(), Path.home()):
        yield Path(place) / f"{folder.absolute().name}-{uuid.uuid4().hex[:8]}"


def _hidden(folder: Path) -> str:
    return f".{folder.absolute().name}-{uuid.uuid4().hex[:8]}"


def json_line(value: Any) -> str:
    """JSON of `value` on one line, with null for numbers that are not finite."""
    return json.dumps(finite(value), allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """JSON of `value` as a file to read, with null for numbers that are not finite."""
    path.write_text(json.dumps(finite(value), allow_nan=False, indent=2) + "\n", encoding="utf-8")


def finite(value: Any) -> Any:
    """`value` with None for numbers that are not finite, and NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def read_json(path: Path | str) -> dict[str, Any]:
    """Object in a JSON file; `DataError` when it is missing, damaged or not an object."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path}: expected JSON, got text that is not ({error})") from None
    return parse_json(str(path), text)


def parse_json(where: str, text: str) -> dict[str, Any]:
    """Object of a JSON text; `DataError` for other text, names given twice and too deep a nesting."""
    deep = f"{where}: expected JSON at most {DEEPEST} levels deep, got more"
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise DataError(deep) from None
    except ValueError as error:
        raise DataError(f"{where}: expected JSON, got text that is not ({error})") from None
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, got {type(value).__name__}")
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [item for branch in level for item in _branches(branch)]
    if level:
        raise DataError(deep)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name that is given twice")
    return value


def _branches(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def write_history(path: Path, history: Mapping[str, Array]) -> None:
    """`history` as CSV, a row an update; ``test_*`` columns are blank at updates without an evaluation.

    Parameters
    ----------
    path : Path
    history : mapping
        ``update`` and other arrays of its length; ``test_update`` and other ``test_*`` arrays of its length.
    """
    dense = [name for name in history if not name.startswith(SPARSE)]
    sparse = [name for name in history if name.startswith(SPARSE) and name != f"{SPARSE}update"]
    rows: dict[int, dict[str, Any]] = {}
    for names, key in ((dense, "update"), (sparse, f"{SPARSE}update")):
        for name in names:
            for update, value in zip(history[key], history[name], strict=True):
                rows.setdefault(int(update), {"update": int(update)})[name] = _number(value)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["update", *[name for name in dense if name != "update"], *sparse])
        writer.writeheader()
        writer.writerows(rows[update] for update in sorted(rows))


def _number(value: Any) -> int | float:
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def read_history(path: Path) -> Arrays:
    """History that `write_history` wrote, as arrays; `DataError` when the file is missing or damaged."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), list(reader.fieldnames or [])
        if len(set(names)) < len(names) or any(None in row or None in row.values() for row in rows):
            raise ValueError("columns of one name, or rows of another length")
        dense = [name for name in names if name != "update" and not name.startswith(SPARSE)]
        history = _columns(rows, "update", dense)
        sparse = [name for name in names if name.startswith(SPARSE)]
        if sparse:
            history |= _columns(rows, f"{SPARSE}update", sparse)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
        raise DataError(f"{path}: expected a table of numbers by update ({error})") from None
    return history


def _columns(rows: list[dict[str, str]], key: str, names: list[str]) -> Arrays:
    filled = [row for row in rows if any(row[name] for name in names)] if names else rows
    columns: Arrays = {key: np.array([int(row["update"]) for row in filled], dtype=int)}
    if (np.diff(columns[key]) <= 0).any() or (columns[key] < 0).any():
        raise ValueError("updates that don't rise from row to row")
    return columns | {name: np.array([float(row[name]) for row in filled]) for name in names}


def write_arrays(path: Path, arrays: Mapping[str, Array], compressed: bool = True) -> None:
    """`arrays` by name, as NumPy saves them."""
    save = np.savez_compressed if compressed else np.savez
    with path.open("wb") as file:
        save(file, **{name: np.asarray(value) for name, value in arrays.items()})  # type: ignore[arg-type]


def read_arrays(path: Path) -> Arrays:
    """Arrays of an npz file; `DataError` when it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except READING as error:
        raise DataError(f"{path}: expected arrays as NumPy saves them ({error})") from None
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray):
            raise DataError(f"{path}: expected arrays as NumPy saves them, got {name!r} that is none")
    return {name: np.asarray(values, order="C") for name, values in arrays.items()}

"""Place of a sweep: its file, the folder of run folders beside it, and the lock."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from neuroanp.errors import InvalidValue
from neuroanp.sweeps.work import LOCKS

WHERE = "sweep.out"


def folder_of(path: Path) -> Path:
    """Folder of run folders beside the file of a sweep."""
    return path.with_name(f"{path.name}.runs")


def check_place(path: Path) -> None:
    """Make the folder that a sweep's file is in.

    Raises
    ------
    InvalidValue
        Where no file can be, and for a new file beside the run folders of an earlier sweep.
    """
    if not path.name or path.is_dir():
        raise InvalidValue(WHERE, "a path for a file", str(path))
    folder = folder_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not folder.is_dir():
            raise InvalidValue(WHERE, f"another path, as {folder} is a file", str(path))
        if not path.exists():
            check_alone(path)
    except OSError as error:
        reason = f"{path} ({error.strerror or error})"
        raise InvalidValue(WHERE, "a place that can be written", reason) from None


def check_alone(path: Path) -> None:
    """Check that there are no runs, for a file that has none: their results would be taken for its own."""
    folder = folder_of(path)
    if folder.is_dir() and any(not rest.name.startswith(".") for rest in folder.iterdir()):
        expected = f"another path, or that the folder of an earlier sweep be gone, {folder}"
        raise InvalidValue(WHERE, expected, str(path))


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Lock of a sweep's file: one process at a time goes on with it; `InvalidValue` where another does."""
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        expected = "a sweep that no other process is running"
        raise InvalidValue(WHERE, expected, f"{path}, which one is") from None
    except OSError as error:
        reason = f"{path} ({error.strerror or error})"
        raise InvalidValue(WHERE, "a place that can be written", reason) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def run_folders(path: Path) -> Iterator[tuple[Path, str]]:
    """Folder of a sweep's run folders, and the file in it that tells it from others.

    What killed workers have left is removed.
    """
    folder = folder_of(path)
    folder.mkdir(exist_ok=True)
    for rest in folder.glob(".*"):
        if rest.is_file():
            rest.unlink()
        elif rest.name != LOCKS:
            shutil.rmtree(rest)
    (folder / LOCKS).mkdir(exist_ok=True)
    token = f".{uuid.uuid4().hex}"
    (folder / token).touch()
    try:
        yield folder, token
    finally:
        (folder / token).unlink(missing_ok=True)

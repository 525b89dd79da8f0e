"""Recordings of events on disk: what a reader gives, and the checksum of a published file."""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from neuroanp.errors import DataError
from neuroanp.types import Array


class Recordings(abc.ABC):
    """Recordings of one part, for training or held out, which are read when they are asked for.

    Attributes
    ----------
    labels : (n,) array of int
        Class of each, from 0.
    """

    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    @abc.abstractmethod
    def events(self, chosen: Array) -> Iterator[tuple[Array, Array]]:
        """Events of each of the recordings `chosen`: times in seconds and channels, two arrays of one length.

        Raises
        ------
        DataError
            For a recording that can't be read, or has an event that no recording of this form can have.
        """


def checked(path: Path, number: int, times: Array, channels: Array, count: int) -> tuple[Array, Array]:
    """Events of recording `number` in `path`, as floats and whole numbers.

    Raises
    ------
    DataError
        For numbers of times and channels that differ, for a time before 0 or that isn't finite, and for a
        channel that isn't one of the first `count`.
    """
    where = f"{path}: recording {number}"
    if times.ndim != 1 or times.shape != channels.shape:
        raise DataError(
            f"{where}: expected a time and a channel an event, got {times.shape}, {channels.shape}"
        )
    wrong = np.flatnonzero(~((times >= 0) & np.isfinite(times)))
    if len(wrong):
        raise DataError(f"{where}: expected times of 0 s or more, got {times[wrong[0]]}")
    wrong = np.flatnonzero((channels < 0) | (channels >= count))
    if len(wrong):
        raise DataError(f"{where}: expected channels from 0 to {count - 1}, got {channels[wrong[0]]}")
    return times.astype(np.float64), channels.astype(np.intp)


def check_published(path: Path, known: dict[str, str]) -> None:
    """Check of the MD5 sum of a file that has the name of a published one; other names pass.

    Raises
    ------
    DataError
        For another sum.
    """
    expected = known.get(path.name)
    if expected is None:
        return
    try:
        stat = path.stat()
        found = _md5(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if found != expected:
        raise DataError(
            f"{path}: expected the published file, whose MD5 sum is {expected}, got one of {found}: "
            "get it again, or say --no-task.verify (verify=False in Python) for a file of your own"
        )


@lru_cache(maxsize=8)
def _md5(path: Path, modified: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

"""Neuromorphic MNIST: name a digit from what an event camera saw of it (N-MNIST)."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.errors import DataError
from neuroanp.storage import READING
from neuroanp.tasks._events import EventTask
from neuroanp.tasks._recordings import Recordings, check_published, checked
from neuroanp.types import Array

SIDE = 34
BYTES = 5
OVERFLOW_Y, OVERFLOW = 240, 2**13
DIGITS = tuple("0123456789")
PUBLISHED = {
    "Train.zip": "20959b8e626244a1b502305a9e6e2031",
    "Test.zip": "69ca8762b2fe404d9b9bad1103e97832",
}
"""MD5 sums of the archives."""

SOURCE = "https://www.garrickorchard.com/datasets/n-mnist"

ORCHARD = """@article{orchard2015converting,
  author = {Orchard, Garrick and Jayawant, Ajinkya and Cohen, Gregory K. and Thakor, Nitish},
  title = {Converting static image datasets to spiking neuromorphic datasets using saccades},
  journal = {Frontiers in Neuroscience},
  volume = {9},
  pages = {437},
  year = {2015},
  doi = {10.3389/fnins.2015.00437}
}"""


class NeuromorphicMNIST(EventTask):
    """Classification of a handwritten digit from the events of a camera that moves before it.

    The recordings are those of N-MNIST, 60,000 for training and 10,000 held out: 34 x 34 pixels, each of
    which says when it became brighter or darker in three movements of about 100 ms. They come from the user's
    disk: `data` is a folder with ``Train.zip`` and ``Test.zip``, which
    https://www.garrickorchard.com/datasets/n-mnist offers, or with what they hold, ``Train/0/*.bin`` to
    ``Test/9/*.bin``. The archives are read as they are, and have a checksum. In a file an event has five
    bytes: x, y, and 24 bits of which the first is 1 for brighter and the others the time in microseconds.

    `pool` x `pool` pixels share two inputs, one for brighter and one for darker. One more input is 1 in the
    decision period, the only one that counts. The target is one-hot.

    References
    ----------
    Orchard, Jayawant, Cohen, Thakor. Converting static image datasets to spiking neuromorphic datasets using
    saccades. Frontiers in Neuroscience 9, 437 (2015).
    """

    name = "n-mnist"
    sources = (ORCHARD,)
    n_out = len(DIGITS)

    data: str | None = option(None, "folder with Train.zip and Test.zip, or with folders Train and Test")
    duration: Any = option(300 * ms, "time that is shown of a recording", unit="ms", above=0)
    pool: int = option(3, "pixels along each side of the square that shares two inputs", least=1, most=SIDE)

    @property
    def recordings(self) -> tuple[Recordings, Recordings]:
        train, test = (self._part(name) for name in ("Train", "Test"))
        return train, test

    def _part(self, name: str) -> Recordings:
        if self.data is not None:
            folder = Path(self.data).expanduser()
            archive = folder / f"{name}.zip"
            if (folder / name).is_dir():
                return _unpacked(folder / name, _modified(folder / name))
            if archive.is_file():
                if self.verify:
                    check_published(archive, PUBLISHED)
                return _packed(archive, archive.stat().st_mtime_ns)
        raise DataError(
            f"NeuromorphicMNIST.data: expected a folder with {name} or {name}.zip, got {self.data!r}. "
            f"They aren't downloaded: get Train.zip and Test.zip from {SOURCE}, and pass the folder with "
            "--data PATH, or NeuromorphicMNIST(data=PATH) in Python"
        )

    @property
    def inputs(self) -> int:
        return 2 * self._across**2

    @property
    def _across(self) -> int:
        return -(-SIDE // self.pool)

    def input_of(self, channels: Array) -> Array:
        polarity, y, x = np.unravel_index(channels, (2, SIDE, SIDE))
        return (polarity * self._across + y // self.pool) * self._across + x // self.pool


class _Files(Recordings):
    """Recordings of one part, a file each, in a folder or an archive for each digit."""

    def __init__(self, path: Path, names: list[str], read: Callable[[str], bytes]) -> None:
        self.path, self._read = path, read
        self._names = sorted(name for name in names if _is_recording(PurePosixPath(name)))
        self.labels = np.array([int(PurePosixPath(name).parent.name) for name in self._names], np.intp)
        missing = sorted(set(range(len(DIGITS))) - set(self.labels.tolist()))
        if missing:
            empty = ", ".join(map(str, missing))
            raise DataError(f"{path}: expected files *.bin in folders 0 to 9, got none in {empty}")

    def events(self, chosen: Array) -> Iterator[tuple[Array, Array]]:
        for number in chosen.tolist():
            path = self.path / self._names[number]
            try:
                content = self._read(self._names[number])
            except (OSError, *READING) as error:
                raise DataError(f"{path}: cannot be read: {error}") from error
            yield checked(path, number, *_decoded(path, content), 2 * SIDE * SIDE)


def _decoded(path: Path, content: bytes) -> tuple[Array, Array]:
    """Times in seconds and channels (polarity, y, x) of the events of a file."""
    if len(content) % BYTES:
        raise DataError(f"{path}: expected {BYTES} bytes an event, got {len(content)} bytes")
    x, y, high, middle, low = np.frombuffer(content, np.uint8).reshape(-1, BYTES).astype(np.int64).T
    overflow = y == OVERFLOW_Y
    time = (((high & 127) << 16) | (middle << 8) | low) + OVERFLOW * np.cumsum(overflow)
    for name, place in (("x", x), ("y", y)):
        wrong = place[~overflow & (place >= SIDE)]
        if len(wrong):
            raise DataError(f"{path}: expected {name} from 0 to {SIDE - 1}, got {wrong[0]}")
    channels = ((high >> 7) * SIDE + y) * SIDE + x
    return time[~overflow] / 1e6, channels[~overflow]


def _is_recording(name: PurePosixPath) -> bool:
    return name.suffix == ".bin" and name.parent.name in DIGITS and not name.name.startswith(".")


def _modified(folder: Path) -> tuple[int, ...]:
    """Times at which files were added to the folders of the digits."""
    return tuple((folder / digit).stat().st_mtime_ns for digit in DIGITS if (folder / digit).is_dir())


@lru_cache(maxsize=4)
def _unpacked(folder: Path, modified: tuple[int, ...]) -> Recordings:
    names = [f"{digit}/{path.name}" for digit in DIGITS for path in (folder / digit).glob("*")]
    return _Files(folder, names, lambda name: (folder / name).read_bytes())


@lru_cache(maxsize=4)
def _packed(path: Path, modified: int) -> Recordings:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, *READING) as error:
        raise DataError(f"{path}: cannot be read as an archive: {error}") from error
    return _Files(path, archive.namelist(), archive.read)

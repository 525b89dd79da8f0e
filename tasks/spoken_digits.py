"""Spoken digits: name what is said from the spikes of a model of the inner ear (SHD, SSC)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import DataError, MissingExtra
from neuroanp.storage import READING
from neuroanp.tasks._events import EventTask
from neuroanp.tasks._recordings import Recordings, check_published, checked
from neuroanp.types import Array

CHANNELS = 700
MOST_CLASSES = 1000
KINDS = {"spikes/times": "fiu", "spikes/units": "iu"}
"""Kinds of numbers that the events have."""

PUBLISHED = {
    "shd_train.h5": "8e9877c85f29a28dd353ea6a54402667",
    "shd_test.h5": "207ad1295a0ab611e22d1734989c254e",
}
"""MD5 sums of the files, unpacked."""

SOURCE = "https://zenkelab.org/datasets"

CRAMER = """@article{cramer2022heidelberg,
  author = {Cramer, Benjamin and Stradmann, Yannik and Schemmel, Johannes and Zenke, Friedemann},
  title = {The {Heidelberg} spiking data sets for the systematic evaluation of spiking neural networks},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  volume = {33},
  number = {7},
  pages = {2744--2757},
  year = {2022},
  doi = {10.1109/TNNLS.2020.3044364}
}"""


class SpokenDigits(EventTask):
    """Classification of a spoken digit from the spikes of 700 channels of a model of the inner ear.

    The recordings are the Spiking Heidelberg Digits, 8,156 for training and 2,264 held out, of the digits in
    English and German: 20 classes. With ``dataset="ssc"`` they are the Spiking Speech Commands, 35 classes;
    its validation part isn't used. They come from the user's disk: `data` is a folder with the unpacked
    files ``shd_train.h5`` and ``shd_test.h5``, which https://zenkelab.org/datasets offers. Files of one's own
    are named after `dataset` too, and have ``spikes/times`` (in seconds) and ``spikes/units``, an array for
    each recording, and ``labels``, whole numbers from 0.

    `pool` neighbouring channels share an input. One more input is 1 in the decision period, the only one
    that counts. The target is one-hot.

    References
    ----------
    Cramer, Stradmann, Schemmel, Zenke. The Heidelberg spiking data sets for the systematic evaluation of
    spiking neural networks. IEEE TNNLS 33, 2744 (2022).
    """

    name = "spoken-digits"
    sources = (CRAMER,)

    data: str | None = option(None, "folder with the files shd_train.h5 and shd_test.h5")
    dataset: str = option("shd", "beginning of the files' names: shd, ssc, or that of files of your own")
    pool: int = option(10, "neighbouring channels that share an input", least=1, most=CHANNELS)

    @property
    def recordings(self) -> tuple[Recordings, Recordings]:
        names = [f"{self.dataset}_{part}.h5" for part in ("train", "test")]
        folder = None if self.data is None else Path(self.data).expanduser()
        if folder is None or not all((folder / name).is_file() for name in names):
            raise DataError(
                f"SpokenDigits.data: expected a folder with {names[0]} and {names[1]}, got {self.data!r}. "
                f"They aren't downloaded: get them from {SOURCE}, unpack them, and pass the folder with "
                "--data PATH, or SpokenDigits(data=PATH) in Python"
            )
        train, test = (self._part(folder / name) for name in names)
        return train, test

    def _part(self, path: Path) -> Recordings:
        if self.verify:
            check_published(path, PUBLISHED)
        return _opened(path, path.stat().st_mtime_ns)

    @property
    def inputs(self) -> int:
        return -(-CHANNELS // self.pool)

    def input_of(self, channels: Array) -> Array:
        return channels // self.pool


class _File(Recordings):
    """Recordings of one HDF5 file, which is open only while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._h5py = _h5py()
        try:
            with self._h5py.File(path, "r") as file:
                sizes = {name: self._array(file, name).shape for name in KINDS}
                self.labels = self._array(file, "labels")[()]
        except (OSError, *READING) as error:
            raise DataError(f"{path}: cannot be read as HDF5: {error}") from error
        if self.labels.ndim != 1 or not len(self.labels) or set(sizes.values()) != {self.labels.shape}:
            got = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise DataError(f"{path}: expected a label for each recording, got {self.labels.shape}, {got}")
        if self.labels.dtype.kind not in "iu" or self.labels.min() < 0 or self.labels.max() >= MOST_CLASSES:
            raise DataError(f"{path}: expected labels to be whole numbers from 0, below {MOST_CLASSES}")
        self.labels = self.labels.astype(np.intp)

    def _array(self, file: Any, name: str) -> Any:
        """Array of this name; `DataError` where there is none, or events without a row for each recording."""
        array = file.get(name)
        if not isinstance(array, self._h5py.Dataset):
            raise DataError(f"{self.path}: expected an array {name}, got none")
        row = self._h5py.check_vlen_dtype(array.dtype)
        if name in KINDS and (row is None or np.dtype(row).kind not in KINDS[name]):
            raise DataError(f"{self.path}: expected {name} to hold an array of numbers for each recording")
        return array

    def events(self, chosen: Array) -> Iterator[tuple[Array, Array]]:
        try:
            with self._h5py.File(self.path, "r") as file:
                times, units = file["spikes/times"], file["spikes/units"]
                for number in chosen.tolist():
                    yield checked(self.path, number, times[number], units[number], CHANNELS)
        except (OSError, *READING) as error:
            raise DataError(f"{self.path}: cannot be read as HDF5: {error}") from error


@lru_cache(maxsize=4)
def _opened(path: Path, modified: int) -> Recordings:
    return _File(path)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingExtra("h5py", "events") from None
    return h5py

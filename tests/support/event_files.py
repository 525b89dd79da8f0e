"""Small recordings of events in the forms of the published ones: SHD's HDF5, N-MNIST's folders."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

Events = tuple[np.ndarray, np.ndarray]


def write_hdf5(path: Path, recordings: Iterable[Events], labels: np.ndarray) -> Path:
    """File of recordings, each times in seconds and units, as SHD's."""
    import h5py

    with h5py.File(path, "w") as file:
        shape = (len(labels),)
        times = file.create_dataset("spikes/times", shape, h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", shape, h5py.vlen_dtype(np.uint16))
        for row, (time, unit) in enumerate(recordings):
            times[row], units[row] = time.astype(np.float16), unit.astype(np.uint16)
        file["labels"] = labels.astype(np.uint16)
        file["extra/speaker"] = np.zeros(shape, np.uint16)
    return path


def spoken(rng: np.random.Generator, label: int, classes: int, events: int = 150) -> Events:
    """Recording of 80 ms whose units are those of its class, noisily."""
    units = np.clip(rng.normal(700 * (label + 0.5) / classes, 40, events), 0, 699)
    return np.sort(rng.uniform(0, 0.08, events)), units.astype(int)


def spoken_folder(
    folder: Path, name: str = "own", classes: int = 4, sizes: tuple[int, int] = (80, 40)
) -> Path:
    """Folder with two files of made-up recordings."""
    rng = np.random.default_rng(5)
    for part, size in zip(("train", "test"), sizes, strict=True):
        labels = np.arange(size) % classes
        write_hdf5(folder / f"{name}_{part}.h5", [spoken(rng, label, classes) for label in labels], labels)
    return folder


def camera(x: np.ndarray, y: np.ndarray, polarity: np.ndarray, microseconds: np.ndarray) -> bytes:
    """File of events, five bytes each, as N-MNIST's."""
    bits = (f"{a:08b}{b:08b}{c:b}{d:023b}" for a, b, c, d in zip(x, y, polarity, microseconds, strict=True))
    return b"".join(int(word, 2).to_bytes(5, "big") for word in bits)


def seen(rng: np.random.Generator, label: int, events: int = 60) -> bytes:
    """Recording of 40 ms of a bright column, another one for each digit."""
    x = np.clip(rng.normal(3 * label + 2, 1, events), 0, 33).astype(int)
    times = np.sort(rng.integers(0, 40_000, events))
    return camera(x, rng.integers(34, size=events), rng.integers(2, size=events), times)


def camera_folder(folder: Path, packed: bool = False, sizes: tuple[int, int] = (40, 20)) -> Path:
    """Folder with two parts of made-up recordings, in folders or in archives."""
    rng = np.random.default_rng(5)
    for part, size in zip(("Train", "Test"), sizes, strict=True):
        files = {f"{part}/{n % 10}/{n:05d}.bin": seen(rng, n % 10) for n in range(size)}
        if packed:
            with zipfile.ZipFile(folder / f"{part}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
            continue
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder

"""File of weather observations: download, checksum, copy in the cache, columns."""

from __future__ import annotations

import csv
import hashlib
import math
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from neuroanp.errors import DataError
from neuroanp.types import Array

SHA256 = "153fead3ea2a83dc5c4127d3994af6b167322f6f5e292c99491f43a2caf14cd4"
SOURCES = (
    "https://drive.google.com/uc?export=download&id=1UBRz-aM_57i_KCC-iaSWoKDPTGGv6EaG",
    "https://bj.bcebos.com/paddlets/WTH.csv",
)
TIMEOUT = 30
LARGEST = 16_000_000

TARGET = "DryBulbFarenheit"
COLUMNS = (
    "Visibility", TARGET, "WetBulbFarenheit", "DewPointFarenheit", "RelativeHumidity", "WindSpeed",
    "WindDirection", "StationPressure", "Altimeter",
)  # fmt: skip


def cached_copy() -> Path:
    """Path of the downloaded file."""
    return user_cache_path("neuroanp") / "data" / "WTH.csv"


def fetch() -> Path:
    """File in the user's cache folder, downloaded first unless a sound copy is there.

    Raises
    ------
    DataError
        When no source answers with the file that the checksum is of, or it cannot be kept.
    """
    path = cached_copy()
    if path.is_file() and _checksum(path.read_bytes()) == SHA256:
        return path
    failures = []
    for source in SOURCES:
        try:
            with urllib.request.urlopen(source, timeout=TIMEOUT) as answer:
                content = answer.read(LARGEST)
        except (OSError, HTTPException) as error:
            failures.append(f"{source}: {error}")
            continue
        content = content.replace(b"\r\n", b"\n")
        if _checksum(content) == SHA256:
            _keep(path, content)
            return path
        failures.append(f"{source}: the checksum is not that of the expected file")
    raise DataError(
        "Weather.data: no copy of the weather observations here and none could be downloaded ("
        + "; ".join(failures)
        + "). Pass the file WTH.csv with --data PATH, or Weather(data=PATH) in Python"
    )


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(path: Path, content: bytes) -> None:
    """Atomic write: the whole file or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(part, path)
        except OSError:
            os.unlink(part)
            raise
    except OSError as error:
        raise DataError(f"Weather.data: cannot keep the downloaded file at {path}: {error}") from error


def read(path: Path) -> Array:
    """Columns `COLUMNS` of a file, (hours, 9).

    Raises
    ------
    DataError
        For a file that is missing or not text, for missing columns, and for a cell that is not a
        finite number, with its row (the header is row 1) and column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    header = rows[0] if rows else []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(f"{path}: missing columns {', '.join(missing)}; it has {', '.join(header) or 'none'}")
    places = {name: header.index(name) for name in COLUMNS}
    return np.array(
        [
            [_number(path, line, row, name, place) for name, place in places.items()]
            for line, row in enumerate(rows[1:], start=2)
            if row
        ]
    )


def _number(path: Path, line: int, row: list[str], name: str, place: int) -> float:
    cell = row[place] if place < len(row) else ""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path}: row {line}, column {name}: expected a finite number, got {cell!r}")
    return value

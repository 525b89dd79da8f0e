"""File of weather observations: download, checksum, copy in the cache, columns."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

from platformdirs import user_cache_path

from neuroanp.errors import DataError
from neuroanp.tasks import _table

SHA256 = "153fead3ea2a83dc5c4127d3994af6b167322f6f5e292c99491f43a2caf14cd4"
SOURCES = (
    "https://drive.google.com/uc?export=download&id=1UBRz-aM_57i_KCC-iaSWoKDPTGGv6EaG",
    "https://bj.bcebos.com/paddlets/WTH.csv",
)
TIMEOUT = 30
LARGEST = 16_000_000

TIME, TIME_FORMAT, HOUR = "date", "%m/%d/%Y %H:%M", 3600.0
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


def read(path: Path) -> _table.Table:
    """Columns `COLUMNS` of a file, (hours, 9), in stretches of an hour from row to row.

    Raises
    ------
    DataError
        For a file that is missing or not text, for missing columns, for a cell that is not a finite number,
        with its row (the header is row 1) and column, and for dates that don't go on by an hour or more.
    """
    names = _table.opened(path).names
    missing = [name for name in (TIME, *COLUMNS) if name not in names]
    if missing:
        raise DataError(f"{path}: missing columns {', '.join(missing)}; it has {', '.join(names) or 'none'}")
    return _table.read(path, COLUMNS, time=TIME, time_format=TIME_FORMAT, step=HOUR)

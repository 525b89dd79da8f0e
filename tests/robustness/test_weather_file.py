"""The file of observations: what is wrong with it is said, and a download is whole or not there."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroanp.errors import DataError
from neuroanp.tasks import Weather, _weather_file

CONTENT = b"date,Visibility\n0,10\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder and a file on disk in place of the sources."""
    source = tmp_path / "source.csv"
    source.write_bytes(CONTENT)
    path = tmp_path / "cache" / "data" / "WTH.csv"
    monkeypatch.setattr(_weather_file, "cached_copy", lambda: path)
    monkeypatch.setattr(_weather_file, "SOURCES", ((tmp_path / "gone.csv").as_uri(), source.as_uri()))
    monkeypatch.setattr(_weather_file, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    return path


def test_columns_are_found_by_name(small_file: Callable[..., Path]) -> None:
    path = small_file(hours=4)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    values = _weather_file.read(path).values
    assert values.shape == (4, 9)
    path.write_text("\n".join(",".join(reversed(line)) for line in lines) + "\n\n")
    np.testing.assert_array_equal(_weather_file.read(path).values, values)


def test_missing_columns_are_named(small_file: Callable[..., Path]) -> None:
    path = small_file(drop=("WindSpeed", "Altimeter"))
    with pytest.raises(DataError, match=r"small\.csv: missing columns WindSpeed, Altimeter; it has date,"):
        Weather(data=str(path)).series  # noqa: B018


@pytest.mark.parametrize("cell", ["M", "", "nan", "inf"])
def test_a_cell_that_is_not_a_number_is_named(small_file: Callable[..., Path], cell: str) -> None:
    path = small_file(cells={(7, "WindSpeed"): cell})
    with pytest.raises(DataError, match=rf"row 9, column WindSpeed: expected a finite number, got '{cell}'"):
        _weather_file.read(path)


def test_a_row_that_ends_early(small_file: Callable[..., Path]) -> None:
    path = small_file(hours=3)
    path.write_text(path.read_text() + "01/01/2010 03:00,10.0\n")
    with pytest.raises(DataError, match="row 5, column DryBulbFarenheit"):
        _weather_file.read(path)


@pytest.mark.parametrize(("content", "message"), [(b"", "it has none"), (b"\xff\xfe\x00", "cannot be read")])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        _weather_file.read(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Weather\.data: expected a file of obs.*, got '.*nowhere\.csv'"):
        Weather(data=str(tmp_path / "nowhere.csv")).series  # noqa: B018


def test_download_is_kept_and_used_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _weather_file.fetch() == cache
    assert cache.read_bytes() == CONTENT
    assert list(cache.parent.iterdir()) == [cache]
    monkeypatch.setattr(_weather_file, "SOURCES", ())
    assert _weather_file.fetch() == cache


def test_line_ends_of_another_system_are_the_same_file(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "source.csv").write_bytes(CONTENT.replace(b"\n", b"\r\n"))
    assert _weather_file.fetch().read_bytes() == CONTENT


def test_a_damaged_copy_is_downloaded_again(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(CONTENT[:5])
    _weather_file.fetch()
    assert cache.read_bytes() == CONTENT


def test_offline_says_how_to_pass_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_weather_file, "SOURCES", _weather_file.SOURCES[:1])
    with pytest.raises(DataError, match=r"gone\.csv.*--data PATH, or Weather\(data=PATH\)"):
        Weather().series  # noqa: B018
    assert not cache.exists()


def test_another_file_at_the_source_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_weather_file, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="the checksum is not that of the expected file"):
        _weather_file.fetch()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.parent.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot keep the downloaded file"):
        _weather_file.fetch()


def test_a_failed_write_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_weather_file.os, "replace", full)
    with pytest.raises(DataError, match="No space left on device"):
        _weather_file.fetch()
    assert list(cache.parent.iterdir()) == []


def test_the_checksum_is_that_of_the_real_observations(observations: Path) -> None:
    assert hashlib.sha256(observations.read_bytes()).hexdigest() == _weather_file.SHA256

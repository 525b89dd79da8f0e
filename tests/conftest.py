"""What all tests share: no window for figures, a build cache of their own, data real and made up."""

import csv
import datetime
import gc
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroanp.engine import NoCompiler
from neuroanp.engine.build.compiler import find_compiler

pytest.register_assert_rewrite("support")
pytest_plugins = ["support.devices"]
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_configure(config):
    """Keep compiled networks from one test run to the next, beside pytest's own cache."""
    if hasattr(config, "cache"):
        os.environ.setdefault("NEUROANP_CACHE", str(config.cache.mkdir("neuroanp")))


def _skip_without_compiler(item):
    """A test that asks for the compiled engine by name is skipped where there is no compiler."""
    try:
        return (yield)
    except NoCompiler as error:
        if find_compiler() is None:
            pytest.skip(str(error))
        raise


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_skip_without_compiler)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_skip_without_compiler)


@pytest.fixture(scope="module", autouse=True)
def heap():
    """Leave what is older than a module's tests out of garbage collection, which every run of Brian2 does."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared():
    """The folder with reference updates and data, which lies beside the repository."""
    folder = Path(os.environ.get("NEUROANP_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared folder is not beside the repository; name it in NEUROANP_SHARED")
    return folder


@pytest.fixture(scope="session")
def observations(shared: Path) -> Path:
    """The real weather observations, which are not part of the repository."""
    path = shared / "data" / "WTH.csv"
    if not path.is_file():
        pytest.skip("no weather observations: set NEUROANP_SHARED to the folder that has data/WTH.csv")
    return path


@pytest.fixture
def small_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a made-up file of observations; `cells` replaces cells by (hour, column)."""
    from neuroanp.tasks import _weather_file

    def write(
        hours: int = 500, cells: dict[tuple[int, str], str] | None = None, drop: tuple[str, ...] = ()
    ) -> Path:
        noise = np.random.default_rng(5).normal(size=(hours, len(_weather_file.COLUMNS)))
        values = np.cumsum(noise, axis=0).round(3).tolist()
        columns = [name for name in ("date", *_weather_file.COLUMNS, "DewPointCelsius") if name not in drop]
        path = tmp_path / "small.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            start = datetime.datetime(2010, 1, 1)
            for hour, row in enumerate(values):
                record = dict(zip(_weather_file.COLUMNS, row, strict=True))
                record |= {
                    "date": f"{start + datetime.timedelta(hours=hour):%m/%d/%Y %H:%M}",
                    "DewPointCelsius": -999,
                }
                record |= {name: cell for (at, name), cell in (cells or {}).items() if at == hour}
                writer.writerow(record)
        return path

    return write

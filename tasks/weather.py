"""Weather: forecast the temperature from hourly observations."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.errors import DataError
from neuroanp.models import LeakyTanhRNN
from neuroanp.optim import Adam
from neuroanp.tasks import _weather_file
from neuroanp.tasks._series import Course, SeriesTask, forecast, forecasting
from neuroanp.tasks._table import Table
from neuroanp.training.recipe import Recipe
from neuroanp.types import Array

LEAST_TRAINING = 100

ZHOU = """@inproceedings{zhou2021informer,
  author = {Zhou, Haoyi and Zhang, Shanghang and Peng, Jieqi and Zhang, Shuai and Li, Jianxin and Xiong, Hui
    and Zhang, Wancai},
  title = {Informer: beyond efficient transformer for long sequence time-series forecasting},
  booktitle = {Proceedings of the AAAI Conference on Artificial Intelligence},
  volume = {35},
  number = {12},
  pages = {11106--11115},
  year = {2021},
  doi = {10.1609/aaai.v35i12.17325}
}"""


class Weather(SeriesTask):
    """Forecast of the dry-bulb temperature at a US station, `ahead` hours on, from nine hourly observations.

    Observations of 2010 to 2013 from NOAA's local climatological data: the twelve columns of the file
    used in forecasting benchmarks, less the three that repeat a Fahrenheit column in Celsius. A step
    is an hour. Each column is centred on its mean and divided by its range in the training part, the
    target too: a loss of 0.0001 is 1 % of the range of temperatures. The training part holds the
    extremes of every column, so the loss equals that of the published scaling over all data.
    The first `train_hours` hours are for training, the rest is held out.

    References
    ----------
    Zhou et al. Informer: beyond efficient transformer for long sequence time-series forecasting. AAAI 2021.
    """

    name = "weather"
    sources = (ZHOU,)
    presets = ("best", "published", "hidden")
    n_out = 1

    ahead: int = option(24, "hours from the present to the temperature; usual are 1, 24 and 48", least=1)
    data: str | None = option(None, "file of observations (WTH.csv); downloaded when not given")
    train_hours: int = option(33_600, "hours for training, from the start of the file")
    window: int = option(96, "steps in a training window")
    washout: int = option(48, "steps at the start of a window that don't count")

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole(self, self.ahead + LEAST_TRAINING, "train_hours")

    @property
    def n_in(self) -> int:
        return self.taps * len(_weather_file.COLUMNS)

    @property
    def series(self) -> Course:
        path = _downloaded() if self.data is None else Path(self.data).expanduser()
        if not path.is_file():
            raise DataError(f"Weather.data: expected a file of observations, got {str(path)!r}")
        return _series(path, path.stat().st_mtime_ns, self.ahead, self.train_hours)

    def trivial(self) -> dict[str, float]:
        temperature = _weather_file.COLUMNS.index(_weather_file.TARGET)
        return {
            "persistence": self.level(lambda steps: self.series.inputs[steps, temperature, None]),
            "linear on the present": self.linear_level(1),
            "linear on the last 72 h": self.linear_level(72),
        }

    def recipe(self, preset: str) -> Recipe:
        """Units that remember from an hour to two days, beside a readout of the last two days.

        ``"hidden"`` leaves the direct connection out, to compare what hidden units learn.
        """
        general = super().recipe(preset).replace(updates=300)
        if preset == "best":
            return forecasting(general, self.washout + 1)
        if preset == "published":
            return general
        return general.replace(
            model=LeakyTanhRNN(recurrent_gain=0.5), optimizer=Adam(lr=3e-3, readout_lr=3e-2)
        )


@lru_cache(maxsize=1)
def _downloaded() -> Path:
    return _weather_file.fetch()


@lru_cache(maxsize=2)
def _observations(path: Path, modified: int) -> Table:
    return _weather_file.read(path)


@lru_cache(maxsize=8)
def _series(path: Path, modified: int, ahead: int, train_hours: int) -> Course:
    observations = _observations(path, modified)
    hours = len(observations.values)
    if hours <= train_hours + ahead:
        raise DataError(
            f"{path}: expected more than {train_hours + ahead} hours (train_hours + ahead), got {hours}"
        )
    temperature = _weather_file.COLUMNS.index(_weather_file.TARGET)
    scaled = _scale(observations.values, train_hours)
    return forecast(scaled, [temperature], ahead, train_hours, observations.stretches)


def _scale(observations: Array, train_hours: int) -> Array:
    train = observations[:train_hours]
    with np.errstate(over="ignore"):
        span = train.max(axis=0) - train.min(axis=0)
    span[span == 0] = 1
    for place in np.flatnonzero(~np.isfinite(span))[:1]:
        name = _weather_file.COLUMNS[place]
        raise DataError(f"Weather.data: column {name}: expected observations, got numbers too large for them")
    return (observations - train.mean(axis=0)) / span

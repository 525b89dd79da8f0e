"""`Store`: the file of a sweep, an SQLite study of Optuna, to which one process writes.

A trial is a point. Its user attributes hold the outcome of each seed, ``"seed 3"``; outcomes of the seeds to
report, ``"report 7 103"`` (point and seed), and the settings, ``"sweep"``, are attributes of the study. Each
write is one transaction, so a kill leaves the state before it or after it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from neuroanp import storage
from neuroanp.errors import DataError
from neuroanp.sweeps import EXTRA
from neuroanp.sweeps.outcome import Outcome
from neuroanp.sweeps.sampling import STUDY, Proposal, quiet
from neuroanp.sweeps.space import Label
from neuroanp.training.tables import required

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

WAITING = {"connect_args": {"timeout": 60}}
"""Seconds that a reader or writer waits for another, as SQLite is told."""
SETTINGS, OF_STUDY, SEED, REPORT = "sweep", "study", "seed ", "report "
"""Keys of attributes, the last two before numbers."""
NEEDED = ("task", "vary", "units", "seeds", "report_seeds", "points", "objective", "direction", "sampler")
"""Settings that a sweep's file has at least."""

State = Literal["open", "finished", "diverged", "pruned", "failed"]


@dataclasses.dataclass
class Point:
    """Point of a sweep, and what came of it so far.

    Attributes
    ----------
    number : int
    values : dict
        Labels by dotted name.
    outcomes : dict
        By seed.
    state : {"open", "finished", "diverged", "pruned", "failed"}
        That of a point is diverged if one of its seeds is.
    value : float or None
        Mean of the objective over seeds, infinite where it diverged.
    trial_attributes, study_attributes : dict
        Notes of the sampler and the pruner.
    """

    number: int
    values: dict[str, Label]
    outcomes: dict[int, Outcome] = dataclasses.field(default_factory=dict)
    state: State = "open"
    value: float | None = None
    trial_attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    study_attributes: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def intermediate(self) -> dict[int, float]:
        """Means over seeds that the pruner saw, by update."""
        return {int(update): mean for update, mean in self._notes.get("intermediate", {}).items()}

    @property
    def _notes(self) -> dict[str, Any]:
        return next((outcome.notes for outcome in self.outcomes.values() if outcome.notes), {})

    def trial(self, distributions: Mapping[str, BaseDistribution], finished: bool) -> FrozenTrial:
        """Trial of Optuna; on its way, without any result, unless `finished`."""
        states: Any = required("optuna", EXTRA).trial.TrialState
        names = {"finished": states.COMPLETE, "diverged": states.COMPLETE, "pruned": states.PRUNED}
        state = names.get(self.state, states.FAIL) if finished else states.RUNNING
        trial: FrozenTrial = required("optuna", EXTRA).trial.create_trial(
            state=state,
            value=self.value if state in names.values() else None,
            params=self.values if distributions else {},
            distributions=dict(distributions),
            system_attrs=self.trial_attributes | (self._notes.get("attributes", {}) if finished else {}),
            user_attrs={OF_STUDY: self.study_attributes} if self.study_attributes else {},
            intermediate_values=self.intermediate if finished else {},
        )
        return trial


def best_of(points: list[Point], direction: str) -> Point | None:
    """Finished point with the best mean, the first of equals; None without one."""
    done = [
        (p.value, p)
        for p in points
        if p.state == "finished" and p.value is not None and math.isfinite(p.value)
    ]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda pair: (sign * pair[0], pair[1].number), default=(None, None))[1]


class Store:
    """File of a sweep.

    Parameters
    ----------
    path : Path
    direction : {"minimize", "maximize"}, optional
        That of a new file; without it the file has to be there.

    Attributes
    ----------
    points : list of Point
    settings : dict
        As `set_settings` was given them; empty in a new file.
    report : dict
        Outcomes by number of point and seed.

    Raises
    ------
    DataError
        For a file that is none, or no sweep's.
    """

    def __init__(self, path: Path, direction: str | None = None) -> None:
        self.path = path
        if direction is None and not path.is_file():
            raise DataError(f"{path}: expected the file of a sweep, found none")
        optuna = required("optuna", EXTRA)
        from sqlalchemy import URL
        from sqlalchemy.exc import SQLAlchemyError

        if _counted(path, "studies WHERE study_name !=", STUDY):
            raise DataError(f"{path}: expected the file of a sweep, got one with other studies of Optuna")
        if direction is None and not _counted(path, "study_user_attributes WHERE key =", SETTINGS):
            raise DataError(f"{path}: expected the file of a sweep, got one without its settings")
        url = URL.create("sqlite", database=str(path.absolute())).render_as_string()
        try:
            with quiet():
                self._rdb = optuna.storages.RDBStorage(url, engine_kwargs=WAITING)
                if direction is None:
                    self._study = optuna.load_study(study_name=STUDY, storage=self._rdb)
                else:
                    self._study = optuna.create_study(
                        study_name=STUDY, storage=self._rdb, direction=direction, load_if_exists=True
                    )
                self._read()
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError, LookupError, TypeError,
                ValueError) as error:  # fmt: skip
            reason = str(error).partition("\n")[0]
            raise DataError(f"{path}: expected the file of a sweep, got another ({reason})") from None

    def _read(self) -> None:
        attributes = self._study.user_attrs
        self.settings: dict[str, Any] = attributes.get(SETTINGS, {})
        missing = [name for name in NEEDED if self.settings and name not in self.settings]
        if missing:
            raise ValueError(f"settings without {missing[0]}")
        self.points = [_point(trial) for trial in self._study.get_trials(deepcopy=False)]
        self.report: dict[tuple[int, int], Outcome] = {}
        for key, plain in attributes.items():
            if key.startswith(REPORT):
                number, seed = map(int, key.removeprefix(REPORT).split())
                self.report[number, seed] = Outcome(**plain)

    def set_settings(self, settings: dict[str, Any]) -> None:
        """Write the settings of the sweep."""
        self.settings = storage.finite(settings)
        self._study.set_user_attr(SETTINGS, self.settings)

    def add(self, proposal: Proposal, distributions: Mapping[str, BaseDistribution]) -> Point:
        """New point."""
        point = Point(
            len(self.points), proposal.values,
            trial_attributes=proposal.trial_attributes, study_attributes=proposal.study_attributes,
        )  # fmt: skip
        with quiet():
            self._study.add_trial(point.trial(distributions, finished=False))
        self.points.append(point)
        return point

    def record(self, point: Point, outcome: Outcome) -> None:
        """Write the outcome of a seed, once."""
        if outcome.seed not in point.outcomes:
            point.outcomes[outcome.seed] = outcome = dataclasses.replace(outcome, at=time.time())
            self._rdb.set_trial_user_attr(self._id(point), f"{SEED}{outcome.seed}", outcome.plain())

    def record_report(self, point: Point, outcome: Outcome) -> None:
        """Write the outcome of a seed to report, once."""
        if (point.number, outcome.seed) not in self.report:
            outcome = dataclasses.replace(outcome, at=time.time())
            self.report[point.number, outcome.seed] = outcome
            self._study.set_user_attr(f"{REPORT}{point.number} {outcome.seed}", outcome.plain())

    def finish(self, point: Point, state: State, value: float | None) -> None:
        """Write the end of a point."""
        point.state, point.value = state, value
        trial = point.trial({}, finished=True)
        identity = self._id(point)
        for update, mean in point.intermediate.items():
            self._rdb.set_trial_intermediate_value(identity, update, mean)
        self._rdb.set_trial_state_values(identity, trial.state, None if value is None else [value])

    def _id(self, point: Point) -> int:
        number: int = self._rdb.get_trial_id_from_study_id_trial_number(self._study._study_id, point.number)
        return number

    def close(self) -> None:
        """Release the file."""
        self._rdb.remove_session()
        self._rdb.engine.dispose()


def _point(trial: FrozenTrial) -> Point:
    names = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    outcomes = {
        int(key.removeprefix(SEED)): Outcome(**plain)
        for key, plain in trial.user_attrs.items()
        if key.startswith(SEED)
    }
    state: Any = names.get(trial.state.name, "open")
    if state == "finished" and not math.isfinite(trial.value or 0.0):
        state = "diverged"
    return Point(
        trial.number, dict(trial.params), outcomes, state, trial.value,
        dict(trial.system_attrs), trial.user_attrs.get(OF_STUDY, {}),
    )  # fmt: skip


def _counted(path: Path, query: str, value: str) -> int:
    """Number that a query of a file gives, 0 without its table; nothing is written, unlike by Optuna."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            return int(file.execute(f"SELECT COUNT(*) FROM {query} ?", (value,)).fetchone()[0])
    except sqlite3.Error:
        return 0

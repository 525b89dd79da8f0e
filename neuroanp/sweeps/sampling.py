"""`Sampling`: points that a sweep tries, the same for any number of workers and after any interruption.

A sampler of Optuna proposes each point anew, from a seed of its own and a study in memory that holds what the
file does. What it sees doesn't depend on who finishes first: for point k, the points up to k - `ahead`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.sweeps import EXTRA
from neuroanp.sweeps.space import Label, Space
from neuroanp.training.tables import required

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler

    from neuroanp.sweeps.store import Point

GRID, RANDOM = "grid", "random"
SAMPLERS = {
    RANDOM: "RandomSampler", "tpe": "TPESampler", "gp": "GPSampler", "cma-es": "CmaEsSampler",
    "qmc": "QMCSampler",
}  # fmt: skip
"""Classes of Optuna by their name in the shell."""
NEEDED = {"gp": "torch", "cma-es": "cmaes"}
"""Packages that a sampler needs beside Optuna."""
ONE_SEED = ("qmc",)
"""Samplers whose points are one sequence: they get the same seed for each, and count in the study."""

STUDY = "neuroanp"
"""Name of every study; some pruners draw from it."""

SamplerMaker = Callable[[int], "BaseSampler"]


class Proposal(NamedTuple):
    """Point that a sampler proposes, and what it notes in the trial and the study."""

    values: dict[str, Label]
    trial_attributes: dict[str, Any]
    study_attributes: dict[str, Any]


class Sampling:
    """Points in order.

    Parameters
    ----------
    space : Space
    sampler : str or callable, optional
        ``"grid"`` (all combinations of listed values, the default where all are), ``"random"`` (the default
        else), another of `SAMPLERS`, or a function from a seed to a sampler of Optuna.
    points : int, optional
        Number of points; a grid has its own.
    seed : int
        Seed of the proposals.
    direction : {"minimize", "maximize"}

    Raises
    ------
    InvalidValue, UnknownName
        For a grid of ranges, no number of points where one is needed, and a sampler that doesn't exist.
    """

    def __init__(
        self, space: Space, sampler: str | SamplerMaker | None, points: int | None, seed: int, direction: str
    ) -> None:
        if sampler is None:
            sampler = GRID if space.is_grid and points is None else RANDOM
        self.space, self.direction, self.seed = space, direction, seed
        self.name = sampler if isinstance(sampler, str) else without_address(sampler)
        if sampler == GRID:
            if not space.is_grid:
                raise InvalidValue("sweep.sampler", "random or another one, as ranges have no grid", GRID)
            points = space.corners if points is None else min(points, space.corners)
        else:
            self._make = _maker(sampler)
            self._make(0)
        if points is None or isinstance(points, bool) or not isinstance(points, int) or points < 1:
            raise InvalidValue("sweep.points", "the number of points to try, at least 1", points)
        self.points = points

    @property
    def adaptive(self) -> bool:
        """True if points depend on the results of earlier ones."""
        return self.name not in (GRID, RANDOM)

    def propose(self, number: int, earlier: Sequence[Point], seen: int) -> Proposal:
        """Point of a number.

        Parameters
        ----------
        number : int
        earlier : sequence of Point
            All before it.
        seen : int
            Number of those, from the first, whose results count; the others are on their way.
        """
        if self.name == GRID:
            return Proposal(self.space.corner(number), {}, {})
        spawned = [self.seed] if self.name in ONE_SEED else [self.seed, number]
        seed = int(np.random.SeedSequence(spawned).generate_state(1)[0])
        with quiet():
            study = study_of(earlier if self.adaptive else (), seen, self.space, self.direction)
            study.sampler = self._make(seed)
            trial = study.ask(self.space.distributions())
            # public methods of the storage; the study itself shows neither
            storage = study._storage
            attributes = storage.get_trial(trial._trial_id).system_attrs
            return Proposal(dict(trial.params), attributes, storage.get_study_system_attrs(study._study_id))


def study_of(points: Sequence[Point], seen: int, space: Space | None, direction: str) -> Study:
    """Study in memory with points, of which the first `seen` are finished and the others on their way."""
    study = required("optuna", EXTRA).create_study(study_name=STUDY, direction=direction)
    distributions = {} if space is None else space.distributions()
    for point in points:
        study.add_trial(point.trial(distributions, finished=point.number < seen))
    if points:
        for name, value in points[-1].study_attributes.items():
            study._storage.set_study_system_attr(study._study_id, name, value)
    return study


def without_address(value: Any) -> str:
    """Text of an object that is the same in another process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Optuna without its words on studies, and on what is experimental."""
    logging = required("optuna", EXTRA).logging
    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)


def _maker(sampler: str | SamplerMaker) -> SamplerMaker:
    if callable(sampler):
        return sampler
    if sampler not in SAMPLERS:
        raise UnknownName("sweep.sampler", str(sampler), [GRID, *SAMPLERS])
    needed = NEEDED.get(sampler)
    if needed is not None and importlib.util.find_spec(needed) is None:
        raise InvalidValue("sweep.sampler", f"{needed} to be installed, which Optuna's needs", sampler)
    cls = getattr(required("optuna", EXTRA).samplers, SAMPLERS[sampler])

    def made(seed: int) -> BaseSampler:
        with quiet():
            chosen: BaseSampler = cls(seed=seed)
        return chosen

    return made

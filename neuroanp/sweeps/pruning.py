"""`Pruning`: early end of a point that does worse than those before it, by a pruner of Optuna.

It is decided where the point is trained, from its mean over seeds so far and from earlier points that were
finished before it began: the same for any number of workers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.sweeps import EXTRA
from neuroanp.sweeps.sampling import quiet, study_of
from neuroanp.training.tables import required

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from neuroanp.sweeps.store import Point

PRUNERS = {
    "median": "MedianPruner", "successive-halving": "SuccessiveHalvingPruner", "hyperband": "HyperbandPruner",
}  # fmt: skip
"""Classes of Optuna by their name in the shell."""


def pruner_of(pruner: str | BasePruner) -> BasePruner:
    """Pruner by its name, or the one given.

    Raises
    ------
    InvalidValue, UnknownName
        For what is no pruner.
    """
    base: Any = required("optuna", EXTRA).pruners.BasePruner
    if isinstance(pruner, str):
        if pruner not in PRUNERS:
            raise UnknownName("sweep.pruner", pruner, list(PRUNERS))
        with quiet():
            made: BasePruner = getattr(required("optuna", EXTRA).pruners, PRUNERS[pruner])()
        return made
    if not isinstance(pruner, base):
        raise InvalidValue("sweep.pruner", f"one of {', '.join(PRUNERS)}, or a pruner of Optuna", pruner)
    return pruner


@dataclasses.dataclass(frozen=True)
class Pruning:
    """Pruner of one point, with the points before it.

    Attributes
    ----------
    pruner : BasePruner
    direction : {"minimize", "maximize"}
    field : str
        Quantity of an evaluation that is compared, ``"test_loss"`` or ``"score"``.
    points : sequence of Point
        All before this one.
    seen : int
        Number of those, from the first, whose results count.
    """

    pruner: BasePruner
    direction: str
    field: str
    points: Sequence[Point]
    seen: int

    def judge(self) -> Callable[[int, float], tuple[bool, dict[str, Any]]]:
        """Function from an update and the mean over seeds to the verdict, and what the pruner notes."""
        with quiet():
            study = study_of(self.points, self.seen, None, self.direction)
            trial = study.ask()

        def verdict(update: int, mean: float) -> tuple[bool, dict[str, Any]]:
            with quiet():
                trial.report(mean, update)
                storage = study._storage
                bad = self.pruner.prune(study, storage.get_trial(trial._trial_id))
                return bool(bad), storage.get_trial(trial._trial_id).system_attrs

        return verdict

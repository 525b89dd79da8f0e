"""`Outcome`: what came of one pair of point and seed."""

from __future__ import annotations

import dataclasses
import math
import os
import socket
import sys
from typing import Any, Literal

from neuroanp import storage
from neuroanp.training.run import Run

CURVE = ("test_update", "test_loss", "test_score")

State = Literal["finished", "pruned", "diverged", "failed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of a pair of point and seed, as the sweep's file keeps it.

    Attributes
    ----------
    seed : int
    state : {"finished", "pruned", "diverged", "failed"}
    result : dict
        As `Run.result`; that of the last good weights where it diverged, empty where it failed.
    curve : dict of lists
        Evaluations on the way: ``test_update``, ``test_loss``, ``test_score``.
    test_seconds : float
        Time of the evaluations.
    message : str
        Reason, where it isn't finished.
    worker : dict
        ``host``, ``pid``, ``peak_memory`` in MiB.
    notes : dict
        Of a point with a pruner: ``intermediate``, its means by update, and ``attributes`` of the pruner.
    at : float
        Time when it was recorded, in seconds since the epoch.
    """

    seed: int
    state: State
    result: dict[str, Any] = dataclasses.field(default_factory=dict)
    curve: dict[str, list[float | None]] = dataclasses.field(default_factory=dict)
    test_seconds: float = 0.0
    message: str = ""
    worker: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    at: float = 0.0

    @classmethod
    def of(cls, run: Run | None, state: State, **settings: Any) -> Outcome:
        """Outcome of a run."""
        if run is None:
            return cls(state=state, **settings)
        curve = {name: [value.item() for value in run.history[name]] for name in CURVE if name in run.history}
        return cls(state=state, result=storage.finite(run.result), curve=storage.finite(curve), **settings)

    def value(self, field: str) -> float:
        """Field of the result; NaN where there is none, or it isn't that of good weights."""
        value = self.result.get(field) if self.state in ("finished", "pruned") else None
        return math.nan if value is None else float(value)

    def measured(self, field: str) -> Any:
        """Field of the result; of a training that diverged or failed only what doesn't judge it."""
        judged = field in ("test_loss", "score", "train_loss", "rate")
        return None if judged and self.state in ("diverged", "failed") else self.result.get(field)

    def plain(self) -> dict[str, Any]:
        """Attributes as JSON has them."""
        plain: dict[str, Any] = storage.finite(dataclasses.asdict(self))
        return plain


def this_worker() -> dict[str, Any]:
    """`Outcome.worker` of this process."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "peak_memory": _peak_memory()}


def _peak_memory() -> float | None:
    """Peak resident memory of this process in MiB, where the system tells."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)

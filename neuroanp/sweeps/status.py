"""Status of a sweep, for another shell while it runs."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from neuroanp.sweeps.results import Sweep

RECENT = 50
"""Trainings that the time left is estimated from."""


def status(sweep: Sweep) -> str:
    """Lines: what is done and the best so far, whether it runs, and the time left."""
    done, running = len(sweep.outcomes), is_running(sweep)
    states = [outcome.state for _, outcome, _ in sweep.outcomes]
    other = [f"{states.count(name)} {name}" for name in ("pruned", "diverged", "failed") if name in states]
    lines = [repr(sweep)]
    if other:
        lines.append(f"of these {', '.join(other)}")
    if done >= sweep.total:
        return "\n".join([*lines, "done"])
    left = seconds_left(sweep)
    time = (
        f", about {datetime.timedelta(seconds=round(left))} left" if math.isfinite(left) and running else ""
    )
    lines.append(f"running{time}" if running else "not running: the command that began it goes on with it")
    return "\n".join(lines)


def is_running(sweep: Sweep) -> bool:
    """True if a process on this machine is at it."""
    try:
        with FileLock(f"{sweep.path}.lock", timeout=0):
            return False
    except Timeout:
        return True


def seconds_left(sweep: Sweep) -> float:
    """Time left, at the pace of the last trainings; NaN before there are two."""
    times = sorted(outcome.at for _, outcome, _ in sweep.outcomes)[-RECENT:]
    if len(times) < 2:
        return math.nan
    return (sweep.total - len(sweep.outcomes)) * (times[-1] - times[0]) / (len(times) - 1)

"""Part "memory": what a process needs at most to learn a longer and longer series, window by window."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.rounds import Spread
from neuroanp.bench.rows import Row

HIDDEN, WINDOW, DTYPE = 100, 110, "float32"
TOTALS = (1_000, 10_000, 100_000)
LIMIT = 1.1


def rows(quick: bool) -> Iterator[Row]:
    """A row for each longer series: its peak over that of the shortest."""
    update = ours.stepping(ours.training(HIDDEN, ours.copying(WINDOW, 1), DTYPE, carry=True))
    peaks: list[float] = []
    done = 0
    with threadpool_limits(1):
        for total in TOTALS:
            while done < total:
                update()
                done += WINDOW
            peaks.append(peak())
    for total, reached in zip(TOTALS[1:], peaks[1:], strict=True):
        ratio = reached / peaks[0]
        yield Row(
            part="memory",
            what=f"peak after {total:,} steps over that after {TOTALS[0]:,}",
            size=f"{ours.size(HIDDEN, 1, DTYPE, WINDOW)} a window",
            ours=reached,
            other=peaks[0],
            unit="MiB",
            ratio=Spread(ratio, ratio, ratio),
            limit=LIMIT,
        )


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found / (2**20 if sys.platform == "darwin" else 2**10)

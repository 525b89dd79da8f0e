"""Part "memory": peak memory of learning a longer and longer series, window by window.

The peak of the process misses growth that fits in memory freed after start-up, so that of what Python and
NumPy have allocated stands beside it. It counts anew after each total.
"""

from __future__ import annotations

import resource
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.table import Row
from neuroanp.bench.timing import spread

HIDDEN, WINDOW, DTYPE = 100, 110, "float32"
TOTALS = (1_000, 10_000, 100_000)
LIMIT = 1.1


def rows(quick: bool) -> Iterator[Row]:
    """Two rows for each longer series: its peaks over those of the shortest."""
    tracemalloc.start()
    update = ours.stepping(ours.training(HIDDEN, ours.copying(WINDOW, 1), DTYPE, carry=True))
    with threadpool_limits(1):
        series = peaks(update, TOTALS)
    tracemalloc.stop()
    for what, values in series.items():
        for total, peak in zip(TOTALS[1:], values[1:], strict=True):
            yield Row(
                part="memory",
                what=f"{what}, {total:,} steps over {TOTALS[0]:,}",
                size=f"{ours.size(HIDDEN, 1, DTYPE, WINDOW)} a window",
                ours=peak,
                other=values[0],
                unit="MiB",
                ratio=spread([peak / values[0]]),
                limit=LIMIT,
            )


def peaks(update: Callable[[], Any], totals: tuple[int, ...]) -> dict[str, list[float]]:
    """Peaks in MiB after each of so many steps in all, of the process and of what was allocated.

    Parameters
    ----------
    update : callable
        Learns one window. `tracemalloc` must have been started.
    totals : tuple of int
        Numbers of steps, ascending.
    """
    process, allocated = list[float](), list[float]()
    update()
    steps = WINDOW
    for total in totals:
        tracemalloc.reset_peak()
        while steps < total:
            update()
            steps += WINDOW
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        process.append(resident / (2**20 if sys.platform == "darwin" else 2**10))
        allocated.append(tracemalloc.get_traced_memory()[1] / 2**20)
    return {"peak of the process": process, "peak of what is allocated": allocated}

"""Part "memory": what learning a longer and longer series needs at most, window by window.

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
from neuroanp.bench.timing import Spread

HIDDEN, WINDOW, DTYPE = 100, 110, "float32"
TOTALS = (1_000, 10_000, 100_000)
LIMIT = 1.1


def rows(quick: bool) -> Iterator[Row]:
    """Two rows for each longer series: its peaks over those of the shortest."""
    tracemalloc.start()
    update = ours.stepping(ours.training(HIDDEN, ours.copying(WINDOW, 1), DTYPE, carry=True))
    with threadpool_limits(1):
        found = peaks(update, TOTALS)
    tracemalloc.stop()
    for what, reached in found.items():
        for total, most in zip(TOTALS[1:], reached[1:], strict=True):
            ratio = most / reached[0]
            yield Row(
                part="memory",
                what=f"{what}, {total:,} steps over {TOTALS[0]:,}",
                size=f"{ours.size(HIDDEN, 1, DTYPE, WINDOW)} a window",
                ours=most,
                other=reached[0],
                unit="MiB",
                ratio=Spread(ratio, ratio, ratio),
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
    found: dict[str, list[float]] = {"peak of the process": [], "peak of what is allocated": []}
    update()
    done = WINDOW
    for total in totals:
        tracemalloc.reset_peak()
        while done < total:
            update()
            done += WINDOW
        process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["peak of the process"].append(process / (2**20 if sys.platform == "darwin" else 2**10))
        found["peak of what is allocated"].append(tracemalloc.get_traced_memory()[1] / 2**20)
    return found

"""Part "scaling": growth of the time of our update with the size of network and trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.table import Row
from neuroanp.bench.timing import interleaved, slope

DTYPE = "float32"


class Size(NamedTuple):
    """One point of a line; the other lines vary another field of the defaults."""

    units: int = 100
    lanes: int = 1
    steps: int = ours.STEPS


LINES = {
    "units": [Size(units=units) for units in (100, 200, 500, 1000)],
    "lanes": [Size(lanes=lanes) for lanes in (1, 4, 16, 64)],
    "steps": [Size(steps=steps) for steps in (110, 210, 410, 810, 1610)],
}


def rows(quick: bool) -> Iterator[Row]:
    """A row for each line: the slope of time in size, both logarithmic."""
    for axis, line in LINES.items():
        points = line[:3] if quick else line
        sessions = {
            str(point): ours.training(point.units, ours.copying(point.steps, point.lanes), DTYPE)
            for point in points
        }
        with threadpool_limits(1):
            functions = {name: ours.stepping(training) for name, training in sessions.items()}
            samples = interleaved(functions, 1.0 if quick else 10.0)
        first, last = samples[str(points[0])], samples[str(points[-1])]
        sizes = [float(getattr(point, axis)) for point in points]
        base = ours.size(points[0].units, points[0].lanes, DTYPE, points[0].steps)
        yield Row(
            part="scaling",
            what=f"slope of log time in log {axis}",
            size=f"{', '.join(f'{size:g}' for size in sizes)} {axis}, from {base}",
            ours=float(np.median(last)),
            other=float(np.median(first)),
            ratio=slope(sizes, [samples[str(point)] for point in points]),
        )

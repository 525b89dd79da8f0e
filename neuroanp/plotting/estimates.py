"""Figure of estimates of a gradient: cosine with it against samples, and against swept settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from neuroanp.plotting.run import RunFigure
from neuroanp.plotting.style import BLUE, GREEN, SKY, VERMILION, styled
from neuroanp.types import Arrays

COLOURS = {"W_in": BLUE, "W_rec": VERMILION, "W_out": GREEN, "W_skip": SKY}


class Panel(NamedTuple):
    """Cosines against a quantity.

    Attributes
    ----------
    name : str
        The quantity, with its unit.
    values : sequence of float
        K values of it.
    cosines, limits : dict of (K,) arrays
        By weight name; a limit that isn't known is NaN.
    """

    name: str
    values: Sequence[float]
    cosines: Arrays
    limits: Arrays


@styled
def figure(title: str, samples: Panel, sweeps: Sequence[Panel] = ()) -> RunFigure:
    """Draw cosines against numbers of samples, on a logarithmic axis; beside it a panel for each sweep."""
    drawing = RunFigure(figsize=(4.2 + 3 * len(sweeps), 3.6))
    first, *others = drawing.subplots(1, 1 + len(sweeps), squeeze=False, sharey=True)[0]
    _draw(first, samples, samples.values)
    first.set(xscale="log", ylabel="cosine with the gradient", ylim=(-0.25, 1.05))
    first.legend(loc="lower right")
    for axes, sweep in zip(others, sweeps, strict=True):
        places = np.arange(len(sweep.values))
        _draw(axes, sweep, places)
        axes.set_xticks(places, [f"{value:g}" for value in sweep.values])
    drawing.suptitle(f"{title}; dotted: limit")
    return drawing


def _draw(axes: Any, panel: Panel, places: Any) -> None:
    for name, cosine in panel.cosines.items():
        axes.plot(places, cosine, marker="o", ms=3, color=COLOURS[name], label=name)
        axes.plot(places, panel.limits[name], color=COLOURS[name], lw=0.8, ls=":")
    axes.set_xlabel(panel.name)

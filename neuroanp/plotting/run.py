"""Figure of a run: loss over the updates, and the network's answer to one unseen trial."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from neuroanp.plotting import trial as trial_panels
from neuroanp.plotting.style import BLUE, EXPORT, GREY, VERMILION, styled
from neuroanp.types import Array

LOSS, TEST, LEVEL = BLUE, VERMILION, GREY
HIGHEST = 1e4
"""A loss is drawn up to this many times the first loss and the trivial levels."""


class PlainLog(LogFormatter):
    """Labels of a logarithmic axis such as 0.1 and 1e-05, which take less time to draw than powers of ten."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


class RunFigure(Figure):
    """A Matplotlib figure that a notebook shows without pyplot; in vector files its letters stay letters."""

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        with matplotlib.rc_context(EXPORT):
            super().savefig(*args, **kwargs)

    def write_png(self, path: Path, dpi: int = 130) -> None:
        """Write a PNG, drawn once, where `savefig` draws twice."""
        self.set_dpi(dpi)
        FigureCanvasAgg(self).print_png(path)

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png", dpi=100)
        return png.getvalue()


@styled
def figure(
    history: Mapping[str, Array],
    trivial: Mapping[str, float],
    example: Mapping[str, Array] | None,
    title: str,
    score_name: str = "score",
    test_loss: float | None = None,
) -> RunFigure:
    """Draw a run.

    Parameters
    ----------
    history : mapping of arrays
        ``update`` and ``loss``; ``test_update`` and ``test_loss`` where the run was tested on its way.
    trivial : mapping of floats
        Loss of each trivial predictor, drawn as a labelled level.
    example : mapping of arrays, optional
        One unseen trial, as in `neuroanp.Run`.
    title : str
        Line above the figure.
    score_name : str
        Measure of ``test_score`` in the history; drawn instead of the loss where there are no targets.
    test_loss : float, optional
        Loss on the unseen trials at the end of the run.
    """
    example = example or {}
    drawing = RunFigure(figsize=(11, 5.6 if "spikes" in example else 4.4))
    drawing.suptitle(textwrap.fill(title, 140))
    grid = drawing.add_gridspec(1, 2 if example else 1, width_ratios=[1, 1.15] if example else [1])
    left = drawing.add_subplot(grid[0])
    if "observations" in example and len(history.get("test_update", ())):
        _scores(left, history, score_name)
    else:
        _curve(left, history, trivial, test_loss)
    if example:
        trial_panels.draw(drawing, grid[1], example)
    return drawing


def smooth(loss: Array, parts: int = 60) -> Array:
    """Geometric moving mean of positive losses over a `parts`-th of their number; same length."""
    width = max(1, len(loss) // parts)
    if width == 1:
        return loss
    weights = np.ones(2 * (width // 2) + 1)
    total = np.convolve(np.log(loss), weights, mode="same")
    return np.asarray(np.exp(total / np.convolve(np.ones(len(loss)), weights, mode="same")))


def _curve(
    axes: Axes, history: Mapping[str, Array], trivial: Mapping[str, float], test_loss: float | None
) -> None:
    update, loss = _drawable(history["update"], history["loss"])
    ceiling = HIGHEST * max(
        [*loss[:1], *(value for value in trivial.values() if np.isfinite(value))], default=1.0
    )
    loss = np.minimum(loss, ceiling)
    tested = _drawable(history.get("test_update", ()), history.get("test_loss", ()), ceiling)
    last = _drawable(update[-1:], [np.nan if test_loss is None else test_loss] * len(update[-1:]), ceiling)
    axes.plot(update, loss, color=LOSS, alpha=0.25, linewidth=0.8)
    axes.plot(update, smooth(loss), color=LOSS, linewidth=1.8, label="training")
    if len(tested[0]):
        axes.plot(*tested, "o-", color=TEST, markersize=4, label="unseen trials")
    if len(last[0]):
        axes.plot(*last, "D", color=TEST, markersize=7, label=f"unseen trials, at the end: {test_loss:.3g}")
    measured = np.concatenate([loss, tested[1], last[1]])
    floor = measured.min() / 100 if len(measured) else 0.0
    levels = {name: value for name, value in trivial.items() if np.isfinite(value) and value > floor}
    heights = np.array([*measured, *levels.values(), *(() if len(measured) or levels else (1.0,))])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(PlainLog())
    axes.yaxis.set_minor_formatter(PlainLog())
    axes.set_ylim(heights.min() / 1.4, heights.max() * 1.4)
    axes.set_xlabel("update")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylabel("loss")
    _levels(axes, levels)
    below = ", ".join(f"{name} ({value:.2g})" for name, value in trivial.items() if value <= floor)
    if below:
        axes.annotate(f"below: {below}", (0.01, 0.99), xycoords="axes fraction", va="top")
    axes.legend(loc="lower left")


def _scores(axes: Axes, history: Mapping[str, Array], score_name: str) -> None:
    axes.plot(history["test_update"], history["test_score"], "o-", color=TEST, markersize=4)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("update")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylabel(f"{score_name}, unseen trials")


def _drawable(update: Any, loss: Any, ceiling: float = np.inf) -> tuple[Array, Array]:
    """Points that a logarithmic axis can show, cut at `ceiling`."""
    update, loss = np.asarray(update, float), np.asarray(loss, float)
    positive = np.isfinite(loss) & (loss > 0)
    return update[positive], np.minimum(loss[positive], ceiling)


def _levels(axes: Axes, levels: Mapping[str, float]) -> None:
    """Horizontal lines at the trivial levels, their labels right of the axes and never on each other."""
    bottom, top = (float(np.log10(limit)) for limit in axes.get_ylim())
    gap, last = 0.055, -1.0
    for name, value in sorted(levels.items(), key=lambda level: level[1]):
        axes.axhline(value, color=LEVEL, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        place = (np.log10(value) - bottom) / (top - bottom)
        last = max(place, last + gap)
        axes.annotate(
            f"{name}  {value:.3g}",
            xy=(1.0, place),
            xytext=(1.03, last),
            xycoords="axes fraction",
            color=LEVEL,
            va="center",
            arrowprops={"arrowstyle": "-", "color": LEVEL, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0},
        )

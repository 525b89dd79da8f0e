"""Figures of a sweep: heat map, slices, parallel coordinates and learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from neuroanp.plotting.run import RunFigure
from neuroanp.plotting.style import BLACK, BLUE, GREY, STYLE, VERMILION, styled
from neuroanp.types import Array

MAP = "cividis_r"
"""Colours of values, dark for low ones, that can be told apart with any sight and in grey."""
WIDE = 9.9
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""


class Field(NamedTuple):
    """Varied option.

    Attributes
    ----------
    name : str
        With its unit.
    values : list
        By point: numbers, or texts.
    """

    name: str
    values: Sequence[Any]

    @property
    def numeric(self) -> bool:
        """True if all values are numbers."""
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.values)

    @property
    def places(self) -> tuple[list[Any], Array]:
        """Different values in order, and the place of each point's among them."""
        known = sorted(set(self.values)) if self.numeric else list(dict.fromkeys(self.values))
        return known, np.array([known.index(value) for value in self.values])

    @property
    def logarithmic(self) -> bool:
        """True for numbers above 0 over a wide range."""
        return self.numeric and _wide(np.array(self.values, dtype=float))


class Scores(NamedTuple):
    """Objective of the points.

    Attributes
    ----------
    name : str
    means : (P,) array
        Over seeds; NaN for points that aren't finished or diverged.
    seeds : (P, S) array
        Of each seed, NaN where there is none.
    lower_is_better : bool
    """

    name: str
    means: Array
    seeds: Array
    lower_is_better: bool

    def best(self, points: Array) -> int:
        """Place of the best of some points; none of them may be NaN alone."""
        values = np.where(np.isfinite(self.means[points]), self.means[points], np.nan)
        if np.isnan(values).all():
            return int(points[0])
        return int(points[np.nanargmin(values) if self.lower_is_better else np.nanargmax(values)])


def _wide(values: Array) -> bool:
    values = values[np.isfinite(values)]
    return bool(values.size and values.min() > 0 and values.max() > WIDE * values.min())


def _norm(scores: Scores) -> Normalize:
    finite = scores.means[np.isfinite(scores.means)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    return LogNorm(low, high) if low > 0 and high > 3 * low else Normalize(low, high)


@styled
def heat_map(title: str, across: Field, up: Field, scores: Scores) -> RunFigure:
    """Draw the objective over two fields, of each cell the best point over all others; a star at the best."""
    drawing = RunFigure(figsize=(5.6, 4.2))
    axes = drawing.subplots()
    (columns, x), (rows, y) = across.places, up.places
    cells = np.full((len(rows), len(columns)), np.nan)
    for row in range(len(rows)):
        for column in range(len(columns)):
            points = np.flatnonzero((x == column) & (y == row))
            if points.size:
                cells[row, column] = scores.means[scores.best(points)]
    colours = MAP if scores.lower_is_better else MAP.removesuffix("_r")
    image = axes.imshow(
        np.ma.masked_invalid(cells), origin="lower", aspect="auto", cmap=colours, norm=_norm(scores)
    )
    axes.set_facecolor("#dddddd")
    best = scores.best(np.arange(len(scores.means)))
    axes.plot(x[best], y[best], "*", color=VERMILION, markersize=16, markeredgecolor="white")
    axes.set_xticks(range(len(columns)), [_text(value) for value in columns])
    axes.set_yticks(range(len(rows)), [_text(value) for value in rows])
    axes.tick_params(axis="x", rotation=45 if len(columns) > 6 else 0)
    axes.set(xlabel=across.name, ylabel=up.name)
    drawing.colorbar(image, ax=axes, label=f"{scores.name}, mean over seeds")
    drawing.suptitle(title)
    return drawing


@styled
def slices(title: str, fields: Sequence[Field], scores: Scores) -> RunFigure:
    """Draw the objective along each field: a dot for each seed, a larger one for a point's mean."""
    drawing = RunFigure(figsize=(1.2 + 2.9 * len(fields), 3.4))
    best = scores.best(np.arange(len(scores.means)))
    panels = drawing.subplots(1, len(fields), squeeze=False, sharey=True)[0]
    for axes, field in zip(panels, fields, strict=True):
        x = _along(axes, field)
        for column in scores.seeds.T:
            axes.plot(x, column, ".", color=GREY, alpha=0.4, markersize=4)
        axes.plot(x, scores.means, "o", color=BLUE, markersize=5, alpha=0.8)
        axes.plot(x[best], scores.means[best], "*", color=VERMILION, markersize=13)
    if _wide(scores.seeds):
        panels[0].set_yscale("log")
    panels[0].set_ylabel(scores.name)
    drawing.suptitle(f"{title}; grey: seeds, blue: means, star: best")
    return drawing


def _along(axes: Axes, field: Field) -> Array:
    """Places of the points on the horizontal axis, which gets the field's scale and name."""
    axes.set_xlabel(field.name)
    if field.numeric:
        if field.logarithmic:
            axes.set_xscale("log")
        return np.array(field.values, dtype=float)
    known, places = field.places
    axes.set_xticks(range(len(known)), [_text(value) for value in known])
    axes.set_xlim(-0.5, len(known) - 0.5)
    return places


@styled
def parallel(title: str, fields: Sequence[Field], scores: Scores) -> RunFigure:
    """Draw each point as a line across an axis for each field, coloured by the objective, best on top."""
    drawing = RunFigure(figsize=(1.6 + 1.9 * len(fields), 3.8))
    axes = drawing.subplots()
    norm, colours = _norm(scores), MAP if scores.lower_is_better else MAP.removesuffix("_r")
    heights = np.array([_height(field) for field in fields])
    sign = -1 if scores.lower_is_better else 1
    order = np.argsort(np.where(np.isfinite(scores.means), sign * scores.means, -np.inf))
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable

    shades = ScalarMappable(norm, colormaps[colours])
    for point in order:
        known = np.isfinite(scores.means[point])
        axes.plot(
            heights[:, point], color=shades.to_rgba(scores.means[point]) if known else "#dddddd",
            linewidth=2.5 if point == order[-1] else 1.1,
        )  # fmt: skip
    for place, field in enumerate(fields):
        axes.axvline(place, color=BLACK, linewidth=0.8)
        levels, height = np.array(field.places[0], dtype=object), _height(field)
        for level in levels if len(levels) <= 6 else (levels[0], levels[-1]):
            at = height[list(field.values).index(level)]
            axes.annotate(_text(level), (place, at), xytext=(3, 2), textcoords="offset points")
    axes.set_xticks(range(len(fields)), [field.name for field in fields])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlim(-0.1, len(fields) - 1 + 0.3)
    drawing.colorbar(shades, ax=axes, label=f"{scores.name}, mean over seeds")
    drawing.suptitle(title)
    return drawing


def _height(field: Field) -> Array:
    """Places of the points on an axis from 0 to 1."""
    values = np.array(field.values, dtype=float) if field.numeric else field.places[1].astype(float)
    values = np.log(values) if field.logarithmic else values
    spread = np.ptp(values)
    return (values - values.min()) / spread if spread else np.full(values.shape, 0.5)


@styled
def curves(title: str, name: str, lines: Mapping[str, tuple[Array, Array]]) -> RunFigure:
    """Draw learning curves, mean and range over seeds, of updates (E,) and objectives (S, E) by label."""
    drawing = RunFigure(figsize=(6.4, 3.8))
    axes = drawing.subplots()
    for colour, (label, (updates, values)) in zip(STYLE["axes.prop_cycle"], lines.items(), strict=False):
        axes.plot(updates, values.mean(axis=0), label=label, **colour)
        axes.fill_between(updates, values.min(axis=0), values.max(axis=0), alpha=0.2, linewidth=0, **colour)
    if lines and _wide(np.concatenate([values.ravel() for _, values in lines.values()])):
        axes.set_yscale("log")
    axes.set(xlabel="update", ylabel=name)
    axes.legend()
    drawing.suptitle(f"{title}; mean and range over seeds")
    return drawing


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)

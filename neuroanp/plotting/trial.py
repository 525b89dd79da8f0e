"""Figure of one unseen trial: answers of the network, course of its plant, spikes of its cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator

from neuroanp.plotting.style import BLACK, BLUE, GREY, VERMILION
from neuroanp.types import Array

TARGET, OUTPUT, COUNTED, SPIKE = GREY, BLUE, VERMILION, BLACK
MOST_LINES = 3
"""Targets with more outputs than this are drawn as a map, a row an output."""
MOST_STEPS = 400
MOST_SPIKING_STEPS = 2500
MOST_CELLS = 200


def draw(drawing: Figure, place: SubplotSpec, example: Mapping[str, Array]) -> None:
    """Draw a trial into a place of a figure, its parts below each other on one time axis.

    Parameters
    ----------
    drawing : Figure
    place : SubplotSpec
    example : mapping of arrays
        As in `neuroanp.Run`.
    """
    mask = np.asarray(example["mask"])
    counted = np.flatnonzero(mask)
    last = int(counted[-1]) + 1 if len(counted) else len(mask)
    window = slice(max(0, last - (MOST_SPIKING_STEPS if "spikes" in example else MOST_STEPS)), last)
    steps = np.arange(len(mask))[window]
    rows = place.subgridspec(2, 1, height_ratios=[1, 1]) if "spikes" in example else [place]
    if "observations" in example:
        axes = _observations(drawing, rows[0], steps, example["observations"], example["inputs"][window])
    else:
        axes = _answer(drawing, rows[0], steps, example, window)
    if "spikes" in example:
        axes[-1].tick_params(labelbottom=False)
        axes = [_raster(drawing, rows[1], axes[-1], steps, np.asarray(example["spikes"])[window])]
    length = f", {1000 * float(example['dt']):g} ms each" if {"dt", "spikes"} <= example.keys() else ""
    axes[-1].set_xlabel(f"step of one unseen trial{length}")


def _answer(
    drawing: Figure, place: SubplotSpec, steps: Array, example: Mapping[str, Array], window: slice
) -> list[Axes]:
    targets = np.asarray(example["targets"])
    low, high = float(targets.min()), float(targets.max())
    span = (high - low) or 1.0
    outputs = np.clip(np.asarray(example["outputs"]), low - 2 * span, high + 2 * span)
    panels = _maps if targets.shape[1] > MOST_LINES else _lines
    return panels(
        drawing, place, steps, targets[window], outputs[window], np.asarray(example["mask"])[window]
    )


def _observations(
    drawing: Figure, place: SubplotSpec, steps: Array, names: Array, values: Array
) -> list[Axes]:
    axes = drawing.add_subplot(place)
    for name, course in zip(names, values.T, strict=False):
        axes.plot(steps, course, linewidth=0.9, label=str(name).removeprefix("seen_"))
    axes.margins(x=0)
    axes.set_ylabel("what the network sees")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    return [axes]


def _raster(drawing: Figure, place: SubplotSpec, above: Axes, steps: Array, spikes: Array) -> Axes:
    axes = drawing.add_subplot(place, sharex=above)
    when, cell = np.nonzero(spikes[:, :MOST_CELLS])
    axes.scatter(steps[when], cell, s=2.0, marker="|", color=SPIKE, linewidths=0.8)
    axes.set_ylim(-1, min(spikes.shape[1], MOST_CELLS))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("cell" if spikes.shape[1] <= MOST_CELLS else f"cell, the first {MOST_CELLS}")
    return axes


def _lines(
    drawing: Figure, place: SubplotSpec, steps: Array, targets: Array, outputs: Array, mask: Array
) -> list[Axes]:
    rows = place.subgridspec(targets.shape[1], 1)
    shared: Axes | None = None
    panels = []
    for output in range(targets.shape[1]):
        axes = drawing.add_subplot(rows[output], sharex=shared)
        shared = shared or axes
        panels.append(axes)
        axes.plot(steps, targets[:, output], color=TARGET, linewidth=2.6, alpha=0.55, label="target")
        axes.plot(steps, outputs[:, output], color=OUTPUT, linewidth=1.3, label="network")
        if (mask == 0).any():
            axes.fill_between(
                steps, 0, 1, where=mask > 0, step="mid", transform=axes.get_xaxis_transform(),
                color=COUNTED, alpha=0.08, linewidth=0, label="steps that count",
            )  # fmt: skip
        axes.margins(x=0)
        axes.set_ylabel("output" if targets.shape[1] == 1 else f"output {output + 1}")
    panels[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return panels


def _maps(
    drawing: Figure, place: SubplotSpec, steps: Array, targets: Array, outputs: Array, mask: Array
) -> list[Axes]:
    rows = place.subgridspec(2, 1)
    low, high = float(min(targets.min(), 0.0)), float(targets.max())
    extent = (steps[0] - 0.5, steps[-1] + 0.5, targets.shape[1] - 0.5, -0.5)
    shared: Axes | None = None
    panels = []
    for row, (name, values) in enumerate((("target", targets), ("network", outputs))):
        axes = drawing.add_subplot(rows[row], sharex=shared)
        shared = shared or axes
        image = axes.imshow(
            values.T, aspect="auto", interpolation="nearest", cmap="magma", vmin=low, vmax=high, extent=extent
        )
        starts = np.flatnonzero(np.diff((mask > 0).astype(int), prepend=0) == 1)
        for start in starts if (mask == 0).any() else ():
            axes.axvline(steps[start] - 0.5, color="white", linewidth=1, linestyle=(0, (3, 3)))
        axes.set_ylabel(f"{name}\noutput")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        panels.append(axes)
    panels[0].tick_params(labelbottom=False)
    if (mask == 0).any():
        panels[0].set_title("steps count from the dashed line")
    drawing.colorbar(image, ax=panels, shrink=0.9, pad=0.02)
    return panels

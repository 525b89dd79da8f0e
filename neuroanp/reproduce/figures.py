"""Figures of a report, as PNG in base64."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neuroanp.plotting.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, styled
from neuroanp.reproduce.findings import Runs

COLOURS = {
    "bp-step": GREY, "wp": PURPLE, "np": SKY, "anp": ORANGE, "dwp": PURPLE, "dnp": SKY, "danp": ORANGE,
    "bptt": BLACK, "readout": GREEN, "ours": VERMILION, "response": BLUE, "sign": VERMILION, "e-prop": BLUE,
    "bptt-decorrelated": BLACK,
}  # fmt: skip
DASHED = ("dwp", "dnp", "danp", "readout", "sign", "bptt-decorrelated")


@styled
def curves(methods: dict[str, Runs]) -> str:
    """Test loss over updates, mean and range over the seeds, with the trivial levels; and correlations."""
    drawing = Figure(figsize=(11, 4.2))
    left, right = drawing.subplots(1, 2, width_ratios=[2, 1])
    trivial = next(iter(methods.values())).trivial
    levels = {name: level for name, level in trivial.items() if level > 1e-9}
    for level in levels.values():
        left.axhline(level, color=GREY, lw=0.8)
    best = min(levels, key=lambda name: levels[name])
    left.annotate(best, (0.0, levels[best]), xycoords=("axes fraction", "data"), va="bottom")
    for method, runs in methods.items():
        _line(left, method, runs, "loss", 2 * max(trivial.values()))
        _line(right, method, runs, "correlation", 1.0)
    left.set(xlabel="update", ylabel="test loss", yscale="log")
    right.set(xlabel="update", ylabel="mean squared correlation\nof two hidden traces", ylim=(0, None))
    left.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2)
    return encoded(drawing)


def _line(axes: Any, method: str, runs: Runs, name: str, ceiling: float) -> None:
    shortest = min(len(record["tests"]["update"]) for record in runs.records)
    if not shortest:
        return
    update = runs.records[0]["tests"]["update"][:shortest]
    values = np.array([record["tests"][name][:shortest] for record in runs.records], float)
    values = np.minimum(values, ceiling)
    style = "--" if method in DASHED else "-"
    axes.plot(update, values.mean(axis=0), style, color=COLOURS[method], lw=1.4, label=runs.title)
    axes.fill_between(update, values.min(axis=0), values.max(axis=0), color=COLOURS[method], alpha=0.15, lw=0)


@styled
def scaling(title: str, by_size: dict[int, dict[str, Runs]]) -> str:
    """Loss and time of an update against a size."""
    drawing = Figure(figsize=(9, 3.4))
    left, right = drawing.subplots(1, 2)
    for method in next(iter(by_size.values())):
        sizes = [size for size, runs in by_size.items() if method in runs]
        runs = [by_size[size][method] for size in sizes]
        style = "--" if method in DASHED else "-"
        left.plot(sizes, [np.mean(r.test_loss) for r in runs], f"o{style}", color=COLOURS[method], ms=3)
        label = runs[0].title
        right.plot(sizes, [r.per_update for r in runs], f"o{style}", color=COLOURS[method], ms=3, label=label)
    left.set(xlabel=title, ylabel="test loss", xscale="log", yscale="log")
    right.set(xlabel=title, ylabel="ms an update", xscale="log", yscale="log")
    right.legend()
    return encoded(drawing)


def encoded(drawing: Figure) -> str:
    """Figure as text."""
    png = io.BytesIO()
    drawing.savefig(png, format="png", dpi=110)
    return base64.b64encode(png.getvalue()).decode()

"""Figure of a `Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.plotting.run import RunFigure

if TYPE_CHECKING:
    from neuroanp.verify.report import Report

COLOURS = {"W_in": "#0072B2", "W_rec": "#D55E00", "W_out": "#009E73"}


def figure(report: Report) -> RunFigure:
    """Cosine against samples, and at the most samples against each setting that was swept."""
    drawing = RunFigure(figsize=(4.2 + 3 * len(report.sweeps), 3.6), layout="constrained")
    panels = drawing.subplots(1, 1 + len(report.sweeps), squeeze=False, sharey=True)[0]
    for name, found in report.estimates.items():
        panels[0].plot(found.samples, found.cosine, marker="o", ms=3, color=COLOURS[name], label=name)
        if np.isfinite(found.limit):
            panels[0].axhline(found.limit, color=COLOURS[name], lw=0.8, ls=":")
    panels[0].set(xscale="log", xlabel="samples", ylabel="cosine with the gradient", ylim=(-0.25, 1.05))
    panels[0].legend(fontsize=8, frameon=False, loc="lower right")
    for axes, sweep in zip(panels[1:], report.sweeps, strict=True):
        _sweep(axes, sweep)
    drawing.suptitle(f"{report.title}; dotted: limit", fontsize=9)
    return drawing


def _sweep(axes: Any, sweep: Any) -> None:
    places = np.arange(len(sweep.values))
    for name in sweep.estimates[0]:
        found = [estimates[name] for estimates in sweep.estimates if name in estimates]
        axes.plot(places, [one.cosine[-1] for one in found], marker="o", ms=3, color=COLOURS[name])
        axes.plot(places, [one.limit for one in found], color=COLOURS[name], lw=0.8, ls=":")
    axes.set_xticks(places, [f"{value:g}" for value in sweep.values])
    axes.set_xlabel(sweep.name)

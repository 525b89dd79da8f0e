"""Single plots on axes of the user's: loss, outputs and spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from neuroanp.plotting.run import LOSS, TEST, RunFigure, smooth
from neuroanp.plotting.style import BLACK, BLUE, GREY, styled
from neuroanp.types import Array


@styled
def plot_loss(history: Mapping[str, Array], axes: Axes | None = None) -> Axes:
    """Draw the loss over updates, and that on unseen trials.

    Parameters
    ----------
    history : mapping of arrays
        As in `neuroanp.Run`.
    axes : matplotlib.axes.Axes, optional
        Of a new figure when left out.

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(axes)
    update, loss = np.asarray(history["update"]), np.asarray(history["loss"])
    positive = np.isfinite(loss) & (loss > 0)
    axes.plot(update[positive], loss[positive], color=LOSS, alpha=0.25, linewidth=0.8)
    axes.plot(update[positive], smooth(loss[positive]), color=LOSS, label="training")
    if len(history.get("test_update", ())):
        axes.plot(
            history["test_update"],
            history["test_loss"],
            "o-",
            color=TEST,
            markersize=4,
            label="unseen trials",
        )
    axes.set(xlabel="update", ylabel="loss", yscale="log")
    axes.legend()
    return axes


@styled
def plot_output(outputs: Array, dt: float, targets: Array | None = None, axes: Axes | None = None) -> Axes:
    """Draw outputs over seconds, over their targets where there are any.

    Parameters
    ----------
    outputs : (T, n_out) array
    dt : float
        Length of a step in seconds.
    targets : (T, n_out) array, optional
    axes : matplotlib.axes.Axes, optional
        Of a new figure when left out.

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(axes)
    time = np.arange(len(outputs)) * dt
    if targets is not None:
        axes.plot(time, targets, color=GREY, linewidth=2.6, alpha=0.55)
    colour: dict[str, Any] = {"color": BLUE} if outputs.shape[1] == 1 else {}
    axes.plot(time, outputs, linewidth=1.3, **colour)
    axes.set(xlabel="time (s)", ylabel="output")
    axes.margins(x=0)
    return axes


@styled
def plot_raster(spikes: Array, dt: float, axes: Axes | None = None) -> Axes:
    """Draw spikes over seconds, a row a cell.

    Parameters
    ----------
    spikes : (T, N) array
        Other than 0 where a cell spikes.
    dt : float
        Length of a step in seconds.
    axes : matplotlib.axes.Axes, optional
        Of a new figure when left out.

    Returns
    -------
    matplotlib.axes.Axes
    """
    axes = _axes(axes)
    step, cell = np.nonzero(spikes)
    axes.scatter(step * dt, cell, s=3.0, marker="|", color=BLACK, linewidths=0.8)
    axes.set(xlabel="time (s)", ylabel="cell", xlim=(0, len(spikes) * dt), ylim=(-1, spikes.shape[1]))
    return axes


def _axes(axes: Axes | None) -> Axes:
    return RunFigure(figsize=(6, 3.5)).add_subplot() if axes is None else axes

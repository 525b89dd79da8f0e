"""Style of all figures."""

from __future__ import annotations

from matplotlib.axes import Axes


def bare(axes: Axes) -> None:
    """Take the upper and the right spine away."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

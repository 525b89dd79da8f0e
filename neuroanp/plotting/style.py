"""Style of all figures."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from numpy.typing import NDArray

Array = NDArray[Any]


def bare(axes: Axes) -> None:
    """Take the upper and the right spine away."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

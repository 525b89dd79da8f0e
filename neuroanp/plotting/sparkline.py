"""Small curve as SVG, for a notebook, without Matplotlib."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.plotting.style import BLUE, GREY
from neuroanp.types import Array

WIDTH, HEIGHT, LABELS = 360, 110, 150
"""Pixels of the curve, and those right of it for the labels of levels."""
MOST_POINTS = 300


def sparkline(x: Any, y: Any, levels: Mapping[str, float], name: str) -> str:
    """Curve of positive numbers on a logarithmic axis; empty where there are fewer than two.

    Parameters
    ----------
    x, y : (n,) arrays
    levels : mapping of float
        Horizontal lines, by the names that they are labelled with.
    name : str
        Name of the curve, read out by a screen reader.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    drawn = np.isfinite(y) & (y > 0)
    x, y = x[drawn], y[drawn]
    if len(y) < 2:
        return ""
    levels = {label: level for label, level in levels.items() if 0 < level < np.inf}
    bottom, top = _limits(np.array([*y, *levels.values()]))
    chosen = np.unique(np.linspace(0, len(y) - 1, MOST_POINTS).astype(int))
    across = WIDTH * (x[chosen] - x[0]) / ((x[-1] - x[0]) or 1.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, _down(y[chosen], bottom, top), strict=True))
    lines = [f"<polyline points='{points}' fill='none' stroke='{BLUE}' stroke-width='1.5'/>"]
    last = -np.inf
    for label, level in sorted(levels.items(), key=lambda item: -item[1]):
        height = float(_down(level, bottom, top))
        last = max(height, last + 13)
        lines.append(
            f"<line x1='0' x2='{WIDTH}' y1='{height:.1f}' y2='{height:.1f}' stroke='{GREY}' "
            f"stroke-dasharray='4 3'/><text x='{WIDTH + 6}' y='{last + 4:.1f}' font-size='11' fill='{GREY}'>"
            f"{html.escape(label)} {level:.3g}</text>"
        )
    return (
        f"<svg width='{WIDTH + LABELS}' height='{HEIGHT}' role='img' aria-label='{html.escape(name)}' "
        f"xmlns='http://www.w3.org/2000/svg'>{''.join(lines)}</svg>"
    )


def _limits(values: Array) -> tuple[float, float]:
    low, high = np.log10(values.min()), np.log10(values.max())
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _down(values: Any, bottom: float, top: float) -> Any:
    return HEIGHT * (top - np.log10(values)) / (top - bottom)

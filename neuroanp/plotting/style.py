"""Style of all figures: the palette of Okabe and Ito, and what Matplotlib calls rcParams.

It holds while a figure of ours is drawn, and never changes the rcParams of a user, who may ask for it:
``plt.style.use(neuroanp.plotting.STYLE)``.
"""

from __future__ import annotations

from typing import Any

import matplotlib
from cycler import cycler

BLACK, GREY = "#000000", "#777777"
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY = "#E69F00", "#56B4E9"

EXPORT: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}
"""Letters in vector files that stay letters, as journals ask and as one can edit."""

STYLE: Any = {
    **EXPORT,
    "axes.labelsize": 10,
    "axes.prop_cycle": cycler(color=[BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 10,
    "font.size": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}

#: Decorator of functions that draw a figure.
styled = matplotlib.rc_context(STYLE)

"""Figures of arrays; no class of ours is needed to draw them."""

from neuroanp.plotting.style import STYLE

__all__ = ["STYLE"]

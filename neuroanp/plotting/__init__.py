"""Figures of arrays; no class of ours is needed to draw them."""

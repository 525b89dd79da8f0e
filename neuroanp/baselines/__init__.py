"""What a trained network is compared with."""

from neuroanp.baselines import trivial

__all__ = ["trivial"]

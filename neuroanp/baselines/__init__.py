"""What a trained network is compared with."""

from neuroanp.baselines import trivial
from neuroanp.baselines.bptt import BPTT

__all__ = ["BPTT", "trivial"]

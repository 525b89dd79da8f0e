"""Substrates: what weights and cells physically are."""

from neuroanp.substrate.analog import Analog as Analog
from neuroanp.substrate.fixed_point import FixedPoint as FixedPoint
from neuroanp.substrate.loihi import LoihiLearning as LoihiLearning

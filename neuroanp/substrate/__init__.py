"""Substrates: what weights and cells physically are."""

from neuroanp.substrate.fixed_point import FixedPoint as FixedPoint

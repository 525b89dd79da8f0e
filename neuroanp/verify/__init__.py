"""Estimates of a rule beside the gradient that backpropagation through time has for the same trial."""

from neuroanp.verify.estimate import Estimate, estimate
from neuroanp.verify.report import Report, verify

__all__ = ["Estimate", "Report", "estimate", "verify"]

"""Checks of a rule: its estimates beside the gradient, and what it learns beside what there is to learn."""

from neuroanp.verify.estimate import Estimate, estimate
from neuroanp.verify.headroom import headroom
from neuroanp.verify.headroom_report import Arm, Headroom, Outcome
from neuroanp.verify.report import Report, verify

__all__ = ["Arm", "Estimate", "Headroom", "Outcome", "Report", "estimate", "headroom", "verify"]

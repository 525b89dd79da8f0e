"""Backpropagation through time, for comparison."""

from neuroanp.gradients.bptt import BPTT as BPTT

"""A model's Brian2 strings, rendered for where Brian2 itself doesn't run."""

from neuroanp.rendering.arrays import PLAIN, Ops, Step, expression, reach, render
from neuroanp.rendering.statements import Program, Source, program, spiking_keywords

__all__ = [
    "PLAIN",
    "Ops",
    "Program",
    "Source",
    "Step",
    "expression",
    "program",
    "reach",
    "render",
    "spiking_keywords",
]

"""Mean of an expression over blocks of a group's cells, kept for every step."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.core.variables import Variables
from brian2.groups.group import CodeRunner, Group
from brian2.units.fundamentalunits import DIMENSIONLESS

from neuroanp.engine.operations._base import grown


class BlockMean(Group, CodeRunner):
    """At each step, the mean of a Brian2 expression over every `block` consecutive cells.

    A run that is longer than the buffer leaves the steps behind its end out.

    Parameters
    ----------
    source : NeuronGroup
    expression : str
        Any dimensionless expression of the group's variables.
    block : int
        Cells a mean; has to divide the group.
    when, order : str, int
        Slot of the step and place in the slot.
    name : str
    """

    add_to_magic_network = True
    invalidates_magic_network = False

    def __init__(self, source: Any, expression: str, *, block: int, when: str, order: int, name: str) -> None:
        self.source, self.block = source, block
        self.codeobj_class = None
        self.namespace = getattr(source, "namespace", None)
        CodeRunner.__init__(
            self,
            group=self,
            template="block_mean",
            code=f"_value = {expression}",
            clock=source.clock,
            when=when,
            order=order,
            name=name,
            template_kwds={"block": block},
        )
        self.add_dependency(source)
        dtype = np.float64
        self.variables = Variables(self)
        self.variables.add_array("row", size=1, dtype=np.int64, scalar=True)
        self._row = self.variables["row"].get_value()
        self.variables.add_dynamic_array("buffer", size=0, dtype=dtype)
        self.variables.add_auxiliary_variable("_value", dimensions=DIMENSIONLESS, dtype=dtype)
        self.variables.add_references(source, [n for n in source.variables if n not in ("row", "buffer")])
        self._enable_group_attributes()

    def prepare(self, shape: tuple[int, ...]) -> np.ndarray:
        """Make ready for a trial; returns the buffer of means as `shape`, steps first."""
        self._row[0] = 0
        return grown(self.variables["buffer"], shape)

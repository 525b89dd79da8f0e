"""`Operation`: a Brian2 object whose step is one C++ statement, and its NumPy twin."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from brian2.core.variables import DynamicArrayVariable, Variables
from brian2.groups.group import CodeRunner, Group


def grown(variable: Any, shape: tuple[int, ...]) -> np.ndarray:
    """First part of a dynamic variable, as `shape`."""
    size = math.prod(shape)
    values = present(variable)
    if len(values) < size:
        variable.resize(size)
        values = present(variable)
    return values[:size].reshape(shape)


def present(variable: Any) -> np.ndarray:
    """Memory of a dynamic variable as it is now; `get_value` gives the same after a longer way."""
    return variable.device.arrays[variable].data


class Operation(Group, CodeRunner):
    """Base of the engine's array operations.

    A subclass gives `native`, C++ in which ``@name`` stands for the pointer to variable `name` and
    ``@@name`` for a number fixed when the object is made, and `step`, the same in NumPy.

    Attributes
    ----------
    native, native_before : str
        Code of a step, and that before a run.
    by_rows : bool
        True where the code of a step works on ``neuroanp::stretches``, the rows of one thread, alone.

    Parameters
    ----------
    group : Group
        A group on whose clock the operation runs.
    when, order : str, int
        Slot of the step and place in the slot.
    name : str
    """

    add_to_magic_network = True
    invalidates_magic_network = False
    native: str
    native_before: str = ""
    by_rows: bool = False

    def __init__(self, group: Any, when: str, order: int, name: str) -> None:
        self.codeobj_class = None
        self.namespace: dict[str, Any] = {}
        self._numbers: dict[str, Any] = {}
        self._memory: dict[str, np.ndarray] = {}
        CodeRunner.__init__(
            self,
            group=self,
            template="operation",
            clock=group.clock,
            when=when,
            order=order,
            name=name,
            check_units=False,
            template_kwds={"native": self._native, "before_run": self._native_before},
        )
        self.variables = Variables(self)
        self.variables.add_constant("N", value=1)

    def _ready(self, **numbers: Any) -> None:
        """Finish construction: `numbers` are fixed in the source, the rest are variables."""
        self._numbers = numbers
        self.needed_variables = [name for name in self.variables if name != "N"]
        self._enable_group_attributes()

    def _refer(self, name: str, group: Any, variable: str) -> None:
        self.variables.add_reference(name, group, variable, index="0")
        self.add_dependency(group)

    def _buffer(self, name: str, dtype: Any, size: int = 0) -> None:
        self.variables.add_dynamic_array(name, size=size, dtype=dtype)
        self.variables[name].set_value(0)

    def _native(self, get_array_name: Any, variables: Any) -> str:
        return self._text(self.native, get_array_name, variables)

    def _native_before(self, get_array_name: Any, variables: Any) -> str:
        return self._text(self.native_before, get_array_name, variables)

    def _text(self, native: str, get_array_name: Any, variables: Any) -> str:
        text = re.sub(r"@@(\w+)", lambda match: str(self._numbers[match[1]]), native)
        return re.sub(r"@(\w+)", lambda match: get_array_name(variables[match[1]]), text)

    def array(self, name: str) -> np.ndarray:
        """The memory of a variable of this operation."""
        memory = self._memory.get(name)
        if memory is None:
            variable = self.variables[name]
            if isinstance(variable, DynamicArrayVariable):
                return present(variable)
            memory = self._memory[name] = variable.get_value()  # stays where it is
        return memory

    def allocate(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A view of a buffer as `shape`; its memory grows where it is too small and never shrinks."""
        return grown(self.variables[name], shape)

    def step(self) -> None:
        """The operation in NumPy."""
        raise TypeError(f"{type(self).__name__} does not define step")

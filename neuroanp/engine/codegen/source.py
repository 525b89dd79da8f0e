"""A network as C++, and the memory to be connected to it."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_UNITS

from neuroanp.engine.build.compiler import Extra


@dataclasses.dataclass(frozen=True)
class External:
    """A name of the network that the user defined outside of it.

    Attributes
    ----------
    name : str
    owner : callable, optional
        Gives the object in whose own namespace the name was found, or ``None`` where that is gone;
        left out where the name was found in the namespace of the run.
    """

    name: str
    owner: Callable[[], Any] | None = None

    @property
    def key(self) -> tuple[str, Any]:
        """Equal for names that have one value."""
        return self.name, self.owner and id(self.owner())

    def value(self, run: Mapping[str, Any]) -> Any:
        """Present value of the name; `run` is the namespace of the run."""
        if self.owner is None:
            return run.get(self.name)
        owner = self.owner()
        return None if owner is None else owner.namespace.get(self.name)


@dataclasses.dataclass
class StaticArray:
    """An array that belongs to a function, such as the values of a TimedArray."""

    name: str
    values: np.ndarray
    function: Any


@dataclasses.dataclass
class Source:
    """A network as C++.

    Attributes
    ----------
    files : dict
        File name to text, as C++ standalone would write them.
    steps : list of (clock index, code object name)
        Code of a step, in order.
    before, after : list of str
        Code objects with code that comes before or after a run.
    arrays : list of (variable, name)
        Fixed-size arrays; the library holds a pointer to each.
    vectors, tables : list of (variable, name)
        One- and two-dimensional dynamic arrays that a run makes longer, owned by the library.
    borrowed : list of (variable, name)
        Dynamic arrays that stay as long as they are in a run, such as those of synapses.
    static : list of StaticArray
    pathways : list of (SynapticPathway, name)
    constants : list of (External, float)
        External constants, in the order of the constants block.
    queue_units : set of str
        Code objects that sort synapses into spike queues.
    owners : dict
        Code object name to the name of its Brian2 object.
    external : list of External
        Everything that was found outside the network's own variables.
    separable : bool
        True where threads can run the rows of the network apart from each other.
    """

    files: dict[str, str]
    clocks: list[Any]
    steps: list[tuple[int, str]]
    before: list[str]
    after: list[str]
    arrays: list[tuple[Any, str]]
    vectors: list[tuple[Any, str]]
    borrowed: list[tuple[Any, str]]
    tables: list[tuple[Any, str]]
    static: list[StaticArray]
    pathways: list[tuple[Any, str]]
    constants: list[tuple[External, float]]
    queue_units: set[str]
    external: list[External]
    extra: Extra
    owners: dict[str, str] = dataclasses.field(default_factory=dict)
    separable: bool = False


def external(
    name: str, owner: Any, namespace: Mapping[str, Any], objects: Mapping[str, Any]
) -> External | None:
    """The external that `name` is for a code object's owner; ``None`` for what Brian2 or the owner defines.

    Parameters
    ----------
    name : str
    owner : BrianObject
        A weak proxy, often.
    namespace : mapping
        Of the run.
    objects : mapping
        The network's objects by name.
    """
    if name in getattr(owner, "variables", {}):
        return None
    if name in DEFAULT_CONSTANTS or name in DEFAULT_UNITS or name in DEFAULT_FUNCTIONS:
        return None
    if name in (getattr(owner, "namespace", None) or {}):
        member = objects.get(owner.name)
        return External(name, (lambda: owner) if member is None else weakref.ref(member))
    return External(name) if name in namespace else None

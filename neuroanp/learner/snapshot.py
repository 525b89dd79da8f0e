"""`Snapshot`: state of a user's network, to which each pass goes back."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
from brian2 import EventMonitor, PopulationRateMonitor, StateMonitor, Synapses
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.synapses.synapses import SynapticPathway

from neuroanp.engine.operations import BlockMean, Operation
from neuroanp.types import Array, Arrays

MONITORS = (EventMonitor, StateMonitor, PopulationRateMonitor)
STRUCTURE = frozenset({"i", "j", "N", "_synaptic_pre", "_synaptic_post", "N_incoming", "N_outgoing"})
"""Variables that say which cells and synapses there are."""


class Snapshot:
    """State of a network now, but for what goes on from trial to trial.

    A pass goes back to the values of all cells, to the spikes under way, to the time, and to the variables of
    synapses that have an equation (traces of a plasticity rule, resources). Monitors hold a pass alone. What
    a synapse's model declares as a parameter goes on: learned weights, and weights that the network's own
    plasticity changes.

    Parameters
    ----------
    net : Network
        Objects of a learner in it are left alone.
    """

    def __init__(self, net: Any) -> None:
        users = (obj for obj in net.sorted_objects if not isinstance(obj, (Operation, BlockMean)))
        objects = sorted(users, key=_natural)
        self.net, self.time = net, float(net.t_)
        self._pathways = [obj for obj in objects if isinstance(obj, SynapticPathway)]
        self._queues = [pathway.queue._full_state() for pathway in self._pathways]
        self._monitors = [obj for obj in objects if isinstance(obj, MONITORS)]
        self._rest: list[tuple[Any, Array]] = []
        self._lasting: list[Any] = []
        digest = hashlib.sha256()
        for obj in objects:
            for variable in [] if isinstance(obj, MONITORS) else _owned(obj):
                if variable.name in STRUCTURE:
                    digest.update(np.ascontiguousarray(variable.get_value()).tobytes())
                elif _lasts(obj, variable):
                    self._lasting.append(variable)
                else:
                    self._rest.append((variable, variable.get_value().copy()))
                    digest.update(np.ascontiguousarray(variable.get_value()).tobytes())
        for pathway in self._pathways:
            digest.update(np.ascontiguousarray(pathway.variables["delay"].get_value()).tobytes())
        self.digest = digest.hexdigest()

    def restore(self) -> None:
        """Go back to it, and leave what goes on as it is."""
        for variable, values in self._rest:
            if variable.size != values.size:
                variable.resize(values.size)
            variable.set_value(values)
        for pathway, state in zip(self._pathways, self._queues, strict=True):
            pathway.queue._restore_from_full_state(state)
        for monitor in self._monitors:
            _clear(monitor)
        if self._pathways:
            changed = getattr(self._pathways[0].variables["delay"].device, "changed", None)
            if changed is not None:
                changed()
        self.net.t_ = self.time

    def lasting(self) -> Arrays:
        """Copy of what goes on, by number."""
        return {str(k): variable.get_value().copy() for k, variable in enumerate(self._lasting)}

    def put(self, lasting: Arrays) -> None:
        """Write what goes on."""
        for k, variable in enumerate(self._lasting):
            variable.set_value(lasting[str(k)])


def _clear(monitor: Any) -> None:
    """Forget what a monitor has recorded."""
    for variable in _owned(monitor):
        if isinstance(variable, DynamicArrayVariable):
            variable.resize(0 if variable.ndim == 1 else (0, variable.get_value().shape[1]))
        elif variable.name in ("N", "count"):
            variable.set_value(0)


def _owned(obj: Any) -> list[Any]:
    """Arrays of an object, in the order of their names."""
    variables = getattr(obj, "variables", {})
    owned = (variables[name] for name in sorted(variables))
    return [
        variable
        for variable in owned
        if isinstance(variable, ArrayVariable)
        and variable.owner is not None
        and variable.owner.name == obj.name
    ]


def _lasts(obj: Any, variable: Any) -> bool:
    return isinstance(obj, Synapses) and variable.name in obj.equations.parameter_names


def _natural(obj: Any) -> list[Any]:
    """Key that sorts names by the numbers in them, in the order in which Brian2 gave them."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", obj.name)]

"""Objects that the engine cannot run, refused by name before anything is compiled."""

from __future__ import annotations

from typing import Any

import brian2
from brian2 import NetworkOperation
from brian2.core.variables import ArrayVariable
from brian2.devices.device import all_devices
from brian2.stateupdaters.GSL import GSLStateUpdater

from neuroanp.engine.errors import UnsupportedObject

CLOCKS = tuple(getattr(brian2, name) for name in ("Clock", "EventClock") if hasattr(brian2, name))
"""Kinds of clocks; Brian2 has the second since 2.11."""

HOOKS = ("before_run", "run", "after_run")
"""Methods of an object that Brian2 calls at a run."""


def check_supported(net: Any, device: Any, compiled: bool) -> None:
    """Raise for the first object of `net` that cannot be run.

    Parameters
    ----------
    net : Network
    device : NeuroANPDevice
    compiled : bool
        The network is going to be compiled.

    Raises
    ------
    UnsupportedObject
        For objects that were made under another device, and for clocks of unknown kinds; where the network is
        compiled, also for Python code of the user's, see `python_code`, and GSL integrators.
    """
    for obj in net.sorted_objects:
        for variable in getattr(obj, "variables", {}).values():
            if isinstance(variable, ArrayVariable) and variable.device is not device:
                raise UnsupportedObject(
                    f"'{obj.name}' was made under Brian2's device '{_name(variable.device)}': "
                    f"call set_device('{_name(device)}') before making the network's objects"
                )
        if type(obj.clock) not in CLOCKS:
            kinds = " and ".join(kind.__name__ for kind in CLOCKS)
            kind = type(obj.clock).__name__
            raise UnsupportedObject(f"'{obj.name}' runs on a {kind}: only {kinds} can be run")
        if not compiled:
            continue
        if code := python_code(obj):
            raise UnsupportedObject(f"{code}: Python code cannot run compiled; use engine='runtime'")
        method = getattr(obj, "method_choice", None)
        if isinstance(method, GSLStateUpdater) or (isinstance(method, str) and method.startswith("gsl")):
            raise UnsupportedObject(f"'{obj.name}' uses a GSL integrator, which the compiled engine lacks")


def python_code(obj: Any, hooks: tuple[str, ...] = HOOKS) -> str | None:
    """Words that name the user's Python code in a Brian2 object that a run has to call; None without any."""
    if isinstance(obj, NetworkOperation) and "run" in hooks:
        return f"'{obj.name}' ({getattr(obj.function, '__name__', '')}) is a network operation"
    for hook in hooks:
        home = "" if hook in vars(obj) else getattr(type(obj), hook).__module__
        if not home.startswith(("brian2.", "neuroanp.")):
            return f"'{obj.name}' has a method {hook} of its own"
    return None


def _name(device: Any) -> str:
    return next((name for name, offered in all_devices.items() if offered is device), type(device).__name__)

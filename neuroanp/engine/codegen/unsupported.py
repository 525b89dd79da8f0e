"""Objects that the engine cannot run, refused by name before anything is compiled."""

from __future__ import annotations

from typing import Any

from brian2 import Clock, NetworkOperation
from brian2.core.variables import ArrayVariable
from brian2.devices.device import all_devices
from brian2.stateupdaters.GSL import GSLStateUpdater

from neuroanp.engine.errors import UnsupportedObject


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
        For objects that were made under another device, and for clocks other than `Clock`; where the
        network is compiled, also for network operations (they are Python code) and GSL integrators.
    """
    for obj in net.sorted_objects:
        for variable in getattr(obj, "variables", {}).values():
            if isinstance(variable, ArrayVariable) and variable.device is not device:
                raise UnsupportedObject(
                    f"'{obj.name}' was made under Brian2's device '{_name(variable.device)}': "
                    f"call set_device('{_name(device)}') before making the network's objects"
                )
        if type(obj.clock) is not Clock:
            kind = type(obj.clock).__name__
            raise UnsupportedObject(f"'{obj.name}' runs on a {kind}: only Clock is supported")
        if not compiled:
            continue
        if isinstance(obj, NetworkOperation):
            function = getattr(obj.function, "__name__", "")
            raise UnsupportedObject(
                f"'{obj.name}' ({function}) is a network operation: Python code cannot run compiled; "
                "do it between runs, or use engine='runtime'"
            )
        method = getattr(obj, "method_choice", None)
        if isinstance(method, GSLStateUpdater) or (isinstance(method, str) and method.startswith("gsl")):
            raise UnsupportedObject(f"'{obj.name}' uses a GSL integrator, which the compiled engine lacks")


def _name(device: Any) -> str:
    return next((name for name, offered in all_devices.items() if offered is device), type(device).__name__)

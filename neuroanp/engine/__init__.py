"""Brian2, compiled once and run in this process.

``import neuroanp.engine; brian2.set_device("neuroanp")``, then ordinary Brian2 code with as many
`run` calls as one likes. This package knows nothing of learning and can be used alone.
"""

from brian2.devices.device import all_devices

from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.device import NeuroANPDevice
from neuroanp.engine.errors import CacheError, CompileError, EngineError, NoCompiler, UnsupportedObject
from neuroanp.errors import InvalidValue, show_as_usual

__all__ = [
    "CacheError",
    "CompileError",
    "EngineError",
    "NeuroANPDevice",
    "NoCompiler",
    "UnsupportedObject",
    "device_for",
]


def device_for(engine: str) -> NeuroANPDevice:
    """The device for ``"auto"``, ``"compiled"`` or ``"runtime"``.

    Raises
    ------
    InvalidValue
        For any other name.
    NoCompiler
        For ``"compiled"`` where there is no C++ compiler.
    """
    if engine not in ("auto", "compiled", "runtime"):
        raise InvalidValue("engine", "auto, compiled or runtime", engine)
    if engine == "compiled" and find_compiler() is None:
        raise NoCompiler
    return all_devices["neuroanp_runtime" if engine == "runtime" else "neuroanp"]


show_as_usual()
all_devices.setdefault("neuroanp", NeuroANPDevice("auto"))
all_devices.setdefault("neuroanp_runtime", NeuroANPDevice("runtime"))

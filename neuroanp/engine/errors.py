"""Exceptions of the engine, beside Brian2's own."""

from __future__ import annotations

from neuroanp.errors import NeuroANPError


class EngineError(NeuroANPError):
    """Base of the engine's errors."""


class UnsupportedObject(EngineError, NotImplementedError):
    """The network holds an object or uses an option that the compiled engine cannot run."""


class NoImplementation(UnsupportedObject):
    """The network uses a function that has no implementation in C++."""


class CompileError(EngineError, RuntimeError):
    """The C++ compiler refused the generated code; carries its message and the Brian2 object."""


class NoCompiler(CompileError):
    """The compiled engine was asked for by name where there is no C++ compiler."""

    def __init__(self) -> None:
        super().__init__("engine='compiled' needs a C++ compiler: install g++ or clang++, or name one in CXX")


class CacheError(EngineError, OSError):
    """The build cache cannot be used: permissions, ownership, or no space."""

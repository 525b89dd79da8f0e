"""C++ compiler of this machine, and the flags that suit it."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler: its command, its version, and the flags to call it with."""

    command: str
    version: str

    @property
    def compile_flags(self) -> list[str]:
        """Flags for compiling. Finite-only arithmetic is left out: divergence must stay visible."""
        flags = ["-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-fPIC", "-w", "-std=c++17"]
        flags += ["-fvisibility=hidden"]
        if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
            # without the macro glibc hides its vector functions, as the arithmetic is not finite-only
            flags += ["-D__FAST_MATH__"]
        if "clang" not in self.version.lower():
            flags += ["-fno-gnu-unique"]
        return flags

    @property
    def link_flags(self) -> list[str]:
        """Flags for linking. Not -ffast-math: GCC before 13 then changes arithmetic in the whole process."""
        return ["-shared"]

    @property
    def identity(self) -> str:
        """Everything of compiler and machine that decides whether a build can be reused."""
        return "\n".join([self.command, self.version, *self.compile_flags, *self.link_flags, _cpu()])


@functools.cache
def find_compiler() -> Compiler | None:
    """The compiler named by ``CXX``, else g++, clang++ or c++; ``None`` where there is none.

    A ``CXX`` that doesn't run is told of, and the others are tried.
    """
    named = os.environ.get("CXX")
    compiler = _working(named) if named else None
    if compiler is not None:
        return compiler
    other = next(filter(None, map(_working, ("g++", "clang++", "c++"))), None)
    if named and other is not None:
        warnings.warn(f"CXX={named} is no C++ compiler that runs: {other.command} is used", stacklevel=2)
    return other


def _working(command: str) -> Compiler | None:
    path = shutil.which(command)
    if path is None:
        return None
    try:
        result = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Compiler(path, result.stdout.strip().split("\n")[0]) if result.returncode == 0 else None


@functools.cache
def _cpu() -> str:
    text = platform.machine() + platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().split("\n\n")[0].split("\n")
        text += "".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Extra:
    """Needs of the network's own C++ functions, for the compiler."""

    macros: list[str]
    include_dirs: list[str]
    library_dirs: list[str]
    runtime_library_dirs: list[str]
    libraries: list[str]
    headers: list[str]
    sources: list[str]

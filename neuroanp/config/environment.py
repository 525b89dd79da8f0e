"""Versions, system and processor that a result was made with."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from pathlib import Path
from typing import Any

from neuroanp.errors import MissingExtra


def version(package: str) -> str | None:
    """Version of a package, None where it isn't installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of those packages that are installed, by name."""
    numbers = {package: version(package) for package in packages}
    return {"python": platform.python_version()} | {name: text for name, text in numbers.items() if text}


def system() -> str:
    """Operating system and architecture, such as ``Linux x86_64``."""
    return f"{platform.system()} {platform.machine()}"


def processor() -> str:
    """Model of the processor."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.is_file() else None
    return model[1] if model else platform.processor() or "unknown"


def jax(extra: str = "jax") -> Any:
    """Module `jax`, imported at its first use.

    Raises
    ------
    MissingExtra
        Where it is not installed, with the extra that brings it.
    """
    try:
        import jax
    except ImportError:
        raise MissingExtra("jax", extra) from None
    return jax

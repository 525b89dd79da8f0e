"""Parts by their shell names, from this package and from any other that offers some.

A package offers a class by listing it in its ``pyproject.toml``::

    [project.entry-points."neuroanp.rules"]
    my-rule = "my_package.my_module:MyRule"
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from neuroanp.errors import NeuroANPError, UnknownName

GROUPS = {kind: f"neuroanp.{kind}s" for kind in ("task", "model", "rule", "optimizer", "baseline")}
"""Entry point group of each kind of part."""

FAILURES = (ImportError, AttributeError, SyntaxError, NameError, TypeError, ValueError, OSError, RuntimeError)
"""Errors that the import of somebody else's module is prepared for."""


OURS = "neuroanp."
"""Beginning of the addresses of our own classes."""

LAZY = ("neuroanp", "neuroanp.models", "neuroanp.rules", "neuroanp.tasks")
"""Our own packages that import what is asked of them, and nothing else."""

INDEX = Path(__file__).with_name("index.json")
"""First sentences of our own classes, by kind and name, so that a list of them imports none."""


class BrokenEntryPoint(NeuroANPError):
    """Name that some package offers, but whose class can't be imported."""


def names(kind: str) -> list[str]:
    """Names that are offered for a kind of `GROUPS`; no class is imported."""
    return sorted(_offered(kind))


def sentences(kind: str) -> dict[str, str]:
    """First sentence of each class of a kind by its name, empty for those of others; no class is imported."""
    index = json.loads(INDEX.read_text(encoding="utf-8"))[kind]
    ours = {name for name, entry in _offered(kind).items() if entry.value.startswith(OURS)}
    return {name: index.get(name, "") if name in ours else "" for name in names(kind)}


def classes(kind: str) -> dict[str, type[Any]]:
    """Classes of a kind that can be imported, by shell name.

    Parameters
    ----------
    kind : str
        Of `GROUPS`.
    """
    sound = {}
    for name, entry in sorted(_offered(kind).items()):
        try:
            sound[name] = _load(kind, entry)
        except BrokenEntryPoint:
            continue
    return sound


def kind_of(base: type[Any]) -> str | None:
    """Kind whose classes can be chosen for a part: ``registered_as`` of its class itself; None without."""
    kind: str | None = vars(base).get("registered_as")
    return kind


def address(cls: type[Any]) -> str:
    """``module:Name`` of a class, by the outermost package that has it."""
    parts = cls.__module__.split(".")
    for length in range(1, len(parts)):
        module = ".".join(parts[:length])
        if getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return f"{module}:{cls.__name__}"
    return f"{cls.__module__}:{cls.__qualname__}"


def imported(where: str) -> Any:
    """Object at ``"module:Name"``, where its module is imported already; else None."""
    module, _, name = where.partition(":")
    item: Any = sys.modules.get(module)
    for part in name.split("."):
        # our own packages look names up when used; in other modules nothing is looked up that isn't there
        there = getattr(item, "__dict__", {})
        item = getattr(item, part, None) if module in LAZY else there.get(part)
    return item


def offered_class(where: str) -> type[Any] | None:
    """Class of an installed entry point at ``"module:Name"``; None where nobody offers it."""
    package = where.partition(":")[0].partition(".")[0]
    entries = [(kind, entry) for kind in GROUPS for entry in _offered(kind).values()]
    for kind, entry in sorted(entries, key=lambda offer: offer[1].value != where):
        if entry.module.partition(".")[0] == package:
            cls = _load(kind, entry)
            if where in (entry.value, address(cls)):
                return cls
    return None


def find(kind: str, name: str) -> type[Any]:
    """Class by its name; nothing else is imported.

    Parameters
    ----------
    kind : str
        Of `GROUPS`.
    name : str
        Shell name.

    Raises
    ------
    UnknownName
        For a name that nobody offers, with the nearest that somebody does.
    BrokenEntryPoint
        For a name that is offered and can't be imported.
    """
    offered = _offered(kind)
    if name not in offered:
        raise UnknownName(kind, name, names(kind))
    return _load(kind, offered[name])


def broken() -> list[str]:
    """Reasons, a line for each class that is offered and can't be imported."""
    reasons = []
    for kind in GROUPS:
        for entry in _offered(kind).values():
            try:
                _load(kind, entry)
            except BrokenEntryPoint as error:
                reasons.append(str(error))
    return reasons


def require_links() -> None:
    """Check of ``neuroanp/models`` and ``neuroanp/tasks``, which have to be folders.

    Raises
    ------
    NeuroANPError
        In a checkout whose symbolic links became text files.
    """
    package = Path(__file__).parents[1]
    for name in ("models", "tasks"):
        if not (package / name).is_dir():
            raise NeuroANPError(
                f"neuroanp/{name}: expected a link to the folder {name}, got a file, as git leaves it where "
                "it makes no symbolic links: allow them (on Windows turn on Developer Mode), run "
                "`git config core.symlinks true` and `git checkout -- neuroanp`, or install a wheel"
            )


def _offered(kind: str) -> Mapping[str, EntryPoint]:
    if kind not in GROUPS:
        raise UnknownName("kind", kind, list(GROUPS))
    require_links()
    entries: Iterable[EntryPoint] = _entries(_path()).select(group=GROUPS[kind])
    ours_last = sorted(entries, key=lambda entry: entry.value.startswith(OURS))
    return {entry.name: entry for entry in ours_last}


def _path() -> tuple[tuple[str, int], ...]:
    """Folders that packages are found in, with the times at which something was installed there last."""
    times = {folder: os.stat(folder).st_mtime_ns for folder in sys.path if os.path.isdir(folder)}
    return tuple(times.items())


@functools.lru_cache(maxsize=1)
def _entries(path: tuple[tuple[str, int], ...]) -> Any:
    """Entry points of the packages that are installed on a path, which has many files to read."""
    return importlib.metadata.entry_points()


def _load(kind: str, entry: EntryPoint) -> type[Any]:
    where = f"{kind} {entry.name} ({entry.value})"
    try:
        loaded = entry.load()
    except FAILURES as error:
        raise BrokenEntryPoint(f"{where}: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, type):
        raise BrokenEntryPoint(f"{where}: expected a class, got {loaded!r}")
    return loaded

"""Tasks, models and rules by their shell names, from this package and from any other that offers some.

A package offers a class by listing it in its ``pyproject.toml``::

    [project.entry-points."neuroanp.rules"]
    my-rule = "my_package.my_module:MyRule"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from neuroanp.errors import NeuroANPError, UnknownName

GROUPS = {"task": "neuroanp.tasks", "model": "neuroanp.models", "rule": "neuroanp.rules"}

FAILURES = (ImportError, AttributeError, SyntaxError, NameError, TypeError, ValueError, OSError, RuntimeError)
"""What the import of somebody else's module is prepared for."""


class BrokenEntryPoint(NeuroANPError):
    """A name that some package offers, but whose class can't be imported."""


def tasks() -> dict[str, type[Any]]:
    """All task classes that can be imported, by shell name."""
    return _sound("task")


def models() -> dict[str, type[Any]]:
    """All model classes that can be imported, by shell name."""
    return _sound("model")


def rules() -> dict[str, type[Any]]:
    """All rule classes that can be imported, by shell name."""
    return _sound("rule")


def find(kind: str, name: str) -> type[Any]:
    """Look up one class; nothing else is imported.

    Parameters
    ----------
    kind : str
        ``"task"``, ``"model"`` or ``"rule"``.
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
        raise UnknownName(kind, name, sorted(offered))
    return _load(kind, offered[name])


def broken() -> list[str]:
    """One line for each class that is offered and can't be imported, saying why."""
    reasons = []
    for kind in GROUPS:
        for entry in _offered(kind).values():
            try:
                _load(kind, entry)
            except BrokenEntryPoint as error:
                reasons.append(str(error))
    return reasons


def require_links() -> None:
    """Check that ``neuroanp/models`` and ``neuroanp/tasks`` are folders.

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


def _offered(kind: str) -> dict[str, EntryPoint]:
    if kind not in GROUPS:
        raise UnknownName("kind", kind, list(GROUPS))
    require_links()
    found = entry_points(group=GROUPS[kind])
    own_last = sorted(found, key=lambda entry: entry.value.startswith("neuroanp."))
    return {entry.name: entry for entry in own_last}


def _sound(kind: str) -> dict[str, type[Any]]:
    sound = {}
    for name, entry in sorted(_offered(kind).items()):
        try:
            sound[name] = _load(kind, entry)
        except BrokenEntryPoint:
            continue
    return sound


def _load(kind: str, entry: EntryPoint) -> type[Any]:
    where = f"{kind} {entry.name} ({entry.value})"
    try:
        loaded = entry.load()
    except FAILURES as error:
        raise BrokenEntryPoint(f"{where}: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, type):
        raise BrokenEntryPoint(f"{where}: expected a class, got {loaded!r}")
    return loaded

"""``neuroanp doctor``: equipment of this machine for training, and advice on what it lacks."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import re
import stat
from collections.abc import Callable, Iterator

from neuroanp.config import environment, registry
from neuroanp.errors import MissingExtra, NeuroANPError

GOOD, HINT, BAD = "ok", "--", "!!"
OTHER_CACHE = "set NEUROANP_CACHE to a folder of yours that can be written"


@dataclasses.dataclass(frozen=True)
class Finding:
    """Finding on one thing that training needs.

    Attributes
    ----------
    mark : str
        ``"ok"``, ``"--"`` when something could be better, ``"!!"`` when nothing trains like this.
    subject, state : str
        Thing looked at, and its state.
    advice : str
        Remedy; empty where none is needed.
    """

    mark: str
    subject: str
    state: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"[{self.mark}] {self.subject:<14}{self.state}"
        return line + (f"\n     -> {self.advice}" if self.advice else "")


def doctor_command() -> int:
    """Findings on all that training needs, printed; returns the exit code."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions, _engine, _blas, _devices, _classes, _extras
    )  # fmt: skip
    marks = set()
    for finding in (finding for look in looks for finding in look()):
        print(finding)
        marks.add(finding.mark)
    if BAD in marks:
        print("Networks can't be trained here until what is marked !! is put right.")
        return 1
    print("Nothing to do." if marks == {GOOD} else "Networks train here.")
    return 0


def _versions() -> Iterator[Finding]:
    yield Finding(GOOD, "python", f"{platform.python_version()} on {environment.system()}")
    absent = Finding(HINT, "neuroanp", "not installed, running from its folder", "pip install -e . there")
    version = environment.version("neuroanp")
    yield absent if version is None else Finding(GOOD, "neuroanp", version)
    for package in ("brian2", "numpy", "scipy"):
        absent = Finding(BAD, package, "not installed", f"pip install {package}")
        version = environment.version(package)
        yield absent if version is None else Finding(GOOD, package, version)
    try:
        import brian2  # noqa: F401
    except (ImportError, AttributeError) as error:
        advice = "on Python 3.11, Brian2 2.9 needs an older NumPy: pip install 'numpy<2.4'"
        yield Finding(BAD, "brian2", f"can't be imported: {error}", advice)


def _engine() -> Iterator[Finding]:
    try:
        from neuroanp.engine.build.cache import cache_folder
        from neuroanp.engine.build.compiler import find_compiler
    except (ImportError, AttributeError) as error:
        yield Finding(BAD, "engine", f"can't be imported: {error}", "see brian2 above")
        return
    compiler = find_compiler()
    if compiler is None:
        named = os.environ.get("CXX")
        state = "none found" if named is None else f"CXX={named} doesn't run"
        advice = "training works, slower; install g++ or clang++ for the compiled engine"
        yield Finding(HINT, "compiler", state, advice)
    else:
        yield Finding(GOOD, "compiler", f"{compiler.version} ({compiler.command})")
    folder = cache_folder()
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        yield Finding(BAD, "build cache", f"{folder} can't be written", OTHER_CACHE)
    elif nearest != folder:
        yield Finding(GOOD, "build cache", f"{folder}, made by the first build")
    else:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        yield _cache(folder.stat(), str(folder), size)


def _cache(status: os.stat_result, folder: str, size: int) -> Finding:
    state = f"{folder}, {size / 1e6:.1f} MB, permissions {stat.S_IMODE(status.st_mode):o}"
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        return Finding(BAD, "build cache", f"{state}, of another user", OTHER_CACHE)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding(BAD, "build cache", f"{state}: others can write to it", f"chmod 700 {folder}")
    return Finding(GOOD, "build cache", state)


def _blas() -> Iterator[Finding]:
    try:
        import scipy.linalg  # noqa: F401  (loads the BLAS that the engine uses)
        from threadpoolctl import threadpool_info
    except ImportError as error:
        yield Finding(BAD, "BLAS", f"can't be looked at: {error}", f"pip install {error.name}")
        return
    states = {
        f"{library['internal_api']} {library['version']}, {library['num_threads']} threads"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    for state in sorted(states):
        text = f"{state} of {os.cpu_count()} cores; a training takes one, and threads of its own"
        yield Finding(GOOD, "BLAS", text)


def _devices() -> Iterator[Finding]:
    try:
        devices = environment.jax().devices()
    except MissingExtra:
        return  # as the extras say
    except RuntimeError as error:
        yield Finding(HINT, "jax", f"finds no device: {error}", "mend JAX, or train without --engine jax")
        return
    yield Finding(GOOD, "jax", f"{len(devices)} {devices[0].device_kind}; --engine jax trains there")


def _classes() -> Iterator[Finding]:
    try:
        registry.require_links()
    except NeuroANPError as error:
        yield Finding(BAD, "folders", str(error))
        return
    for reason in registry.broken():
        yield Finding(HINT, "broken class", reason, "reinstall the package that offers it, or mend it")


def _extras() -> Iterator[Finding]:
    requirements = importlib.metadata.requires("neuroanp") or [] if environment.version("neuroanp") else []
    missing: dict[str, list[str]] = {}
    for requirement in requirements:
        extra = re.search(r"extra\s*==\s*['\"]([\w.-]+)['\"]", requirement)
        package = re.match(r"[\w.-]+", requirement)
        if extra and package and package[0] != "neuroanp" and environment.version(package[0]) is None:
            missing.setdefault(extra[1], []).append(package[0])
    missing.pop("all", None)
    for name, packages in missing.items():
        state = f"without {', '.join(packages)}"
        yield Finding(HINT, f"extra {name}", state, f"pip install 'neuroanp[{name}]'")

"""Compile a translation unit once and keep the library: the build cache.

A build is named by the hash of all that went into it. It is compiled under a file lock into a
temporary folder and renamed, so that any number of processes share one compile and none sees half
of one. A library whose checksum doesn't agree with the one noted at its build is built again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import brian2
import platformdirs
from filelock import FileLock

from neuroanp.engine.build.compiler import Compiler, Extra
from neuroanp.engine.errors import CacheError, CompileError


def cache_folder() -> Path:
    """Folder of the builds: ``NEUROANP_CACHE``, else the user's cache folder."""
    path = os.environ.get("NEUROANP_CACHE")
    return Path(path) if path else Path(platformdirs.user_cache_dir("neuroanp", appauthor=False)) / "builds"


def build(text: str, compiler: Compiler, extra: Extra, owners: dict[str, str]) -> Path:
    """The shared library of a network, compiled unless it is cached.

    Parameters
    ----------
    text : str
        The network as one C++ translation unit.
    compiler : Compiler
    extra : Extra
        Needs of the network's own C++ functions.
    owners : dict
        Code object name to the name of its Brian2 object, for messages.

    Raises
    ------
    CompileError
        With the compiler's message and the Brian2 object it came from.
    CacheError
        If the cache folder belongs to somebody else, can be written by others, or is full.
    """
    native = resources.files("neuroanp.engine") / "native"
    files = {p.name: p.read_text() for p in sorted(native.iterdir(), key=lambda p: p.name)}
    identity = [compiler.identity, brian2.__version__]
    with explained(folder := cache_folder()):
        _claim(folder)
        linked = {}
        if "neuroanp::project_" in text:
            step = [compiler.command, *compiler.compile_flags, "-c", "kernels.cpp", "-o", "kernels.o"]
            linked["kernels.o"] = _made(_Build(files, [step], identity), folder)
        files = {**files, "network.cpp": text}
        steps = _commands(compiler, extra, [*linked])
        return _made(_Build(files, steps, [*_user_code(extra), *identity], linked, owners), folder)


@dataclass(frozen=True)
class _Build:
    """Files and the commands that make a product of them, and what else the product depends on."""

    files: dict[str, str]
    steps: list[list[str]]
    identity: list[str]
    linked: dict[str, Path] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def product(self) -> str:
        return self.steps[-1][self.steps[-1].index("-o") + 1]

    @property
    def key(self) -> str:
        parts = [*self.files.values(), *self.identity, repr(self.steps)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _made(job: _Build, folder: Path) -> Path:
    """The product, from the cache or made now."""
    target = folder / job.key
    with FileLock(str(folder / f"{target.name}.lock")):
        if not _intact(target / job.product):
            for left in folder.iterdir():
                if left.name.startswith(target.name) and left.suffix != ".lock":
                    shutil.rmtree(left, ignore_errors=True)
            _compile(job, target)
    return target / job.product


def _commands(compiler: Compiler, extra: Extra, linked: list[str]) -> list[list[str]]:
    """The compiler's calls, one for each C++ file, then the linker's."""
    flags = [*extra.macros, *(f"-I{folder}" for folder in extra.include_dirs), "-I."]
    sources = ["network.cpp", *(os.path.abspath(path) for path in extra.sources)]
    objects = [f"part{index}.o" for index in range(len(sources))]
    steps = [
        [compiler.command, *compiler.compile_flags, *flags, "-c", path, "-o", part]
        for path, part in zip(sources, objects, strict=True)
    ]
    libraries = [f"-L{folder}" for folder in extra.library_dirs]
    libraries += [f"-l{name}" for name in extra.libraries]
    libraries += [f"-Wl,-rpath,{folder}" for folder in extra.runtime_library_dirs]
    return [
        *steps,
        [compiler.command, *compiler.link_flags, *objects, *linked, "-o", "network.so", *libraries],
    ]


def _user_code(extra: Extra) -> Iterator[str]:
    """Text of the C++ files and headers of the user's that are compiled with the network."""
    headers = (Path(folder, name.strip('"<>')) for name in extra.headers for folder in extra.include_dirs)
    for path in [*map(Path, extra.sources), *filter(Path.is_file, headers)]:
        yield path.read_text()


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say in words what is wrong with the cache folder."""
    try:
        yield
    except OSError as error:
        if isinstance(error, CacheError):
            raise
        reason = {errno.ENOSPC: "no space left", errno.EDQUOT: "the disk quota is used up"}.get(
            error.errno or 0, error.strerror or str(error)
        )
        raise CacheError(
            f"build cache {folder}: {reason}; free some space or set NEUROANP_CACHE to another folder"
        ) from error


def _claim(folder: Path) -> None:
    """Make the folder, and refuse one of another user's or one that others can write to."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if not hasattr(os, "getuid"):
        return
    if status.st_uid != os.getuid():
        raise CacheError(
            f"build cache {folder}: it belongs to another user; set NEUROANP_CACHE to a folder of yours"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(f"build cache {folder}: others can write to it; run chmod 700 on it")


def _checksum(library: Path) -> str:
    return hashlib.sha256(library.read_bytes()).hexdigest()


def _intact(product: Path) -> bool:
    noted = product.with_name("sha256")
    return product.exists() and noted.exists() and noted.read_text() == _checksum(product)


def _compile(job: _Build, target: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=target.name, dir=target.parent))
    try:
        for name, text in job.files.items():
            (work / name).write_text(text)
        for name, path in job.linked.items():
            (work / name).symlink_to(path.resolve())
        for step in job.steps:
            done = subprocess.run(step, cwd=work, capture_output=True, text=True)
            if done.returncode != 0:
                if "No space left" in done.stderr:
                    raise OSError(errno.ENOSPC, "no space left")
                raise CompileError(_message(done.stderr, job.owners))
        for part in work.glob("*.o"):
            if part.name != job.product:
                part.unlink()
        (work / "sha256").write_text(_checksum(work / job.product))
        os.replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _message(output: str, owners: dict[str, str]) -> str:
    lines = output.strip().split("\n")
    first = next((line for line in lines if ": error:" in line or "undefined reference" in line), lines[0])
    unit = re.match(r"([^:]+):\d+", first)
    name = re.sub(r"^(before_run_|after_run_)", "", unit[1]) if unit else ""
    where = f"Brian2 object '{owners[name]}'" if name in owners else "the network"
    return f"the C++ compiler refused the code of {where}:\n" + "\n".join(lines[:20])

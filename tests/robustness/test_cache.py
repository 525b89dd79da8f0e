"""The build cache: shared, checked, and plain about what is wrong with it."""

import ctypes
import dataclasses
import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine import CacheError, CompileError
from neuroanp.engine.build import cache as build
from neuroanp.engine.build import compiler
from neuroanp.engine.program import compiled, library
from support.circuits import NAMES, circuit
from support.processes import environment

pytestmark = pytest.mark.usefixtures("own_scope")


SOURCE = 'extern "C" __attribute__((visibility("default"))) int answer() { return 42; }'
NOTHING = compiler.Extra([], [], [], [], [], [], [])


def small(found=None):
    """The answer of a library of one line, from the cache; of a copy, as what is loaded must not change."""
    path = build.build(SOURCE, found or compiler.find_compiler(), NOTHING, {})
    with tempfile.NamedTemporaryFile(suffix=".so") as copy:
        copy.write(path.read_bytes())
        copy.flush()
        return ctypes.CDLL(copy.name).answer()


def run():
    """One cell, compiled and run; its last value after 1 ms."""
    cell = b2.NeuronGroup(1, "dv/dt = rate*(1 - v)/(10*ms) : 1\nrate : 1", method="euler")
    cell.rate = 2.0
    b2.Network(cell).run(1 * ms)
    return float(cell.v[0])


def builds(folder):
    return [path for path in folder.iterdir() if path.is_dir() and path.name != "templates"]


def test_damaged_builds_are_built_again(empty_cache, compiles):
    assert small() == 42
    assert stat.S_IMODE(empty_cache.stat().st_mode) == 0o700
    (made,) = builds(empty_cache)
    small()
    assert len(compiles) == 1
    so = made / "network.so"
    whole = so.read_bytes()

    so.write_bytes(whole[:1000])
    (empty_cache / f"{made.name}left_by_a_killed_process").mkdir()
    assert small() == 42
    assert len(compiles) == 2
    assert builds(empty_cache) == [made]

    so.write_bytes(whole[:-1] + b"x")
    (made / "sha256").unlink()
    assert small() == 42
    assert len(compiles) == 3
    assert sorted(path.name for path in made.iterdir()) == sorted(
        [
            "network.cpp",
            "network.so",
            "sha256",
            "runtime.hpp",
            "functions.hpp",
            "rows.hpp",
            "team.hpp",
            "noise.hpp",
            "dense.hpp",
            "kernels.cpp",
            "panels.hpp",
            "sparse.hpp",
        ]
    )

    real = compiler.find_compiler()
    small(dataclasses.replace(real, version=real.version + " and newer"))
    assert len(compiles) == 4


def test_folders_that_others_can_write_to_are_refused(empty_cache, compiles):
    empty_cache.mkdir()
    for mode in (0o770, 0o707):
        empty_cache.chmod(mode)
        with pytest.raises(CacheError, match=r"others can write to it; run chmod 700"):
            small()
    assert compiles == []
    empty_cache.chmod(0o755)
    build._claim(empty_cache)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners")
def test_folders_of_others_are_refused(empty_cache, monkeypatch):
    empty_cache.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(CacheError, match="belongs to another user; set NEUROANP_CACHE"):
        build._claim(empty_cache)


def test_a_file_in_place_of_the_folder(device, empty_cache):
    empty_cache.write_text("")
    with pytest.raises(CacheError, match=r"File exists.*NEUROANP_CACHE"):
        run()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_folder_that_takes_nothing(empty_cache, monkeypatch, code):
    def fail(self, *args, **kwds):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(CacheError, match=r"build cache .*(space|quota|Read-only|denied).*NEUROANP_CACHE"):
        small()
    assert builds(empty_cache) == []


def test_no_space_for_the_compiler(empty_cache, tmp_path):
    script = tmp_path / "full"
    script.write_text("#!/bin/sh\necho 'error: writing to part0.o: No space left on device' >&2\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(CacheError, match="no space left; free some space or set NEUROANP_CACHE"):
        small(compiler.Compiler(str(script), "full"))
    assert builds(empty_cache) == []


def test_no_space_for_the_copy_that_is_loaded(device, empty_cache, monkeypatch):
    def fail(*args, **kwds):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(library.shutil, "copyfile", fail)
    with pytest.raises(CacheError, match="no space left"):
        run()
    assert len(list(builds(empty_cache)[0].glob("*.so"))) == 1


def test_a_build_that_is_stopped_leaves_nothing(device, empty_cache, monkeypatch):
    call = subprocess.run

    def stopped(command, **kwds):
        if "-c" in command:
            raise KeyboardInterrupt
        return call(command, **kwds)

    with monkeypatch.context() as patch:
        patch.setattr(build.subprocess, "run", stopped)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert builds(empty_cache) == []
    assert b2.get_device() is device
    assert run() == pytest.approx(1 - (1 - 0.02) ** 10, rel=1e-12)


SCRIPT = """
import sys
from robustness.test_cache import small
print("ready", flush=True)
sys.stdin.readline()
print(small())
"""


def test_two_processes_compile_once(empty_cache, tmp_path):
    """Both find nothing, one compiles, the other waits and takes its build."""
    log, wrapper = tmp_path / "calls", tmp_path / "counted"
    real = compiler.find_compiler()
    note = f'case "$*" in *--version*) ;; *) echo call >> {log}; sleep 0.3 ;; esac'
    wrapper.write_text(f'#!/bin/sh\n{note}\nexec {real.command} "$@"\n')
    wrapper.chmod(0o755)
    other = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=environment(CXX=str(wrapper)), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    assert small(dataclasses.replace(real, command=str(wrapper))) == 42
    assert other.communicate()[0] == "42\n"
    assert log.read_text().split() == ["call"] * 2  # compile and link
    assert len(builds(empty_cache)) == 1


class TestFindCompiler:
    """Which compiler is taken, and what its flags are."""

    @pytest.fixture(autouse=True)
    def fresh(self):
        compiler.find_compiler.cache_clear()
        yield
        compiler.find_compiler.cache_clear()

    def test_the_one_that_is_named(self, tmp_path, monkeypatch):
        named = tmp_path / "mine"
        named.write_text("#!/bin/sh\necho mine 1.0\n")
        named.chmod(0o755)
        monkeypatch.setenv("CXX", str(named))
        assert compiler.find_compiler() == compiler.Compiler(str(named), "mine 1.0")

    def test_none(self, monkeypatch):
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setenv("PATH", "")
        assert compiler.find_compiler() is None

    def test_one_that_is_broken_is_passed_over(self, tmp_path, monkeypatch):
        for name, text in (("g++", "exit 1"), ("clang++", "echo clang version 17")):
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert compiler.find_compiler().command == str(tmp_path / "clang++")

    def test_vector_functions_are_asked_of_glibc_only(self, monkeypatch):
        gcc = compiler.Compiler("g++", "g++ 12")
        for system, libc, asked in (("linux", "glibc", True), ("linux", "", False), ("darwin", "", False)):
            monkeypatch.setattr(compiler.sys, "platform", system)
            monkeypatch.setattr(compiler.platform, "libc_ver", lambda libc=libc: (libc, "2.36"))
            assert ("-D__FAST_MATH__" in gcc.compile_flags) is asked


def test_a_build_changes_nothing_of_the_process(device):
    """Numbers below 1e-308 stay numbers: no start-up code of fast arithmetic is linked in."""
    run()
    assert np.float64(5e-324) * np.float64(1.0) == 5e-324
    assert np.nextafter(0.0, 1.0) / 1.0 > 0


def test_divergence_can_be_seen(device):
    """Infinity and not-a-number come out as such, in spite of fast arithmetic."""
    cell = b2.NeuronGroup(2, "dv/dt = v*v/ms : 1\nseen : boolean", method="euler")
    cell.run_regularly("seen = seen or not (v < 1e300)")
    cell.v = [1.0, np.nan]
    b2.Network(cell).run(20 * ms)
    assert np.isinf(cell.v[0])
    assert np.isnan(cell.v[1])
    assert cell.seen[:].all()


def test_an_error_of_the_compiler_itself(empty_cache):
    with pytest.raises(CompileError, match="refused the code of the network"):
        small(compiler.Compiler("/bin/false", "false"))


def test_without_a_compiler_nothing_is_compiled_on_demand(device, monkeypatch):
    monkeypatch.setattr(compiled, "find_compiler", lambda: None)
    c = circuit()
    with pytest.raises(CompileError, match="engine='compiled' needs a C\\+\\+ compiler"):
        c.net.run(1 * ms, namespace=NAMES)

from __future__ import annotations

import importlib.metadata
import os
import sys

import pytest

from neuroanp.cli import doctor
from neuroanp.cli.main import main
from neuroanp.engine.build import compiler
from neuroanp.engine.build.compiler import find_compiler


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine with a compiler, an empty cache, and an installation that lacks nothing."""
    monkeypatch.setenv("NEUROANP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.registry, "broken", lambda: [])
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["numpy", 'pytest>=8; extra == "test"'])
    compiler.find_compiler.cache_clear()
    yield
    compiler.find_compiler.cache_clear()


def test_says_what_there_is(capsys, tmp_path):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for subject in ("python", "neuroanp", "brian2", "numpy", "scipy", "compiler", "build cache", "BLAS"):
        assert f"] {subject}" in said
    assert f"{tmp_path / 'cache'}, made by the first build" in said
    assert importlib.metadata.version("brian2") in said


def test_says_how_big_the_cache_is_and_who_may_write(capsys, tmp_path):
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache" / "build").write_bytes(b"0" * 2_500_000)
    assert main(["doctor"]) == 0
    assert "2.5 MB, permissions 700" in capsys.readouterr().out


def test_a_cache_that_others_can_write_is_not_fit(capsys, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "[!!] build cache" in said
    assert f"-> chmod 700 {tmp_path / 'cache'}" in said


def test_a_cache_that_cant_be_made_is_not_fit(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEUROANP_CACHE", str(tmp_path / "file" / "cache"))
    assert main(["doctor"]) == 1
    assert "-> set NEUROANP_CACHE" in capsys.readouterr().out


def test_without_a_compiler_it_is_slower_but_fit(capsys, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("PATH", "")
    find_compiler.cache_clear()
    assert main(["doctor"]) == 0
    find_compiler.cache_clear()
    said = capsys.readouterr().out
    assert "[--] compiler      CXX=no-such-compiler doesn't run" in said
    assert "install g++" in said


def test_a_brian2_that_cant_be_imported_is_not_fit(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "brian2", None)
    assert main(["doctor"]) == 1
    assert "pip install 'numpy<2.4'" in capsys.readouterr().out


def test_names_the_extra_that_is_missing(capsys, monkeypatch):
    needs = ['nosuchpackage>=1; extra == "baselines"', "pytest; extra == 'test'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: needs)
    monkeypatch.setattr(
        doctor.environment, "version", lambda name: None if name == "nosuchpackage" else "1.0"
    )
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "without nosuchpackage\n     -> pip install 'neuroanp[baselines]'" in said
    assert "extra test" not in said


def test_names_the_classes_that_are_offered_and_broken(capsys, monkeypatch):
    monkeypatch.setattr(doctor.registry, "broken", lambda: ["task x (y:Z): ImportError: no"])
    assert main(["doctor"]) == 0
    assert "task x (y:Z): ImportError: no" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX users")
def test_a_cache_of_another_user_is_not_fit(capsys, monkeypatch, tmp_path):
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert main(["doctor"]) == 1
    assert "of another user" in capsys.readouterr().out

"""Fixtures of the engine's tests: a device for one test, and what was compiled in it.

Tests that create objects of Brian2 say `pytestmark = pytest.mark.usefixtures("own_scope")`.
"""

import sys

import brian2 as b2
import pytest

from neuroanp.engine import NoCompiler, device_for
from neuroanp.engine.build import cache as build
from neuroanp.engine.build.compiler import find_compiler

# an attribute of the same name hides this module
devices = sys.modules["brian2.devices.device"]


@pytest.fixture
def own_scope():
    """A magic scope, step, target and device of the test's own."""
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * b2.ms
    previous, target = b2.get_device(), b2.prefs.codegen.target
    yield
    b2.prefs.codegen.target = target
    b2.set_device(previous)
    devices.previous_devices.clear()
    b2.defaultclock.dt = 0.1 * b2.ms


@pytest.fixture
def device():
    """The in-process device, in force, which compiles."""
    if find_compiler() is None:
        raise NoCompiler
    b2.set_device("neuroanp")
    return b2.get_device()


@pytest.fixture
def interpreted(monkeypatch):
    """Engine "auto" is Brian2's runtime, so that nothing is compiled: where engines don't matter."""
    monkeypatch.setattr(device_for("auto"), "engine", "runtime")


@pytest.fixture
def compiles(monkeypatch):
    """A list that grows by the source of every network that is compiled."""
    done = []
    compile_ = build._compile

    def counted(job, target):
        done.append(job.files.get("network.cpp"))
        return compile_(job, target)

    monkeypatch.setattr(build, "_compile", counted)
    return done


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A build cache with nothing in it."""
    folder = tmp_path / "builds"
    monkeypatch.setenv("NEUROANP_CACHE", str(folder))
    return folder

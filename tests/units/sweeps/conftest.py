"""A small sweep, to be varied by the tests."""

import functools

import pytest

import neuroanp as nap
from support.copying import COPYING, RECIPE
from support.executors import InTurn

VARY = {"rule.sigma": [0.01, 0.05], "optimizer.lr": [0.001, 0.01]}


@pytest.fixture
def sweep(tmp_path):
    """`neuroanp.sweep` of a grid of four points, without processes, into a file."""
    settings = {"task": COPYING, "seeds": (0, 1), "progress": False}

    def short(vary=VARY, updates=4, **changes):
        given = {"out": tmp_path / "sweep.db", "executor": InTurn()} | settings | changes
        return nap.sweep(RECIPE.replace(updates=updates), vary, **given)

    return functools.partial(short)

"""Recursions over steps: compiled code and NumPy agree with a loop, and change what is assigned alone."""

import numpy as np
import pytest

from neuroanp.engine import kernel
from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.errors import CompileError
from neuroanp.engine.recursion import Recursion
from neuroanp.errors import InvalidValue

pytestmark = pytest.mark.usefixtures("own_scope")

CODE = """
    near = limit - abs(x - shift)

    held = decay * held + near * (near > 0) / (1 + exp(-x))
    y = held - x
"""


def made(backwards=False):
    names = {"arrays": ("x", "y"), "units": ("shift",), "carried": ("held",), "numbers": ("limit", "decay")}
    return Recursion(CODE, backwards=backwards, **names)


def by_hand(x, shift, held, backwards):
    y, steps = np.empty_like(x), range(len(x))
    for t in reversed(steps) if backwards else steps:
        held = 0.9 * held + np.maximum(0, 1.5 - np.abs(x[t] - shift)) / (1 + np.exp(-x[t]))
        y[t] = held - x[t]
    return y, held


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("compiled", [pytest.param(True, marks=pytest.mark.skipif(
    find_compiler() is None, reason="there is no C++ compiler")), False])  # fmt: skip
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_every_step_follows_the_one_before(dtype, rtol, compiled, backwards, monkeypatch):
    if not compiled:
        monkeypatch.setattr(kernel, "find_compiler", lambda: None)
    operation = made(backwards)
    assert set(operation.compile()) == ({"d", "f"} if compiled else set())
    rng = np.random.default_rng(3)
    x, shift, held = (rng.standard_normal(n).astype(dtype) for n in ((50, 4, 7), (4, 7), (4, 7)))
    expected, last = by_hand(x, shift, held, backwards)
    before, y = x.copy(), np.empty_like(x)
    operation([x, y], units=[shift], carried=[held], numbers=[1.5, 0.9])
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(held, last, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(x, before)


def test_no_steps_change_nothing():
    held = np.ones(3)
    made()([np.zeros((0, 3)), np.zeros((0, 3))], [np.zeros(3)], [held], [1.5, 0.9])
    np.testing.assert_array_equal(held, 1)


@pytest.mark.parametrize(
    "wrong", [np.zeros((5, 4)), np.zeros((5, 3), np.float32), np.zeros((5, 6))[:, ::2], np.zeros((4, 3))]
)
def test_arrays_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InvalidValue, match=r"^Recursion\.arrays: expected contiguous arrays \(5, 3\) and"):
        made()([np.zeros((5, 3)), wrong], [np.zeros(3)], [np.zeros(3)], [1.5, 0.9])


def test_numpy_steps_in_where_nothing_compiles(monkeypatch):
    def fail(*_):
        raise CompileError("no")

    monkeypatch.setattr(kernel, "build", fail)
    x = np.array([[4.0], [2.0], [1.0]])
    Recursion("x = x - rate * x", arrays=("x",), numbers=("rate",))([x], numbers=[0.5])
    np.testing.assert_array_equal(x.ravel(), [2.0, 1.0, 0.5])

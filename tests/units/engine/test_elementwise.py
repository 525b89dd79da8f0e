"""Elementwise assignments: compiled code and NumPy agree, and the arrays themselves are worked on."""

import numpy as np
import pytest

from neuroanp.engine import kernel
from neuroanp.engine.build.compiler import find_compiler
from neuroanp.engine.elementwise import Elementwise
from neuroanp.engine.errors import CompileError
from neuroanp.errors import InvalidValue

pytestmark = pytest.mark.usefixtures("own_scope")

CODE = """
    m = decay * m + change
    v = decay * v + change * change
    change = rate * m / (sqrt(v) + eps)
"""
NUMBERS = (0.9, -0.003, 1e-8)


def made():
    return Elementwise(CODE, arrays=("change", "m", "v"), numbers=("decay", "rate", "eps"))


def in_numpy(monkeypatch):
    with monkeypatch.context() as without:
        without.setattr(kernel, "find_compiler", lambda: None)
        alone = made()
        assert alone.compile() == {}
    return alone


def drawn(dtype, shape):
    """Numbers of all sizes, zeros among them, of one sign: a difference could be all rounding."""
    rng = np.random.default_rng(2)
    change, m, v = rng.random((3, *shape)) * 10.0 ** rng.integers(-12, 3, size=(3, *shape))
    change.flat[::5] = m.flat[::5] = v.flat[::5] = 0.0
    return [change.astype(dtype), m.astype(dtype), (v * v).astype(dtype)]


@pytest.mark.skipif(find_compiler() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-14), (np.float32, 1e-6)])
@pytest.mark.parametrize("shape", [(1,), (17,), (40, 1001), (0, 3)])
def test_compiled_code_agrees_with_numpy(dtype, rtol, shape, monkeypatch):
    compiled, alone = made(), in_numpy(monkeypatch)
    ours, expected = drawn(dtype, shape), drawn(dtype, shape)
    compiled(*ours, *NUMBERS)
    alone(*expected, *NUMBERS)
    assert set(compiled.compile()) == {"d", "f"}
    for found, wanted in zip(ours, expected, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=np.finfo(dtype).tiny)


def test_numpy_does_the_lines_in_order(monkeypatch):
    change, m, v = (np.array([value]) for value in (2.0, 1.0, 0.0))
    in_numpy(monkeypatch)(change, m, v, 0.5, 3.0, 0.0)
    assert (m, v, change) == (2.5, 4.0, 3.75)


@pytest.mark.parametrize("other", [np.zeros(3), np.zeros(2, np.float32)])
def test_arrays_that_differ_are_refused(other):
    with pytest.raises(
        InvalidValue, match=r"Elementwise\(change, m, v\): expected arrays of one size and dtype"
    ):
        made()(np.zeros(2), np.zeros(2), other, *NUMBERS)


def test_numpy_steps_in_where_nothing_compiles(monkeypatch):
    def fail(*_):
        raise CompileError("no")

    monkeypatch.setattr(kernel, "build", fail)
    x = np.array([4.0, 8.0])
    Elementwise("x = x - rate * x", arrays=("x",), numbers=("rate",))(x, 0.5)
    np.testing.assert_array_equal(x, [2.0, 4.0])

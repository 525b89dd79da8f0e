"""Dense projections: packed weights give the products of BLAS, whatever the sizes."""

import ctypes
import itertools

import brian2 as b2
import numpy as np
import pytest

from neuroanp.engine import NoCompiler, device_for
from neuroanp.engine.build.cache import build
from neuroanp.engine.build.compiler import Extra, find_compiler
from neuroanp.engine.operations import DenseProjection
from neuroanp.engine.operations.dense_projection import WIDEST

pytestmark = pytest.mark.usefixtures("own_scope")

KERNEL = """
#include "panels.hpp"
#define PRODUCT(F) \\
  extern "C" __attribute__((visibility("default"))) \\
  void product_##F(const F* w, F* panels, const F* x, F* y, int rows, int n_in, int n_out, bool add) { \\
    F* packed = neuroanp::aligned(panels); \\
    neuroanp::pack(w, packed, n_in, n_out); \\
    neuroanp::project_packed(packed, x, y, neuroanp::stretches(rows), n_in, n_out, add, 0, \\
                             neuroanp::panels_of<F>(n_out)); \\
  }
PRODUCT(double)
PRODUCT(float)
"""
SIZES = [
    *itertools.product((1, 2, 3, 4, 6, 7, 13), (1, 2, 3, 4, 5, 16, 37), (1, 7, 8, 9, 16, 20, 33, 64, 70, 129))
]


@pytest.fixture(scope="module")
def kernel():
    """Products y = x W^T, or y + x W^T, with the packed weights of a network."""
    if find_compiler() is None:
        raise NoCompiler
    library = ctypes.CDLL(str(build(KERNEL, find_compiler(), Extra([], [], [], [], [], [], []), {})))

    def product(x, w, y=None):
        (rows, n_in), n_out = x.shape, len(w)
        panels = np.full(-(-n_out // WIDEST) * WIDEST * n_in + WIDEST, np.nan, x.dtype)
        guarded = np.full(rows * n_out + 2, np.nan, x.dtype)
        if y is not None:
            guarded[1:-1] = y.ravel()
        c = {"d": "double", "f": "float"}[x.dtype.char]
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (w, panels, x, guarded[1:]))
        library[f"product_{c}"](*pointers, rows, n_in, n_out, y is not None)
        assert np.isnan(guarded[[0, -1]]).all()
        return guarded[1:-1].reshape(rows, n_out)

    return product


class Product:
    """One projection in a network of its own."""

    def __init__(self, rows, n_in, n_out, dtype, add=False):
        self.device = device_for("compiled")
        with self.device.active():
            kinds = {"clock": b2.Clock(1 * b2.ms), "dtype": dtype, "namespace": {}}
            self.source = b2.NeuronGroup(rows * n_in, "x : 1", name="source", **kinds)
            self.target = b2.NeuronGroup(rows * n_out, "y : 1", name="target", **kinds)
            self.projection = DenseProjection(
                self.source, "x", self.target, "y", rows=rows, add=add, when="start", order=0,
                name="projection",
            )  # fmt: skip
            self.net = b2.Network(self.source, self.target, self.projection)
            self.program = self.device.program(self.net, {}, None)
        self.shape = rows, n_in, n_out

    def __call__(self, x, w, y=0.0, start=True):
        """y after one step."""
        values = {group.name: group.variables[name].get_value() for group, name in self.parts()}
        values["source"][:], values["target"][:] = x.ravel(), np.ravel(y)
        self.projection.weights[...] = w
        if start:
            self.projection.prepare()
        self.device.run_program(self.program, 1e-3)
        return values["target"].reshape(self.shape[0], self.shape[2]).copy()

    def parts(self):
        return (self.source, "x"), (self.target, "y")


@pytest.fixture
def drawn():
    rng = np.random.default_rng(3)
    return lambda *shape: rng.standard_normal(shape)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_of_packed_weights(dtype, kernel, drawn):
    for rows, n_in, n_out in SIZES:
        x, w, y = (drawn(*shape).astype(dtype) for shape in ((rows, n_in), (n_out, n_in), (rows, n_out)))
        close = {"rtol": 0, "atol": 100 * np.finfo(dtype).eps * np.sqrt(n_in), "err_msg": (rows, n_in, n_out)}
        np.testing.assert_allclose(kernel(x, w), x @ w.T, **close)
        np.testing.assert_allclose(kernel(x, w, y), y + x @ w.T, **close)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_row_does_not_depend_on_the_others(dtype, kernel, drawn):
    for n_out in (5, 12, 20, 70):
        x, w = drawn(7, 21).astype(dtype), drawn(n_out, 21).astype(dtype)
        alone = [kernel(x[[row]], w)[0] for row in range(7)]
        np.testing.assert_array_equal(kernel(x, w), alone)


@pytest.mark.parametrize("add", [True, False])
def test_weights_are_taken_at_the_start(add, drawn):
    """Between starts the packed copy is used."""
    x, w, y = drawn(2, 5), drawn(3, 5), drawn(2, 3)
    made = Product(2, 5, 3, np.float64, add=add)
    for weights, start, used in ((w, True, w), (2 * w, False, w), (3 * w, True, 3 * w)):
        np.testing.assert_allclose(made(x, weights, y, start), add * y + x @ used.T, rtol=1e-12)

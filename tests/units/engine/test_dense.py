"""Dense projections: packed weights give the products of BLAS, whatever the sizes."""

import brian2 as b2
import numpy as np
import pytest

from neuroanp.engine import device_for
from neuroanp.engine.operations import DenseProjection

pytestmark = pytest.mark.usefixtures("own_scope")

SIZES = [
    (1, 1, 1, False),
    (2, 11, 100, False),
    (3, 2, 20, False),
    (7, 65, 129, True),
    (64, 37, 10, True),
    (65, 3, 40, True),
]


class Product:
    """One projection in a network of its own."""

    def __init__(self, rows, n_in, n_out, dtype, steady=True, add=False):
        self.device = device_for("compiled")
        with self.device.active():
            kinds = {"clock": b2.Clock(1 * b2.ms), "dtype": dtype, "namespace": {}}
            self.source = b2.NeuronGroup(rows * n_in, "x : 1", name="source", **kinds)
            self.target = b2.NeuronGroup(rows * n_out, "y : 1", name="target", **kinds)
            self.projection = DenseProjection(
                self.source, "x", self.target, "y", rows=rows, add=add, when="start", order=0,
                name="projection", steady=steady,
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
            self.projection.start()
        self.device.run_program(self.program, 1e-3)
        return values["target"].reshape(self.shape[0], self.shape[2]).copy()

    def parts(self):
        return (self.source, "x"), (self.target, "y")


@pytest.fixture
def drawn():
    rng = np.random.default_rng(3)
    return lambda *shape: rng.standard_normal(shape)


@pytest.mark.parametrize(("rows", "n_in", "n_out", "add"), SIZES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_of_packed_weights(rows, n_in, n_out, add, dtype, drawn):
    x, w, y = (drawn(*shape).astype(dtype) for shape in ((rows, n_in), (n_out, n_in), (rows, n_out)))
    close = {"rtol": 0, "atol": 100 * np.finfo(dtype).eps * np.sqrt(n_in)}
    made = Product(rows, n_in, n_out, dtype, add=add)
    for scale in (1, 2):
        np.testing.assert_allclose(made(x, scale * w, y), add * y + x @ (scale * w).T, **close)


@pytest.mark.parametrize("n_out", [5, 12, 20, 70])
def test_a_row_does_not_depend_on_the_others(n_out, drawn):
    x, w = drawn(7, 21), drawn(n_out, 21)
    together = Product(7, 21, n_out, np.float64)(x, w)
    alone = Product(1, 21, n_out, np.float64)
    assert all((alone(x[row], w) == together[row]).all() for row in range(7))


def test_steady_weights_are_taken_at_the_start(drawn):
    """Between starts the packed copy is used; without `steady` weights may change at any step."""
    x, w = drawn(2, 5), drawn(3, 5)
    for steady, expected in ((True, w), (False, 2 * w)):
        made = Product(2, 5, 3, np.float64, steady=steady)
        made(x, w)
        np.testing.assert_allclose(made(x, 2 * w, start=False), x @ expected.T, rtol=1e-12)

"""`Interleave` in C++ and in NumPy: both ways, with a gate and without, in both precisions."""

import brian2 as b2
import numpy as np
import pytest

from neuroanp.engine import device_for
from neuroanp.engine.operations import Interleave

pytestmark = pytest.mark.usefixtures("own_scope")

ROWS, WIDTH = 4, 3
A, B, OPEN = [1.0, 2.0, 3.0, 4.0], [-1.0, -2.0, -3.0, -np.inf], [1.0, 0.0, 1.0, 0.0]
CASES = [(outward, gate) for outward in (True, False) for gate in (None, "open_")]


def copied(engine, dtype):
    """For each case what is in the many variables (2, rows) and in the one (rows, width) after a step."""
    device = device_for(engine)
    with device.active():
        kinds = {"clock": b2.Clock(1 * b2.ms, name="interleave_clock"), "dtype": dtype, "namespace": {}}
        groups, operations = [], []
        for k, (outward, gate) in enumerate(CASES):
            many = b2.NeuronGroup(ROWS, "a : 1\nb : 1\nopen_ : 1", name=f"many{k}", **kinds)
            one = b2.NeuronGroup(ROWS * WIDTH, "u : 1", name=f"one{k}", **kinds)
            many.a, many.b, many.open_ = A, B, OPEN
            one.u = 10 + np.arange(ROWS * WIDTH)
            operations.append(
                Interleave(
                    many, ("a", "b"), one, "u", outward=outward, gate=gate, when="start", order=0,
                    name=f"copies{k}",
                )
            )  # fmt: skip
            groups.append((many, one))
        net = b2.Network(*sum(groups, ()), *operations, name="interleave_network")
        program = device.program(net, {}, None)
        device.use(program)
        device.run_program(program, 0.001)
        return [
            (
                np.array([many.variables[name].get_value() for name in "ab"]),
                one.variables["u"].get_value().reshape(ROWS, WIDTH).copy(),
            )
            for many, one in groups
        ]


@pytest.mark.parametrize("engine", ["compiled", "runtime"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_copied(engine, dtype):
    both, u = np.array([A, B]), 10.0 + np.arange(ROWS * WIDTH).reshape(ROWS, WIDTH)
    for (outward, gate), (many, one) in zip(CASES, copied(engine, dtype), strict=True):
        assert many.dtype == one.dtype == dtype
        passed = np.array(OPEN) > 0 if gate else np.ones(ROWS, bool)
        expected = np.where(passed, both if outward else u[:, :2].T, 0)
        np.testing.assert_array_equal(many, both if outward else expected)
        np.testing.assert_array_equal(one[:, :2], expected.T if outward else u[:, :2])
        np.testing.assert_array_equal(one[:, 2], u[:, 2])

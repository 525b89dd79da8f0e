"""Every kind of model on Brian2's own runtime and on the compiled engine: the same numbers to 1e-12.

What Brian2 offers and the compiled engine does not run:

=====================================  =================================================================
not run                                instead
=====================================  =================================================================
Python code of the user's              with ``engine="auto"`` such a network runs on Brian2's runtime
GSL integrators                        refused by name: they need the GSL library and its own templates
objects made under another device      refused by name: their values are elsewhere
=====================================  =================================================================

`PoissonInput` runs, but Brian2 writes its rate into the source: another rate is another compile.
Random numbers are other ones than on Brian2's runtime; `test_random.py` compares their statistics.
"""

import brian2 as b2
import numpy as np
import pytest

from support.kinds import DURATION, KINDS

pytestmark = pytest.mark.usefixtures("own_scope")

#: Relative; for cables Brian2's own NumPy solver is that far from its C++ one, which is ours bit for bit.
TOLERANCE = {name: 1e-12 for name in KINDS} | {"multicompartment": 1e-8}


def run(names, device, target="numpy"):
    """The compared values of some kinds, run side by side in one network on a device."""
    b2.set_device(device)
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * b2.ms
    b2.prefs.codegen.target = target
    built = {name: KINDS[name]() for name in names}
    net = b2.Network(*(obj for objects, _ in built.values() for obj in objects))
    for part in (0.3, 0.7):
        net.run(part * DURATION, namespace={})
    return {
        name: {key: np.array(value()) for key, value in values.items()} for name, (_, values) in built.items()
    }


def compare(name, ours, theirs):
    tolerance = TOLERANCE[name]
    for key, expected in theirs.items():
        got = ours[key]
        assert got.shape == expected.shape, key
        scale = np.max(np.abs(expected), initial=0.0)
        if expected.dtype.kind in "iub":
            np.testing.assert_array_equal(got, expected, err_msg=key)
        else:
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * scale, err_msg=key)


@pytest.fixture(scope="module")
def side_by_side():
    """All kinds in one network, so that there is one compile."""
    target = b2.prefs.codegen.target
    yield run(KINDS, "neuroanp"), run(KINDS, "runtime")
    b2.prefs.codegen.target = target


@pytest.mark.parametrize("name", KINDS)
def test_same_as_brian2(name, side_by_side):
    ours, theirs = side_by_side
    assert any(len(value) for value in theirs[name].values())
    compare(name, ours[name], theirs[name])


@pytest.mark.parametrize("name", KINDS)
def test_something_happens(name, side_by_side):
    _, theirs = side_by_side
    times = [value for key, value in theirs[name].items() if key in ("t", "t0", "t1", "t2")]
    for value in times:
        assert len(value) > 1
    values = [value for key, value in theirs[name].items() if value.size and not key.startswith("t")]
    assert any(np.ptp(value) > 0 for value in values)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_alone(name):
    compare(name, run([name], "neuroanp")[name], run([name], "runtime")[name])


@pytest.mark.slow
def test_runtime_engine_is_brian2s_runtime():
    ours, theirs = run(KINDS, "neuroanp_runtime"), run(KINDS, "runtime")
    for name in KINDS:
        compare(name, ours[name], theirs[name])

"""Statements as integer arithmetic: values, rounding, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.errors import UnsupportedConstruct
from neuroanp.substrate import in_numpy
from neuroanp.substrate.formats import Fixed, Format
from neuroanp.substrate.lowering import Lowering
from neuroanp.substrate.nodes import variable
from neuroanp.substrate.sums import broadcast, constant, value

E16 = Format(16, 8)


def kept(name, format_):
    return value(Fixed(variable(name, format_.low, format_.high), format_.fraction))


def block(code, formats, rounding="nearest", constants=14, **names):
    known = {name: kept(name, format_) for name, format_ in formats.items()}
    known |= {
        name: constant(number) if isinstance(number, float) else number for name, number in names.items()
    }
    lowering = Lowering("here", known, formats, rounding, constants, lambda source: Format(16, 10))
    lowering.run(code)
    return lowering.block()


def run(statements, rng=None, **inputs):
    size = len(next(iter(inputs.values())))
    words = np.zeros((size, max(1, statements.words)), np.uint32)
    if rng is not None:
        words[:] = rng.integers(0, 2**32, words.shape, dtype=np.uint32)
    results, _ = in_numpy.run(statements, inputs, words, (size,))
    return results


@pytest.mark.parametrize(
    "code, exact",
    [
        ("x = 0.75 * x + y", lambda x, y: 0.75 * x + y),
        ("x = (x - y) * y / 4", lambda x, y: (x - y) * y / 4),
        ("x -= 0.3 * y", lambda x, y: x - 0.3 * y),
        ("x = y**3", lambda x, y: y**3),
        ("x = x if y > 0.25 else -y", lambda x, y: np.where(y > 0.25, x, -y)),
        ("x = clip(x, -0.5, 0.5)", lambda x, y: np.clip(x, -0.5, 0.5)),
        ("x = sign(y) * exp(-1)", lambda x, y: np.sign(y) * np.exp(-1)),
        ("x = int(x > y and not y <= 0)", lambda x, y: ((x > y) & (y > 0)) * 1.0),
    ],
)
def test_statements_have_the_value_of_their_arithmetic(code, exact):
    rng = np.random.default_rng(0)
    x, y = rng.integers(-500, 500, (2, 400))
    result = run(block(code, {"x": E16, "y": E16}), x=x, y=y)["x"]
    wanted = exact(x / 256, y / 256) * 256
    assert np.abs(result - wanted).max() <= 0.5 + 4e-4 * np.abs(wanted).max()


def test_values_saturate_and_never_wrap():
    result = run(
        block("x += y", {"x": E16, "y": E16}), x=np.array([32000, -32000]), y=np.array([9000, -9000])
    )
    assert result["x"].tolist() == [32767, -32768]


@pytest.mark.parametrize("k", [2, 4])
def test_a_decay_by_a_shift_without_rounding_is_biased_as_predicted(k):
    """(2^k - 1) / 2 for numbers without a signal, none with stochastic rounding."""
    rng = np.random.default_rng(1)
    means = {}
    for rounding in ("floor", "stochastic", "nearest"):
        decay = block("e = memory * e", {"e": E16}, rounding, None, memory=1 - 2.0**-k)
        e = rng.normal(0, 100, 20_000).round().astype(np.int64)
        for _ in range(40 * 2**k):
            e = run(decay, rng, e=e)["e"]
        means[rounding] = e.mean()
    assert means["floor"] == pytest.approx((2**k - 1) / 2, rel=0.1)
    assert abs(means["stochastic"]) < 0.1


def test_stochastic_rounding_is_right_on_average_and_uses_its_own_bits():
    rng = np.random.default_rng(2)
    statements = block("x = 0.3 * x\ny = 0.3 * y", {"x": E16, "y": E16}, "stochastic")
    start = np.full(40_000, 77)
    result = run(statements, rng, x=start, y=start)
    assert result["x"].mean() == pytest.approx(0.3 * 77, abs=0.01)
    assert abs(np.corrcoef(result["x"], result["y"])[0, 1]) < 0.02


def test_broadcast_numbers_become_one_scalar_and_gates_none():
    statements = block(
        "x = going * 0.5 * x + mask * 2 / rate * y", {"x": E16, "y": E16},
        going=broadcast("going"), mask=broadcast("mask"), rate=8.0,
    )  # fmt: skip
    (source,) = statements.scalars
    assert "mask" in source and set(statements.inputs) == {"x", "y", "going", source}
    inputs = {"x": np.array([100, 100]), "y": np.array([40, 40]), "going": np.array([0, 1])}
    assert run(statements, **inputs, **{source: np.array([256, 256])})["x"].tolist() == [10, 60]


@pytest.mark.parametrize(
    "code, construct",
    [
        ("x = x / y", "x / y"),
        ("x = exp(x)", r"exp\(x\)"),
        ("x = x**0.5", r"x \*\* 0.5"),
        ("x = x % 2", "x % 2"),
    ],
)
def test_what_integers_cannot_do_is_refused_by_name(code, construct):
    with pytest.raises(UnsupportedConstruct, match=f"^here: .*{construct}"):
        block(code, {"x": E16, "y": E16})


def test_numbers_that_would_not_fit_64_bits_are_refused():
    wide = Format(31, 20)
    with pytest.raises(UnsupportedConstruct, match=r"^here: .* a number of \d+ bits, more than 62"):
        block("x = x * y * y", {"x": wide, "y": wide})

import ctypes
import math
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from neuroanp.engine import draws, noise
from neuroanp.errors import InvalidValue, UnknownName

HEADER = Path(noise.__file__).parent / "native"
TOP = 2**64 - 1
WHERE = {"seed": 11, "stream": 3, "trial": 5}


def numpy_block(seed, stream, trial, step, lane, block):
    """Four words from NumPy's own generator, which counts up before its first block."""
    counter = block | lane << 64 | step << 128 | trial << 192
    generator = np.random.Philox(key=seed | stream << 64, counter=(counter - 1) % 2**256)
    return [int(word) for word in generator.random_raw(4)]


def z(values, mean, variance):
    """Distance of the mean of `values` from `mean` in standard errors."""
    return abs(values.mean() - mean) / math.sqrt(variance / values.size)


# definition


@pytest.mark.parametrize("seed, stream", [(0, 0), (1, TOP), (TOP, 12345678901234567890)])
def test_philox_is_numpys(seed, stream):
    block, lane, step, trial = ([0, 1, 2**40, TOP], [0, 7, TOP], [0, 2**63 + 1, TOP], [0, TOP])
    axes = [np.array(axis, np.uint64) for axis in (block, lane, step, trial)]
    counter = np.meshgrid(*axes, indexing="ij")
    words = np.stack(noise.philox(tuple(counter), (seed, stream)), axis=-1)
    for a, b, c, d in np.ndindex(words.shape[:4]):
        expected = numpy_block(seed, stream, trial[d], step[c], lane[b], block[a])
        assert [int(word) for word in words[a, b, c, d]] == expected


def test_gaussian_is_box_muller_of_the_words():
    got = noise.draw("gaussian", **WHERE, step=range(2), lanes=3, units=21)
    for (step, lane, unit), value in np.ndenumerate(got):
        word = numpy_block(**WHERE, step=step, lane=lane, block=unit // 8)[unit % 8 // 2]
        radius = math.sqrt(-2 * math.log(((word & 0xFFFFFFFF) + 0.5) / 2**32))
        angle = 2 * math.pi * (word >> 32) / 2**32
        expected = radius * (math.sin(angle) if unit % 2 else math.cos(angle))
        assert value == pytest.approx(expected, rel=0, abs=1e-14)


def test_gaussian_at_the_ends_of_the_words():
    low, high = np.meshgrid([0, 1, 2**31, 2**32 - 1], [0, 2**30, 2**31, 3 * 2**30, 2**32 - 1])
    words = (low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)).reshape(-1, 4)
    radius, angle = np.sqrt(-2 * np.log((low + 0.5) / 2**32)), 2 * np.pi * high / 2**32
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    np.testing.assert_allclose(noise._gaussian(words).reshape(expected.shape), expected, rtol=0, atol=1e-14)


def test_sign_is_the_bits_of_the_words():
    got = noise.draw("sign", **WHERE, step=range(2), lanes=2, units=300)
    for (step, lane, unit), value in np.ndenumerate(got):
        word = numpy_block(**WHERE, step=step, lane=lane, block=unit // 256)[unit % 256 // 64]
        assert value == 1 - 2 * (word >> unit % 64 & 1)


# purity


@pytest.mark.parametrize("distribution", ["gaussian", "sign", "rare", "logistic"])
def test_a_part_drawn_alone_is_the_same(distribution, monkeypatch):
    whole = noise.draw(distribution, **WHERE, step=range(3, 15), lanes=9, units=530)
    parts = [(range(4, 14, 3), 9, 530, whole[1:11:3]), (range(14, 2, -1), 9, 530, whole[::-1])]
    parts += [(7, 4, 530, whole[4, :4]), *((14, 1, n, whole[11, :1, :n]) for n in (1, 8, 63, 257))]
    for step, lanes, units, expected in parts:
        part = noise.draw(distribution, **WHERE, step=step, lanes=lanes, units=units)
        np.testing.assert_array_equal(part, expected)
    for size in (4, 100):
        monkeypatch.setattr(noise, "_BLOCKS_AT_ONCE", size)
        again = noise.draw(distribution, **WHERE, step=range(3, 15), lanes=9, units=530)
        np.testing.assert_array_equal(again, whole)


@pytest.mark.parametrize("distribution", ["gaussian", "sign", "rare", "logistic"])
def test_float32_is_the_rounded_float64(distribution):
    wide = noise.draw(distribution, **WHERE, step=2, lanes=5, units=33)
    narrow = noise.draw(distribution, **WHERE, step=2, lanes=5, units=33, dtype=np.float32)
    assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))


def test_no_lanes_units_or_steps_is_empty():
    for steps, lanes, units in ((0, 2, 3), (1, 0, 3), (1, 2, 0)):
        got = noise.draw("gaussian", **WHERE, step=range(steps), lanes=lanes, units=units)
        assert got.shape == (steps, lanes, units)


# statistics, for fixed seeds: bounds of 4.5 standard errors


def test_gaussian_is_standard_normal():
    x = noise.draw("gaussian", **WHERE, step=range(100), lanes=64, units=100)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert z(x**power, mean, variance) < 4.5
    assert stats.kstest(x[:20].ravel(), "norm").pvalue > 1e-3
    beyond = 2 * stats.norm.sf(4)
    assert z(np.abs(x) > 4, beyond, beyond) < 4.5


def test_logistic_has_variance_1_and_the_logistic_chance_to_lie_below():
    x = noise.draw("logistic", **WHERE, step=range(100), lanes=64, units=100)
    assert z(x, 0, 1) < 4.5
    assert z(x**2, 1, 3.2) < 4.5
    for limit in (-4.0, -1.0, 0.0, 2.0):
        chance = 1 / (1 + math.exp(-limit * math.pi / math.sqrt(3)))
        assert z(x < limit, chance, chance * (1 - chance)) < 4.5


def test_sign_is_balanced():
    x = noise.draw("sign", **WHERE, step=range(100), lanes=64, units=100)
    np.testing.assert_array_equal(np.abs(x), 1)
    assert z(x, 0, 1) < 4.5
    for axes in ((0, 1), (0, 2), (1, 2)):
        mean = x.mean(axis=axes)
        assert np.abs(mean).max() < 4.5 * math.sqrt(mean.size / x.size)


def test_rare_noise_is_mostly_zero_else_uniform_and_has_variance_1():
    chance = 0.04
    drawn = noise.draw("rare", **WHERE, step=range(100), lanes=20, units=100, chance=chance)
    some = drawn[drawn != 0]
    assert some.size == pytest.approx(chance * drawn.size, rel=0.03)
    assert drawn.var() == pytest.approx(1, rel=0.05)
    levels = np.histogram(some, bins=10, range=np.array([-1, 1]) * np.sqrt(3 / chance))[0]
    assert levels.sum() == some.size
    np.testing.assert_allclose(levels, some.size / 10, rtol=0.1)
    full = noise.draw("rare", **WHERE, step=3, lanes=2, units=50)
    assert full.all() and np.abs(full).max() < np.sqrt(3)


@pytest.mark.parametrize("distribution", ["gaussian", "sign"])
def test_neighbours_are_independent(distribution):
    def draw(**other):
        return noise.draw(distribution, **(WHERE | other), step=range(50), lanes=32, units=96)

    x = draw()
    pairs = [(x[1:], x[:-1]), (x[:, 1:], x[:, :-1]), (x[:, :, 1:], x[:, :, :-1]), (x[..., ::2], x[..., 1::2])]
    pairs += [(x, draw(**{name: value + 1})) for name, value in WHERE.items()]
    pairs.append((x, draw(seed=WHERE["stream"], stream=WHERE["seed"])))
    for a, b in pairs:
        assert z(a * b, 0, 1) < 4.5
        if distribution == "gaussian":
            assert z((a**2 - 1) * (b**2 - 1), 0, 4) < 4.5


# errors


@pytest.mark.parametrize(
    "field, value",
    [("seed", -1), ("stream", 2**64), ("trial", 1.0), ("step", True), ("lanes", -1), ("units", None)],
)
def test_numbers_outside_are_refused(field, value):
    arguments = WHERE | {"step": 0, "lanes": 1, "units": 1} | {field: value}
    with pytest.raises(InvalidValue, match=rf"draw\.{field}: expected a whole number .* got {value!r}"):
        noise.draw("gaussian", **arguments)


def test_other_arguments_are_refused():
    with pytest.raises(InvalidValue, match=r"draw\.step"):
        noise.draw("gaussian", **WHERE, step=range(3, -2, -1), lanes=1, units=1)
    with pytest.raises(InvalidValue, match=r"draw\.dtype: expected float64 or float32, got int32"):
        noise.draw("sign", **WHERE, step=0, lanes=1, units=1, dtype=np.int32)
    with pytest.raises(UnknownName, match="'gaussian'"):
        noise.draw("gausian", **WHERE, step=0, lanes=1, units=1)


# the C++ header

SOURCE = """
#include "noise.hpp"
using u64 = std::uint64_t;
#define WRAP(F) \\
  extern "C" void gaussian_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, F scale) \\
  { neuroanp::fill_gaussian<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, scale); } \\
  extern "C" void sign_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, F scale) \\
  { neuroanp::fill_sign<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, scale); } \\
  extern "C" void rare_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, F scale) \\
  { neuroanp::fill_rare<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, scale, 0.3); } \\
  extern "C" void logistic_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, F scale) \\
  { neuroanp::fill_logistic<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, scale); } \\
  extern "C" void gaussians_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, u64 steps, \\
                                u64 apart) \\
  { neuroanp::fill_gaussian<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, 1, steps, apart); } \\
  extern "C" void signs_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, u64 steps, u64 apart) \\
  { neuroanp::fill_sign<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, 1, steps, apart); } \\
  extern "C" void rares_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, u64 steps, u64 apart) \\
  { neuroanp::fill_rare<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, 1, 0.3, steps, apart); } \\
  extern "C" void logistics_##F(F* out, u64 a, u64 b, u64 c, u64 d, u64 lanes, u64 units, u64 steps, \\
                                u64 apart) \\
  { neuroanp::fill_logistic<F>(out, a, b, c, d, {0, (int64_t)lanes}, lanes, units, 1, steps, apart); } \\
  extern "C" void parts_##F(const std::uint32_t* k, u64 n, F* log, F* cosine, F* sine) { \\
    for (u64 i = 0; i < n; ++i) { \\
      log[i] = neuroanp::noise_detail::minus_two_log<F>(k[i]); \\
      neuroanp::noise_detail::cos_sin<F>(k[i], cosine[i], sine[i]); } }
WRAP(double)
WRAP(float)
"""
DTYPES = {"double": np.float64, "float": np.float32}
FLAGS = {
    "engine": "-O3 -march=native -ffast-math -fno-finite-math-only",
    "plain": "-O1",
    "halves": "-O1 -U__SIZEOF_INT128__",
}


@pytest.fixture(scope="module", params=list(FLAGS))
def library(request, tmp_path_factory):
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("g++", "clang++", "c++")), None)
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("noise")
    (folder / "noise.cpp").write_text(SOURCE)
    common = [*shlex.split(compiler), "-std=c++17", "-fPIC"]
    warned = [
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-maybe-uninitialized",
    ]  # of which GCC 12's own headers have some
    compiling = [*FLAGS[request.param].split(), *warned, f"-I{HEADER}"]
    subprocess.run([*common, *compiling, "-c", "noise.cpp", "-o", "noise.o"], cwd=folder, check=True)
    subprocess.run([*common, "-shared", "noise.o", "-o", "noise.so"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "noise.so"))


def fill(library, distribution, kind, seed, stream, trial, step, lanes, units, scale=1.0):
    """The C++ noise (lanes, units), written between two guards that must stay."""
    real = ctypes.c_double if kind == "double" else ctypes.c_float
    buffer = np.full(lanes * units + 16, np.nan, DTYPES[kind])
    words = map(ctypes.c_uint64, (seed, stream, trial, step, lanes, units))
    getattr(library, f"{distribution}_{kind}")(ctypes.c_void_p(buffer[8:].ctypes.data), *words, real(scale))
    assert np.isnan(buffer[:8]).all() and np.isnan(buffer[-8:]).all()
    return buffer[8:-8].reshape(lanes, units)


SIZES = [(1, 1), (1, 7), (1, 8), (65, 5), (64, 100), (1, 319), (2, 257), (5, 1100), (0, 4), (4, 0)]


@pytest.mark.parametrize("kind", list(DTYPES))
@pytest.mark.parametrize("lanes, units", SIZES)
@pytest.mark.parametrize("seed, stream, trial, step", [(11, 3, 5, 7), (TOP, TOP - 1, TOP - 2, TOP - 3)])
def test_cpp_equals_numpy(library, kind, lanes, units, seed, stream, trial, step):
    where = (seed, stream, trial, step, lanes, units)
    expected = noise.draw("sign", *where, dtype=DTYPES[kind])
    np.testing.assert_array_equal(fill(library, "sign", kind, *where), expected)
    expected = noise.draw("gaussian", *where)
    tolerance = 1e-14 if kind == "double" else 1e-6
    np.testing.assert_allclose(fill(library, "gaussian", kind, *where), expected, rtol=0, atol=tolerance)
    expected = noise.draw("rare", *where, chance=0.3)
    np.testing.assert_allclose(fill(library, "rare", kind, *where), expected, rtol=0, atol=tolerance)
    expected = noise.draw("logistic", *where)
    np.testing.assert_allclose(fill(library, "logistic", kind, *where), expected, rtol=0, atol=2 * tolerance)


@pytest.mark.parametrize("kind", list(DTYPES))
@pytest.mark.parametrize("distribution", ["gaussian", "sign", "rare", "logistic"])
@pytest.mark.parametrize("scale", [0.25, -4.0, 0.0])
def test_cpp_scales(library, kind, distribution, scale):
    where = (1, 2, 3, 4, 3, 70)
    unit, scaled = fill(library, distribution, kind, *where), fill(library, distribution, kind, *where, scale)
    np.testing.assert_array_equal(scaled, DTYPES[kind](scale) * unit)


@pytest.mark.parametrize("kind", list(DTYPES))
@pytest.mark.parametrize("distribution", ["gaussian", "sign", "rare", "logistic"])
@pytest.mark.parametrize("lanes, units, steps, apart", [(1, 100, 19, 1), (3, 9, 7, 3), (2, 300, 2, 2)])
def test_cpp_fills_several_steps_as_it_does_one(library, kind, distribution, lanes, units, steps, apart):
    out = np.full((steps, apart, lanes, units), np.nan, DTYPES[kind])
    words = map(ctypes.c_uint64, (5, 2, 9, 40, lanes, units, steps, apart))
    getattr(library, f"{distribution}s_{kind}")(ctypes.c_void_p(out.ctypes.data), *words)
    for k in range(steps):
        np.testing.assert_array_equal(
            out[k, 0], fill(library, distribution, kind, 5, 2, 9, 40 + k, lanes, units)
        )
    assert np.isnan(out[:, 1:]).all()


@pytest.mark.parametrize("kind, epsilon", [("double", 2.0**-52), ("float", 2.0**-23)])
def test_cpp_functions_over_their_whole_range(library, kind, epsilon):
    corners = [0, 0xB504F334, *(i << 29 for i in range(1, 8)), 2**32, *(1 << i for i in range(32))]
    near = (np.array(corners)[:, None] + np.arange(-40, 41)).ravel()
    k = np.concatenate([near[(near >= 0) & (near < 2**32)], np.arange(0, 2**32, 43243)]).astype(np.uint32)
    log, cosine, sine = (np.empty(k.size, DTYPES[kind]) for _ in range(3))
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (log, cosine, sine))
    getattr(library, f"parts_{kind}")(ctypes.c_void_p(k.ctypes.data), ctypes.c_uint64(k.size), *pointers)
    below_one = (2.0**32 - k - 0.5) / 2**32
    exact = np.where(k < 2**31, -2 * np.log((k + 0.5) / 2**32), -2 * np.log1p(-below_one))
    np.testing.assert_allclose(log, exact, rtol=3 * epsilon)
    angle = 2 * np.pi * k.astype(np.int32) / 2**32
    np.testing.assert_allclose(cosine, np.cos(angle), rtol=0, atol=2 * epsilon)
    np.testing.assert_allclose(sine, np.sin(angle), rtol=0, atol=2 * epsilon)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("distribution", ["gaussian", "sign"])
@pytest.mark.parametrize("compiled", [True, False])
def test_draws_again_equal_the_definition(monkeypatch, dtype, tolerance, distribution, compiled):
    if not compiled:
        monkeypatch.setattr(draws, "_functions", lambda distribution: {})
    where = (TOP, TOP - 1, TOP - 2, TOP - 3, 5, 70)
    got = draws.draw(distribution, *where, dtype, 0.25)
    assert got.dtype == dtype
    expected = 0.25 * noise.draw(distribution, *where)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)

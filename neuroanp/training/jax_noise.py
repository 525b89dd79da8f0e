"""Counter-based noise in JAX: the numbers of ``engine/noise.py`` and ``native/noise.hpp``, drawn on a device.

Arithmetic is on whole numbers of 64 bits, so callers are in ``jax.enable_x64``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from neuroanp.config.environment import jax

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

ATANH = {
    "float64": (1.0, 0.33333333333333823, 0.19999999999651169, 0.1428571438032084, 0.11111098528363023,
                0.090918158401146644, 0.076562640741820955, 0.074048551803276383),
    "float32": (0.999999999, 0.333334077, 0.199874253, 0.149621952),
}  # fmt: skip
SIN = {
    "float64": (6.2831853071795865, -41.341702240399636, 81.605249275948035, -76.705859704274551,
                42.058685020160894, -15.093804209987114, 3.7808689593022955),
    "float32": (6.28318529, -41.3416626, 81.5925429, -75.4016127),
}  # fmt: skip
COS = {
    "float64": (0.99999999999999995, -19.739208802178421, 64.939394022365371, -85.456817090341146,
                60.24462008593029, -26.424257034882689, 7.8102909681441906),
    "float32": (0.999999972, -19.7391521, 64.9212343, -83.5918168),
}  # fmt: skip
"""Coefficients in x^2 of atanh(x) / x, sin(2 pi x) / x and cos(2 pi x), as in ``native/noise.hpp``."""

AT_ONCE = 2048
"""Blocks that a CPU hashes at a time."""

PER_BLOCK = {"gaussian": 8, "sign": 256, "rare": 4, "logistic": 8}
"""Units that one block of four words serves."""


class Source(NamedTuple):
    """Noise of one purpose.

    Parameters
    ----------
    distribution : {"gaussian", "sign", "rare", "logistic"}
    stream : int
        Keeps apart the noises of a network.
    hold : int
        Steps for which one draw is held.
    chance : float
        Rare noise: probability of a number other than 0.
    """

    distribution: str
    stream: int
    hold: int = 1
    chance: float = 1.0

    def draws(self, seed: Any, trial: Any, steps: Any, lanes: Any, units: int, dtype: Any) -> Any:
        """Noise (B, L, units) of variance 1 of the draws that last for steps from a multiple of `hold` on."""
        blocks = steps if self.hold == 1 else steps[:: self.hold] // self.hold
        return draw(self, seed, trial, blocks, lanes, units, dtype)


def draw(source: Source, seed: Any, trial: Any, steps: Any, lanes: Any, units: int, dtype: Any) -> Any:
    """Noise of mean 0 and variance 1, as `neuroanp.engine.noise.draw` has it.

    Parameters
    ----------
    source : Source
    seed, trial : uint64
    steps : (T,) array of uint64
    lanes : (L,) array of uint64
        Their numbers.
    units : int
    dtype : numpy.dtype
        Precision that it is computed in.

    Returns
    -------
    (T, L, units) array
    """
    jnp, per_block = jax().numpy, PER_BLOCK[source.distribution]
    blocks = jnp.arange(-(-units // per_block), dtype=jnp.uint64)
    drawing = jax().lax.platform_dependent
    arguments = (seed, jnp.uint64(source.stream)), trial, steps, lanes, blocks
    words = jnp.stack(drawing(*arguments, cpu=_in_turn, default=_at_once), axis=-1)
    noise = _CONVERSIONS[source.distribution](words, np.dtype(dtype), source.chance)
    return noise.reshape(*words.shape[:2], -1)[..., :units]


def _at_once(key: Any, trial: Any, steps: Any, lanes: Any, blocks: Any) -> tuple[Any, ...]:
    """Words of all blocks, four arrays (T, L, B)."""
    words = philox((blocks, lanes[:, None], steps[:, None, None], trial), key)
    return tuple(jax().lax.optimization_barrier(words))


def _in_turn(key: Any, trial: Any, steps: Any, lanes: Any, blocks: Any) -> tuple[Any, ...]:
    """`_at_once`, some steps at a time, or lanes of a single step.

    XLA's compiler for CPUs else hashes anew for every number that is drawn.
    """
    jnp, axis = jax().numpy, int(len(steps) == 1)
    rows = (steps, lanes)[axis]
    count = len(rows)
    if count == 1:
        return _at_once(key, trial, steps, lanes, blocks)
    each = -(-count // max(2, len(steps) * len(lanes) * len(blocks) // AT_ONCE))
    padded = jnp.concatenate([rows, rows[: -count % each]]).reshape(-1, each)

    def some(rows: Any) -> tuple[Any, ...]:
        places = (steps, rows) if axis else (rows, lanes)
        return _at_once(key, trial, *places, blocks)

    def joined(words: Any) -> Any:
        words = jnp.moveaxis(words, 0, axis)
        words = words.reshape(*words.shape[:axis], -1, *words.shape[axis + 2 :])
        return jax().lax.slice_in_dim(words, 0, count, axis=axis)

    return tuple(map(joined, jax().lax.map(some, padded)))


def _products(a: Any, b: int) -> tuple[Any, Any]:
    """High and low half of the 128-bit product of each element with a constant."""
    b_low, b_high = np.uint64(b & 0xFFFFFFFF), np.uint64(b >> 32)
    low, high = a & LOW, a >> HALF
    least = low * b_low
    middle = low * b_high + (least >> HALF)
    carry = high * b_low + (middle & LOW)
    return high * b_high + (middle >> HALF) + (carry >> HALF), (carry << HALF) | (least & LOW)


def philox(counter: tuple[Any, ...], key: tuple[Any, Any]) -> tuple[Any, ...]:
    """Philox4x64-10 of counters of four words, whose shapes broadcast; see `neuroanp.engine.noise.philox`."""
    jnp = jax().numpy
    c0, c1, c2, c3 = jnp.broadcast_arrays(*(jnp.asarray(word, jnp.uint64) for word in counter))
    k0, k1 = (jnp.asarray(word, jnp.uint64) for word in key)
    for _ in range(10):
        (p_high, p_low), (q_high, q_low) = _products(c0, MULTIPLIERS[0]), _products(c2, MULTIPLIERS[1])
        c0, c1, c2, c3 = q_high ^ c1 ^ k0, q_low, p_high ^ c3 ^ k1, p_low
        k0, k1 = k0 + np.uint64(KEY_STEPS[0]), k1 + np.uint64(KEY_STEPS[1])
    return c0, c1, c2, c3


def _polynomial(coefficients: tuple[float, ...], x: Any, dtype: Any) -> Any:
    total = dtype.type(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = dtype.type(coefficient) + x * total
    return total


def _minus_two_log(k: Any, dtype: Any) -> Any:
    """-2 log u of u = (k + 1/2) / 2^32, of k uint32."""
    jnp, lax, F = jax().numpy, jax().lax, dtype.type
    bits_type, mantissa, sqrt_half = {
        "float64": (np.uint64, 52, 0x3FE6A09E667F3BCD), "float32": (np.uint32, 23, 0x3F3504F3)
    }[dtype.name]  # fmt: skip
    bits = lax.bitcast_convert_type((k.astype(dtype) + F(0.5)) * F(2.0**-32), bits_type)
    offset = bits_type(((64 << mantissa) - sqrt_half) % 2 ** (8 * dtype.itemsize))
    shifted = (bits + offset) >> bits_type(mantissa)
    exponent = shifted.astype(np.int32) - np.int32(64)
    x = lax.bitcast_convert_type(bits - ((shifted - bits_type(64)) << bits_type(mantissa)), dtype) - F(1)
    if dtype.name == "float32":
        below_one = ((~k).astype(dtype) + F(0.5)) * F(-(2.0**-32))
        x = jnp.where(k >= np.uint32(0xB504F334), below_one, x)
    ratio = x / (x + F(2))
    whole = F(1.38629436111989061883) * exponent.astype(dtype)
    return F(-4) * ratio * _polynomial(ATANH[dtype.name], ratio * ratio, dtype) - whole


def _cos_sin(k: Any, dtype: Any) -> tuple[Any, Any]:
    """Cosine and sine of 2 pi k / 2^32, of k uint32: nearest quarter turn, then polynomials of the rest."""
    jnp, F = jax().numpy, dtype.type
    quarter = (k + np.uint32(0x20000000)) >> np.uint32(30)
    rest = jax().lax.bitcast_convert_type(k - (quarter << np.uint32(30)), np.int32)
    x = rest.astype(dtype) * F(2.0**-32)
    c, s = _polynomial(COS[dtype.name], x * x, dtype), x * _polynomial(SIN[dtype.name], x * x, dtype)
    odd = (quarter & np.uint32(1)) > 0
    cosine, sine = jnp.where(odd, s, c), jnp.where(odd, c, s)
    negative = ((quarter + np.uint32(1)) & np.uint32(2)) > 0, (quarter & np.uint32(2)) > 0
    return jnp.where(negative[0], -cosine, cosine), jnp.where(negative[1], -sine, sine)


def _halves(words: Any) -> tuple[Any, Any]:
    return words.astype(np.uint32), (words >> HALF).astype(np.uint32)


def _gaussian(words: Any, dtype: Any, chance: float) -> Any:
    jnp = jax().numpy
    low, high = _halves(words)
    radius = jnp.sqrt(_minus_two_log(low, dtype))
    cosine, sine = _cos_sin(high, dtype)
    return jnp.stack([radius * cosine, radius * sine], axis=-1)


def _sign(words: Any, dtype: Any, chance: float) -> Any:
    jnp = jax().numpy
    halves = jnp.stack(_halves(words), axis=-1)
    set_bits = (halves[..., None] >> jnp.arange(32, dtype=np.uint32)) & np.uint32(1)
    return jnp.where(set_bits > 0, dtype.type(-1), dtype.type(1))


def _rare(words: Any, dtype: Any, chance: float) -> Any:
    low, high = _halves(words)
    size = ((high.astype(np.float64) + 0.5) * 2.0**-31 - 1.0).astype(dtype)
    largest = dtype.type(math.sqrt(3.0 / chance))
    there = low.astype(np.uint64) < np.uint64(chance * 2.0**32)
    return jax().numpy.where(there, largest * size, dtype.type(0))


def _logistic(words: Any, dtype: Any, chance: float) -> Any:
    scale = dtype.type(0.27566444771089602)  # sqrt(3) / pi / 2
    noise = [scale * (_minus_two_log(~half, dtype) - _minus_two_log(half, dtype)) for half in _halves(words)]
    return jax().numpy.stack(noise, axis=-1)


_CONVERSIONS = {"gaussian": _gaussian, "sign": _sign, "rare": _rare, "logistic": _logistic}

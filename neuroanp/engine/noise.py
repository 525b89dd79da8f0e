"""Counter-based noise: a pure function of (seed, stream, trial, lane, unit, step).

The definition that ``native/noise.hpp`` repeats in C++. Philox4x64-10 (Salmon, Moraes, Dror, Shaw, SC 2011)
with key ``(seed, stream)`` turns each counter ``(block, lane, step, trial)`` into four 64-bit words.

gaussian
    Unit i of a lane is in block i // 8. Word j of a block serves its units 2j and 2j + 1 by Box-Muller: with
    k the low and m the high half of the word, u = (k + 1/2) / 2^32 and angle = 2 pi m / 2^32, they are
    sqrt(-2 log u) times cos(angle) and times sin(angle).
sign
    Unit i of a lane is in block i // 256. It is -1 where bit i % 64 of word i % 256 // 64 is set, else +1.
rare
    Unit i of a lane has word i % 4 of block i // 4. With k the low and m the high half of the word, it is 0
    unless k is less than chance * 2^32, and then sqrt(3 / chance) times ((m + 1/2) / 2^31 - 1).
logistic
    Unit i of a lane has the low (even i) or high (odd i) half of word i % 8 // 2 of block i // 8. With k that
    half and u = (k + 1/2) / 2^32, it is sqrt(3) / pi times log(u / (1 - u)).

Nothing depends on the number of lanes, units or steps drawn together, so any draw can be repeated alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.types import Array

Words = NDArray[np.uint64]
Four = tuple[Words, Words, Words, Words]

_WORDS = 4
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_LOW = 0xFFFFFFFF
_LIMIT = 2**64
_BLOCKS_AT_ONCE = 16384  # temporaries of 128 kB


def _high_product(a: Words, b: int) -> Words:
    """High half of the 128-bit product of each element with the constant `b`."""
    b_low, b_high = np.uint64(b & _LOW), np.uint64(b >> 32)
    low, high = a & np.uint64(_LOW), a >> np.uint64(32)
    middle = low * b_high
    low *= b_low
    low >>= np.uint64(32)
    middle += low
    carry = middle & np.uint64(_LOW)
    carry += high * b_low
    carry >>= np.uint64(32)
    middle >>= np.uint64(32)
    high *= b_high
    high += middle
    high += carry
    return high


def philox(counter: Four, key: tuple[int, int]) -> Four:
    """Philox4x64-10 of many counters.

    Parameters
    ----------
    counter : four uint64 arrays
        The words of the counters, least significant first; their shapes broadcast.
    key : (int, int)
        The two words of the key.

    Returns
    -------
    four uint64 arrays of the broadcast shape
        The words of each block.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    m0, m1 = _MULTIPLIERS
    for _ in range(10):
        p, q = _high_product(c0, m0), _high_product(c2, m1)
        c0, c2, c1, c3 = (
            q ^ (c1 ^ np.uint64(k0)),
            p ^ (c3 ^ np.uint64(k1)),
            c2 * np.uint64(m1),
            c0 * np.uint64(m0),
        )
        k0, k1 = (k0 + _KEY_STEPS[0]) % _LIMIT, (k1 + _KEY_STEPS[1]) % _LIMIT
    return c0, c1, c2, c3


def _gaussian(words: Words) -> NDArray[np.float64]:
    """Standard normal numbers, eight for each block, of blocks of words (..., 4)."""
    radius = (words & np.uint64(_LOW)).astype(np.float64)
    radius += 0.5
    radius *= 2.0**-32
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    # cos and sin from the tangent of half the angle: one call, and one that NumPy vectorises
    tangent = (words.view(np.int64) >> np.int64(32)).astype(np.float64)
    tangent *= np.pi * 2.0**-32
    np.tan(tangent, out=tangent)
    square = tangent * tangent
    radius /= 1.0 + square
    result = np.empty((*words.shape, 2))
    np.multiply(radius, 1.0 - square, out=result[..., 0])
    tangent += tangent
    np.multiply(radius, tangent, out=result[..., 1])
    return result


def _sign(words: Words) -> NDArray[np.int8]:
    """Plus and minus ones, 256 for each block, of blocks of words (..., 4)."""
    bits = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), axis=-1, bitorder="little")
    return 1 - 2 * bits.astype(np.int8)


def _rare(words: Words, chance: float) -> NDArray[np.float64]:
    """Zeros and, now and then, numbers from -a to a, four for each block."""
    size = (words >> np.uint64(32)).astype(np.float64)
    size += 0.5
    size *= 2.0**-31
    size -= 1.0
    size *= np.sqrt(3.0 / chance)
    size *= (words & np.uint64(_LOW)) < np.uint64(chance * 2.0**32)
    return size


def _logistic(words: Words) -> NDArray[np.float64]:
    """Logistic numbers, eight for each block, of blocks of words (..., 4)."""
    halves = np.stack([words & np.uint64(_LOW), words >> np.uint64(32)], axis=-1).astype(np.float64)
    halves += 0.5
    result = np.log(halves)
    result -= np.log(2.0**32 - halves)
    result *= np.sqrt(3.0) / np.pi
    return result


_DISTRIBUTIONS: dict[str, tuple[int, Callable[[Words, float], Array]]] = {
    "gaussian": (2 * _WORDS, lambda words, chance: _gaussian(words)),
    "sign": (64 * _WORDS, lambda words, chance: _sign(words)),
    "rare": (_WORDS, _rare),
    "logistic": (2 * _WORDS, lambda words, chance: _logistic(words)),
}


def _word(field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < _LIMIT:
        raise InvalidValue(f"draw.{field}", "a whole number from 0 to 2^64 - 1", value)
    return int(value)


def draw(
    distribution: str,
    seed: int,
    stream: int,
    trial: int,
    step: int | range,
    lanes: int,
    units: int,
    dtype: DTypeLike = np.float64,
    chance: float = 1.0,
) -> Array:
    """Noise of mean 0 and variance 1.

    A call costs about 0.3 ms beside the draws themselves: ask for all steps of a trial in one range.

    Parameters
    ----------
    distribution : {"gaussian", "sign", "rare", "logistic"}
        Standard normal, plus and minus 1, mostly 0 and else uniform, or logistic.
    seed, stream, trial : int
        Run, purpose (hidden noise, output noise, each weight matrix) and trial, each from 0 to 2^64 - 1.
    step : int or range
        One step, or several.
    lanes, units : int
        Numbers of lanes and units, counted from 0.
    dtype : float64 or float32
        Type of the result; it is computed in float64.
    chance : float
        Rare noise: probability of a number other than 0, above 0 and at most 1.

    Returns
    -------
    (lanes, units) array, (T, lanes, units) for a range of T steps

    Raises
    ------
    InvalidValue
        For numbers outside their range and for other types.
    UnknownName
        For a distribution that does not exist.
    """
    if distribution not in _DISTRIBUTIONS:
        raise UnknownName("noise distribution", distribution, sorted(_DISTRIBUTIONS))
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise InvalidValue("draw.dtype", "float64 or float32", np.dtype(dtype).name)
    key = _word("seed", seed), _word("stream", stream)
    trial, lanes, units = _word("trial", trial), _word("lanes", lanes), _word("units", units)
    steps = step if isinstance(step, range) else (_word("step", step),)
    for end in (*steps[:1], *steps[-1:]):
        _word("step", end)

    per_block, convert = _DISTRIBUTIONS[distribution]
    blocks = -(-units // per_block)
    result = np.empty((len(steps), lanes, units), dtype)
    steps_at_once = max(1, _BLOCKS_AT_ONCE // max(1, lanes * blocks))
    blocks_at_once = max(1, _BLOCKS_AT_ONCE // max(1, lanes))
    lane_word = np.arange(lanes, dtype=np.uint64)[:, None]
    trial_word = np.full((1, 1, 1), trial, np.uint64)
    for t in range(0, len(steps), steps_at_once):
        step_word = np.array(steps[t : t + steps_at_once], np.uint64)[:, None, None]
        for b in range(0, blocks, blocks_at_once):
            block_word = np.arange(b, min(b + blocks_at_once, blocks), dtype=np.uint64)
            words = np.stack(philox((block_word, lane_word, step_word, trial_word), key), axis=-1)
            part = result[t : t + steps_at_once, :, b * per_block : (b + blocks_at_once) * per_block]
            noise = convert(words, chance).reshape(*words.shape[:2], words.shape[2] * per_block)
            part[...] = noise[..., : part.shape[2]]
    return result if isinstance(step, range) else result[0]

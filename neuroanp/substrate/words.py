"""Random words that round, and the noise of a generator on the chip."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from neuroanp.engine.noise import philox
from neuroanp.substrate.network import HIDDEN, READOUT, SynapticNetwork
from neuroanp.substrate.noise import NodeNoise
from neuroanp.types import Array

STREAM = 64
"""First stream of the words that round; one for each block of each projection."""

BLOCKS = ("eligibility", "credit", "trial")


class Source(abc.ABC):
    """Source of noise, as integers, and of random words."""

    @abc.abstractmethod
    def begin(self, index: int, steps: int, part: int, name: str) -> None:
        """Begin a pass of a trial."""

    @abc.abstractmethod
    def on_nodes(self, layer: str, step: int) -> Array:
        """Noise (L, n) of a layer, of standard deviation 1."""

    @abc.abstractmethod
    def on_weights(self, name: str, index: int) -> Array | None:
        """Noise (post, pre) of weights, of standard deviation 1; None where there is none."""

    @abc.abstractmethod
    def words(self, name: str, block: str, step: int, lanes: int, count: int) -> Array:
        """Words (L, post, pre, count) of a block of a projection."""


class Counter(Source):
    """NeuroANP's own: functions of seed, trial, step, lane and synapse.

    Parameters
    ----------
    network : SynapticNetwork
    seed : int
    library : ctypes.CDLL, optional
        With ``counter_words``; in NumPy without it, the same bits.
    """

    def __init__(self, network: SynapticNetwork, seed: int, library: Any = None) -> None:
        self.network, self.seed, self.library = network, seed, library
        self.noise = NodeNoise(network, seed)

    def begin(self, index: int, steps: int, part: int, name: str) -> None:
        self.index, self.part = index, part
        self.noise.draw(index, steps, name)

    def on_nodes(self, layer: str, step: int) -> Array:
        return np.asarray(self.noise.on_nodes(layer, step))

    def on_weights(self, name: str, index: int) -> Array | None:
        return self.noise.on_weights(name, index)

    def words(self, name: str, block: str, step: int, lanes: int, count: int) -> Array:
        shape = (lanes, *self.network.sizes(name), count)
        size = int(np.prod(shape[1:]))
        stream = (
            STREAM
            + 16 * (list(self.network.synapses).index(name) * len(BLOCKS) + BLOCKS.index(block))
            + self.part
        )
        words = np.empty((lanes, size), np.uint32)
        if self.library is not None and size:
            self.library.counter_words(self.seed, stream, self.index, step, lanes, size, words.ctypes.data)
        elif size:
            blocks_, lane = (
                np.arange(-(-size // 8), dtype=np.uint64),
                np.arange(lanes, dtype=np.uint64)[:, None],
            )
            at, trial = (np.full((1, 1), number, np.uint64) for number in (step, self.index))
            four = philox((blocks_, lane, at, trial), (self.seed, stream))
            blocks = np.stack(np.broadcast_arrays(*four), axis=-1)
            words[:] = np.ascontiguousarray(blocks).astype("<u8").view("<u4").reshape(lanes, -1)[:, :size]
        return words.reshape(shape)


class Xorshift(Source):
    """One generator of 32 bits that is asked in the order in which hardware visits cells and synapses.

    At a step in which noise is drawn anew each cell draws a word, whose last bit is its sign, before its
    synapses draw theirs. Noise on weights is drawn synapse by synapse before the first pass of a trial.

    Parameters
    ----------
    network : SynapticNetwork
        Of one lane.
    seed : int
    counts : mapping
        Words of each synapse by projection and block.
    library : ctypes.CDLL, optional
        With ``xorshift_words``.
    """

    def __init__(
        self, network: SynapticNetwork, seed: int, counts: dict[tuple[str, str], int], library: Any = None
    ) -> None:
        self.network, self.counts, self.library = network, counts, library
        self.state = start_state(seed)
        self.signs: dict[str, Array] = {}
        self._words: dict[str, Array] = {}

    def begin(self, index: int, steps: int, part: int, name: str) -> None:
        self.drawn: tuple[int, str] = (-1, "")

    def _take(self, count: int) -> Array:
        words = np.empty(count, np.uint32)
        if self.library is not None:
            self.state = int(self.library.xorshift_words(self.state, count, words.ctypes.data))
            return words
        for k in range(count):
            self.state = xorshift(self.state)
            words[k] = self.state
        return words

    def sweep(self, step: int, layer: str) -> None:
        """Draws of all cells of a layer and of the synapses that they visit on the way."""
        network = self.network
        names, block = (HIDDEN, "eligibility") if layer == "hidden" else ((READOUT,), "transmit")
        cells = network.sizes(names[0])[0]
        draws = network.sigma(layer) > 0 and step % (network.perturbation.hold_steps or 1) == 0
        counts = [network.sizes(name)[1] * self.counts.get((name, block), 0) for name in names]
        rows = self._take(cells * (int(draws) + sum(counts))).reshape(cells, -1)
        if draws:
            self.signs[layer] = 1 - 2 * (rows[:, :1].T & 1).astype(np.int64)
            rows = rows[:, 1:]
        for name, count in zip(names, counts, strict=True):
            width = self.counts.get((name, block), 0)
            self._words[name] = rows[:, :count].reshape(1, cells, network.sizes(name)[1], width)
            rows = rows[:, count:]

    def on_nodes(self, layer: str, step: int) -> Array:
        if self.network.sigma(layer) == 0:
            return np.zeros(
                (1, self.network.model.hidden if layer == "hidden" else self.network.n_out), np.int64
            )
        return self.signs[layer]

    def on_weights(self, name: str, index: int) -> Array | None:
        if not self.network.sigma(name) > 0:
            return None
        posts, pres = self.network.sizes(name)
        return 1 - 2 * (self._take(posts * pres).reshape(posts, pres) & 1).astype(np.int64)

    def words(self, name: str, block: str, step: int, lanes: int, count: int) -> Array:
        if block == "eligibility":
            return np.ascontiguousarray(self._words[name])
        posts, pres = self.network.sizes(name)
        return self._take(posts * pres * count).reshape(1, posts, pres, count)


def start_state(seed: int) -> int:
    """First state of the generator, never 0."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0]) or 1


def xorshift(x: int) -> int:
    """Next state of the generator (Marsaglia 2003, shifts 13, 17, 5)."""
    x ^= x << 13 & 0xFFFFFFFF
    x ^= x >> 17
    return x ^ x << 5 & 0xFFFFFFFF

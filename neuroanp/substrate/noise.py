"""`NodeNoise`: noise of cells and weights, the numbers of `neuroanp.train`."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.engine import noise
from neuroanp.network.layout import NODE_STREAMS, PROJECTIONS
from neuroanp.substrate.network import SynapticNetwork
from neuroanp.types import Array


class NodeNoise:
    """NeuroANP's own noise, of standard deviation 1: the numbers of `neuroanp.train` with the same seed.

    Parameters
    ----------
    network : SynapticNetwork
    seed : int
        Seed of the noise.
    """

    def __init__(self, network: SynapticNetwork, seed: int) -> None:
        self.network, self.seed = network, seed
        self._drawn: dict[str, Array] = {}

    def draw(self, index: int, steps: int, part: str) -> None:
        """Begin a trial."""
        self._drawn.clear()
        if part == "clean":
            return
        network, noise_ = self.network, self.network.perturbation
        hold = noise_.hold_steps or 1
        for layer, size in (("hidden", network.model.hidden), ("output", network.n_out)):
            if network.sigma(layer) > 0:
                self._drawn[layer] = noise.draw(
                    noise_.distribution, self.seed, NODE_STREAMS[layer], index, range(-(-steps // hold)),
                    network.lanes, size, chance=noise_.probability,
                )  # fmt: skip

    def on_nodes(self, layer: str, step: int) -> Any:
        """Noise (L, n) of a layer at a step, zero where it has none."""
        if layer not in self._drawn:
            size = self.network.model.hidden if layer == "hidden" else self.network.n_out
            return np.zeros((self.network.lanes, size))
        return self._drawn[layer][step // (self.network.perturbation.hold_steps or 1)]

    def on_weights(self, name: str, index: int) -> Array | None:
        """Noise (post, pre) of a projection's weights in a trial; None where it has none."""
        if not self.network.sigma(name) > 0:
            return None
        stream = PROJECTIONS[name].stream
        return noise.draw(
            self.network.perturbation.distribution, self.seed, stream, index, 0, *self.network.sizes(name)
        )

"""`NoiseSources`: what perturbs a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.engine.operations import CounterNoise, Player, WanderingWeightNoise, WeightNoise
from neuroanp.network.layout import NODE_STREAMS, PROJECTIONS, Layout
from neuroanp.network.perturbation import Perturbation
from neuroanp.types import Array


class NoiseSources:
    """A source of noise for each perturbed layer, or for the weights of each perturbed projection.

    Parameters
    ----------
    perturbation : Perturbation
    layers : mapping
        The groups of the ``hidden`` units and the ``output``.
    projections : mapping
        By weight name.
    layout : Layout
    mixed : bool
        Whether weights are multiplied with decorrelating matrices.

    Attributes
    ----------
    sources : dict
        By layer or by weight name; empty without a perturbation.
    """

    def __init__(
        self,
        perturbation: Perturbation,
        layers: Mapping[str, Any],
        projections: Mapping[str, Any],
        *,
        layout: Layout,
        mixed: bool,
    ) -> None:
        self.perturbation, self.lanes, self.mixed = perturbation, layout.lanes, mixed
        self.signs = layout.passes.signs
        make: dict[str, tuple[Callable[[str, Any], Any], Mapping[str, Any]]] = {
            "none": (self._of_nodes, {}),
            "nodes": (self._of_nodes, layers),
            "weights": (self._of_weights, projections),
        }
        source, places = make[perturbation.target]
        self.sources = {
            name: source(name, place)
            for name, place in places.items()
            if name not in ("output", "W_out") or perturbation.readout
        }

    def _of_nodes(self, layer: str, group: Any) -> Any:
        noise = self.perturbation
        kinds: dict[str, Any] = {"signs": self.signs, "when": "start", "order": 0, "name": f"noise_{layer}"}
        if noise.external:
            return Player(group, "noise", **kinds)
        return CounterNoise(
            group, "noise", lanes=self.lanes, distribution=noise.distribution, hold=noise.hold_steps or 1,
            stream=NODE_STREAMS[layer], chance=noise.probability, **kinds,
        )  # fmt: skip

    def _of_weights(self, name: str, projection: Any) -> Any:
        noise = self.perturbation
        kinds: dict[str, Any] = {
            "signs": self.signs, "distribution": noise.distribution, "stream": PROJECTIONS[name].stream,
            "mixed": self.mixed, "when": "start", "order": 2, "name": f"noise_{name}",
        }  # fmt: skip
        if noise.relaxation < 1 and not noise.external:
            return WanderingWeightNoise(projection, relaxation=noise.relaxation, **kinds)
        members = self.lanes if noise.per_lane else None
        return WeightNoise(
            projection, hold=noise.hold_steps or 0, given=noise.external, members=members, **kinds
        )

    def prepare(
        self, steps: int, seed: int, index: int, sigma: float | None, given: Mapping[str, Array] | None
    ) -> dict[str, Array]:
        """Make ready for a trial; returns the buffers that noise on nodes will be in, by layer.

        Parameters
        ----------
        steps, seed, index : int
            Length of the trial, seed of the noise and number of the trial.
        sigma : float, optional
            See `Perturbation.deviation`.
        given : mapping, optional
            The noise itself, zero where left out, for a perturbation that is given.
        """
        if self.perturbation.external:
            return {
                name: source.play(given[name] if given else np.zeros((steps, *self._shape(name))))
                for name, source in self.sources.items()
            }
        return {
            name: source.prepare(steps, seed, index, self.perturbation.deviation(name, sigma))
            for name, source in self.sources.items()
        }

    def on_weights(self, steps: int) -> Callable[[], Iterator[dict[str, Array]]] | None:
        """`Record.weight_noise` of the trial that was run, of so many steps."""
        if self.perturbation.target != "weights":
            return None

        def drawn() -> Iterator[dict[str, Array]]:
            for step in range(1 if self.perturbation.hold_steps is None else steps):
                yield {name: source.draw(step) for name, source in self.sources.items()}

        return drawn

    def _shape(self, name: str) -> tuple[int, ...]:
        """Shape of the noise of one step."""
        source = self.sources[name]
        if self.perturbation.target == "weights":
            return tuple(source.shape)
        return self.lanes, source.size // self.lanes

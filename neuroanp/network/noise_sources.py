"""`NoiseSources`: the Brian2 objects that perturb a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.engine.operations import CounterNoise, Player, WanderingWeightNoise, WeightNoise
from neuroanp.network.layout import DISTURBANCE_STREAM, NODE_STREAMS, PROJECTIONS, TO_READOUT, Layout
from neuroanp.network.noisy_threshold import THRESHOLD_NOISE
from neuroanp.network.perturbation import Perturbation
from neuroanp.types import Array


class NoiseSources:
    """Sources of noise, one for each perturbed layer or for the weights of each perturbed projection.

    Parameters
    ----------
    perturbation : Perturbation
    layers : mapping
        The groups of the ``hidden`` units and the ``output``.
    projections : mapping
        By weight name.
    layout : Layout
    mixed : bool
        True where weights are multiplied with decorrelating matrices.
    disturbance : float
        Standard deviation of the noise that is the cells' own, 0 for none; see `Model.disturbance`.

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
        disturbance: float,
    ) -> None:
        self.perturbation, self.mixed, self.disturbance = perturbation, mixed, disturbance
        self.lanes = layout.lanes
        self.signs = layout.passes.signs
        on_weights = perturbation.target == "weights"
        self.variables = {"hidden": THRESHOLD_NOISE if perturbation.target == "thresholds" else "noise"}
        self.sources = {
            name: self._of_weights(name, place) if on_weights else self._of_nodes(name, place)
            for name, place in (projections if on_weights else layers).items()
            if perturbation.target != "none" and (perturbation.readout or name not in ("output", *TO_READOUT))
        }
        self._own = self._of_cells(layers["hidden"], layout.rows) if disturbance > 0 else None

    @property
    def objects(self) -> list[Any]:
        """Brian2 objects, those that aren't of a rule among them."""
        return [*self.sources.values(), *([] if self._own is None else [self._own])]

    def _of_cells(self, group: Any, rows: int) -> CounterNoise:
        return CounterNoise(
            group, "disturbance", signs=(1,), lanes=rows, distribution="gaussian", hold=1,
            stream=DISTURBANCE_STREAM, when="start", order=0, name="noise_of_cells",
        )  # fmt: skip

    def _of_nodes(self, layer: str, group: Any) -> Any:
        noise = self.perturbation
        slot: dict[str, Any] = {"when": "start", "order": 0, "name": f"noise_{layer}"}
        variable = self.variables.get(layer, "noise")
        if noise.external:
            return Player(group, variable, signs=self.signs, **slot)
        return CounterNoise(
            group, variable, lanes=self.lanes, signs=self.signs, distribution=noise.distribution,
            hold=noise.hold_steps or 1, stream=NODE_STREAMS[layer], chance=noise.probability, **slot,
        )  # fmt: skip

    def _of_weights(self, name: str, projection: Any) -> Any:
        noise = self.perturbation
        settings: dict[str, Any] = {
            "signs": self.signs, "distribution": noise.distribution, "stream": PROJECTIONS[name].stream,
            "mixed": self.mixed, "when": "start", "order": 2, "name": f"noise_{name}",
        }  # fmt: skip
        if noise.relaxation < 1 and not noise.external:
            return WanderingWeightNoise(projection, relaxation=noise.relaxation, **settings)
        members = self.lanes if noise.per_lane else None
        return WeightNoise(
            projection, hold=noise.hold_steps or 0, given=noise.external, members=members, **settings
        )

    def prepare(
        self, steps: int, seed: int, index: int, sigma: float | None, noise: Mapping[str, Array] | None
    ) -> dict[str, Array]:
        """Make ready for a trial; returns the buffers of the noise on nodes, by layer.

        Parameters
        ----------
        steps, seed, index : int
            Length of the trial, seed of the noise and number of the trial.
        sigma : float, optional
            See `Perturbation.deviation`.
        noise : mapping, optional
            The noise of an external perturbation, zero when left out.
        """
        if self._own is not None:
            self._own.prepare(steps, seed, index, self.disturbance)
        if self.perturbation.external:
            return {
                name: source.play(noise[name] if noise else np.zeros((steps, *self._shape(name))))
                for name, source in self.sources.items()
            }
        return {
            name: source.prepare(steps, seed, index, self.perturbation.deviation(name, sigma, index))
            for name, source in self.sources.items()
        }

    def on_weights(self, steps: int) -> Callable[[], Iterator[dict[str, Array]]] | None:
        """`Record.weight_noise` of the trial of `steps` steps that was run."""
        if self.perturbation.target != "weights":
            return None

        def draws() -> Iterator[dict[str, Array]]:
            for step in range(1 if self.perturbation.hold_steps is None else steps):
                yield {name: source.draw(step) for name, source in self.sources.items()}

        return draws

    def _shape(self, name: str) -> tuple[int, ...]:
        """Shape of the noise of one step."""
        source = self.sources[name]
        if self.perturbation.target == "weights":
            return tuple(source.shape)
        return self.lanes, source.size // self.lanes

"""Checks of weights and wirings that come from outside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.network.layout import DECORRELATING, PROJECTIONS, Layout
from neuroanp.network.model import Model
from neuroanp.network.wiring import Wiring
from neuroanp.types import Array

WIRING = {"rec_targets", "rec_delays"}


def check_weights(
    layout: Layout, model: Model, weights: Mapping[str, Array], decorrelation: Mapping[str, Array]
) -> None:
    """Check of names, shapes and finiteness; `InvalidValue`, see `Network.load`."""
    shapes = weight_shapes(layout, model)
    known = shapes.keys() | (WIRING if model.outgoing is not None else set())
    unknown = (weights.keys() - known) | (decorrelation.keys() - DECORRELATING.keys())
    if unknown or shapes.keys() - weights.keys():
        names = ", ".join(sorted(weights.keys() | decorrelation.keys())) or "none"
        raise InvalidValue("Network.load", f"weights {', '.join(shapes)}", names)
    shapes |= {name: (layout.units(layer),) * 2 for name, layer in DECORRELATING.items()}
    for name, w in {**weights, **decorrelation}.items():
        if name not in shapes:
            continue
        if np.shape(w) != shapes[name]:
            raise InvalidValue(f"Network.load: {name}", f"shape {shapes[name]}", f"shape {np.shape(w)}")
        if not (np.asarray(w).dtype.kind in "fiu" and np.isfinite(w).all()):
            raise InvalidValue(f"Network.load: {name}", "finite numbers", "others")


def weight_shapes(layout: Layout, model: Model) -> dict[str, tuple[int, ...]]:
    """Shape of each of a network's weights, by name."""
    shapes: dict[str, tuple[int, ...]] = {
        name: (layout.units(projection.target), layout.units(projection.source))
        for name, projection in PROJECTIONS.items()
        if model.skip or name != "W_skip"
    }
    if model.outgoing is not None:
        shapes["W_rec"] = (layout.hidden * model.outgoing,)
    if model.skip:
        shapes["W_skip"] = layout.n_out, model.skip_steps * layout.n_in
    return shapes


def check_wiring(model: Model, stored: Wiring) -> None:
    """Check of the recurrent synapses that exist; `InvalidValue` for those of another model."""
    hidden = model.hidden
    expected = (hidden, model.outgoing), (hidden,)
    shapes = stored.targets.shape, stored.delays.shape
    if shapes != expected:
        raise InvalidValue("Network.load", f"rec_targets and rec_delays of shapes {expected}", shapes)
    inside = (stored.targets >= 0) & (stored.targets < hidden)
    if not inside.all() or stored.delays.min() < 0:
        limits = f"rec_targets from 0 to {hidden - 1} and rec_delays of 0 or more"
        raise InvalidValue("Network.load", limits, "others")

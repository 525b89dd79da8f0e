"""`NetworkBase`: what networks are on any engine: sizes, text, and display in notebooks."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.config.display import Markup, fold, paragraph, part_html, table
from neuroanp.config.units import quantity_text
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import PROJECTIONS, Layout, Passes
from neuroanp.network.model import Model
from neuroanp.network.model_checks import check_names, check_numbers, check_size
from neuroanp.network.noisy_threshold import with_noisy_threshold
from neuroanp.network.perturbation import Perturbation

if TYPE_CHECKING:
    from neuroanp.network.assembly import Assembly
    from neuroanp.network.wiring import Wiring


class NetworkBase(abc.ABC):
    """Base of networks: their sizes, and what they are, in a sentence and as a table of projections."""

    model: Model
    layout: Layout
    perturbation: Perturbation
    weights: dict[str, Any]
    decorrelation: Mapping[str, Any]
    parts: Assembly
    wiring: Wiring | None

    def __init__(
        self,
        model: Model,
        n_in: int,
        n_out: int,
        dt: Any,
        *,
        lanes: int,
        passes: tuple[str, ...],
        perturbation: Perturbation | None,
        seed: int,
        dtype: str,
    ) -> None:
        check_numbers(lanes=lanes)
        if dtype not in ("float64", "float32"):
            raise InvalidValue("Network.dtype", "float64 or float32", dtype)
        self.perturbation, self.seed = perturbation or Perturbation(), seed
        noisy = self.perturbation.target == "thresholds"
        self.model = model = with_noisy_threshold(model) if noisy else model
        self.layout = Layout(
            passes=Passes(passes), lanes=lanes, n_in=n_in + model.bias, hidden=model.hidden, n_out=n_out,
            dt=dt, dtype=np.dtype(dtype),
        )  # fmt: skip
        check_names(model)
        check_size(self.layout, model)
        self.weights, self.decorrelation = {}, {}
        self.constants: dict[str, Any] = {
            "dt": float(dt), "readout_memory": model.readout_memory(dt), "cells": model.cells(dt),
            "rates": model.rates(dt), "dynamics": functools.cache(lambda: model.dynamics(dt)),
        }  # fmt: skip

    @property
    def lanes(self) -> int:
        """Number of lanes, L."""
        return self.layout.lanes

    @property
    def passes(self) -> Passes:
        """Names of the passes of a lane."""
        return self.layout.passes

    @property
    def n_in(self) -> int:
        """Number of inputs, the bias among them."""
        return self.layout.n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.layout.n_out

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the simulation."""
        return self.layout.dtype

    @property
    def projections(self) -> tuple[str, ...]:
        """Names of the weights."""
        return tuple(self.parts.projections)

    @property
    @abc.abstractmethod
    def engine(self) -> str:
        """``"compiled"`` or ``"runtime"``."""

    def __repr__(self) -> str:
        layout, model = self.layout, self.model
        bias = " (1 of them the bias)" if model.bias else ""
        passes = " and ".join(layout.passes) + (" passes" if len(layout.passes) > 1 else " pass")
        step = quantity_text(layout.dt, "ms")
        return (
            f"Network of {layout.hidden:,} {model.name} units, {layout.n_in:,} inputs{bias} and "
            f"{layout.n_out:,} outputs; {layout.lanes:,} lanes in {passes}; steps of {step}, "
            f"{layout.dtype}, {self.engine} engine"
        )

    def _repr_html_(self) -> str:
        heads = ("weights", "from", "to", "shape", "weights that are 0", "decorrelated")
        rows = [self._row(name) for name in self.projections]
        return Markup(
            paragraph(self)
            + table(rows, heads)
            + fold(f"model {self.model.name}", part_html(self.model))
            + fold("perturbation", part_html(self.perturbation))
        )

    def _row(self, name: str) -> tuple[object, ...]:
        """Projection with its weights, where there are any yet."""
        projection, layout = PROJECTIONS[name], self.layout
        source, target = layout.units(projection.source), layout.units(projection.target)
        values = self.weights.get(name)
        shape = "not loaded yet" if values is None else " x ".join(map(str, np.shape(values)))
        if name == "W_rec" and self.wiring is not None:
            shape += f", the synapses that exist of {target} x {source}"
        zero = "" if values is None else f"{100 * float(np.mean(values == 0)):.3g} %"
        decorrelated = "yes" if projection.decorrelated_by in self.decorrelation else "no"
        ends = (f"{projection.source} ({source})", f"{projection.target} ({target})")
        return (name, *ends, shape, zero, decorrelated)

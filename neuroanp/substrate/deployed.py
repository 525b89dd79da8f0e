"""Model on an analog device: parameters of each cell, and the weights that its synapses have."""

from __future__ import annotations

import functools
import hashlib
import math
import re
from typing import Any, ClassVar, NamedTuple

import numpy as np
from brian2 import Equations, Quantity, get_dimensions, get_unit, second

from neuroanp.config.option import option
from neuroanp.config.part import options
from neuroanp.errors import InvalidValue
from neuroanp.network.dynamics import Cells, Dynamics, Rates, rendered
from neuroanp.network.model import Model, Weights
from neuroanp.substrate.analog import Analog
from neuroanp.types import Array

SHIFT, DISTURBANCE = "threshold_shift", "disturbance"
"""Variables of a cell on a device."""


class Synapses(NamedTuple):
    """Synapses of one projection."""

    largest: float
    """Weight at the end of the range."""
    factors: Array
    stuck: Array
    """True for those that can't be written."""
    held: Array | float
    """Weights that these have."""


class Deployed(Model):
    """Part of a deployed model that isn't its equations; see `deployed`.

    Rules that ask for constants of the cells get those of the ideal model.
    """

    ideal: Model
    substrate: Analog
    sizes: tuple[int, ...] = option((1, 1), "inputs without the bias, and outputs")
    step: float = option(1e-3, "length of a step in seconds", above=0)

    way_unit: ClassVar[Any] = 1

    def parameters(self) -> dict[str, Any]:
        values = _mismatched(self.substrate, "", self.ideal.parameters(), self.hidden)
        if self.threshold is None:
            return values
        shift = self._way * (self.substrate.factors("threshold", "threshold", self.hidden) - 1)
        return values | {SHIFT: shift * self.way_unit}

    def readout_parameters(self) -> dict[str, Any]:
        return _mismatched(self.substrate, "readout.", self.ideal.readout_parameters(), self.sizes[1])

    def initial_state(self) -> dict[str, Any]:
        return self.ideal.initial_state()

    def cells(self, dt: Any) -> Cells | None:
        return self.ideal.cells(dt)

    def rates(self, dt: Any) -> Rates | None:
        return self.ideal.rates(dt)

    def dynamics(self, dt: Any) -> Dynamics | None:
        return self.ideal.dynamics(dt)

    @property
    def disturbance(self) -> float:
        return math.hypot(self.ideal.disturbance, self.substrate.noise * self._way)

    @functools.cached_property
    def _way(self) -> float:
        """Way from reset to threshold in base units, 1 for units that don't spike."""
        if self.threshold is None:
            return 1.0
        dynamics = rendered(self.ideal, self.step * second)
        return float(dynamics.constants["way"])

    def realised(self, weights: Weights) -> Weights:
        return {name: self._realised(w, self._synapses[name]) for name, w in weights.items()}

    def _realised(self, w: Array, synapses: Synapses) -> Array:
        substrate, largest = self.substrate, synapses.largest
        written = np.clip(w, -largest, largest)
        if substrate.bits is not None:
            levels = 2 ** (substrate.bits - 1) - 1
            written = np.round(written / largest * levels) / levels * largest
        values = synapses.factors * written
        if substrate.write_noise > 0:
            values += substrate.write_noise * largest * _noise_of(written)
        return np.where(synapses.stuck, synapses.held, values).astype(w.dtype, copy=False)

    @functools.cached_property
    def _synapses(self) -> dict[str, Synapses]:
        n_in, n_out = self.sizes
        first = self.ideal.start_weights(self.substrate.rng("start"), n_in + self.bias, n_out)
        return {name: self._projection(name, w) for name, w in first.items()}

    def _projection(self, name: str, first: Array) -> Synapses:
        substrate = self.substrate
        scale = math.sqrt(np.mean(first**2)) or 1 / math.sqrt(self.hidden)
        largest = substrate.range * scale
        rng = substrate.rng(f"{name} stuck")
        stuck = rng.random(first.shape) < substrate.stuck
        held = 0.0 if substrate.stuck_at == "zero" else rng.uniform(-largest, largest, first.shape)
        return Synapses(largest, substrate.factors(name, "weight", first.shape), stuck, held)


def deployed(substrate: Analog, model: Model, n_in: int, n_out: int, dt: Any) -> Model:
    """Model as a device has it; see `Analog.deployed`."""
    times = (
        _times(model.equations, model.parameters()),
        _times(model.readout_equations, model.readout_parameters()),
    )
    cls = _kind(type(model), *times, substrate.noise > 0 and model.disturbance == 0)
    own = {name: getattr(model, name) for name in options(type(model))}
    made: Model = cls(**own, ideal=model, substrate=substrate, sizes=(n_in, n_out), step=float(dt))
    return made


@functools.cache
def _kind(cls: type[Model], times: tuple[str, ...], readout_times: tuple[str, ...], noisy: bool) -> Any:
    """Class of the deployed models of a kind, in whose equations each cell has times of its own."""
    own: dict[str, Any] = {"name": cls.name, "__module__": __name__, "__doc__": cls.__doc__}
    own["equations"] = _each(cls.equations, times)
    own["readout_equations"] = _each(cls.readout_equations, readout_times)
    if cls.threshold is not None:
        own["threshold"] = _shifted(cls)
        dim = Equations(cls.equations)[str(cls.potential)].dim
        own["way_unit"] = Quantity(1, dim=dim)
        own["equations"] += f"\n{SHIFT} : {_unit_text(dim)}"
    if noisy:
        target = cls.drive if cls.threshold is None else str(cls.potential)
        own["equations"] += f"\n{DISTURBANCE} : {_unit_text(Equations(cls.equations)[target].dim)}"
        own["update"] = f"{target} += {DISTURBANCE}\n{cls.update}"
    return type(cls.__name__, (Deployed, cls), own)


def _unit_text(dim: Any) -> str:
    return "1" if dim.is_dimensionless else repr(get_unit(dim))


def _times(equations: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """Names of the parameters that are times."""
    declared = Equations(equations)
    return tuple(name for name in parameters if declared[name].dim is second.dim)


def _each(equations: str, names: tuple[str, ...]) -> str:
    """Equations in which these parameters are not shared by all cells."""
    for name in names:
        found = re.search(rf"^\s*{name}\s*:[^(\n]*\((.*)\)", equations, re.MULTILINE)
        if found:
            flags = [flag for flag in map(str.strip, found[1].split(",")) if flag != "shared"]
            kept = f"({', '.join(flags)})" if flags else ""
            equations = equations.replace(found[0], found[0].replace(f"({found[1]})", kept))
    return equations


def _shifted(cls: type[Model]) -> str:
    """Condition of a spike, with a threshold of each cell's own."""
    sides = re.fullmatch(r"([^<>=]+)(>=?)([^<>=]+)", str(cls.threshold))
    if cls.potential is None or sides is None or re.search(r"\b(and|or|not)\b", str(cls.threshold)):
        raise InvalidValue(
            f"{cls.__name__}.threshold", "potential > value, to be deployed", str(cls.threshold)
        )
    return f"{sides[1]}{sides[2]} ({sides[3].strip()}) + {SHIFT}"


def _mismatched(substrate: Analog, layer: str, values: dict[str, Any], units: int) -> dict[str, Any]:
    """Parameters of a layer, with times of each unit."""
    return {
        name: value * substrate.factors(layer + name, "time", units)
        if get_dimensions(value) is second.dim
        else value
        for name, value in values.items()
    }


def _noise_of(written: Array) -> Array:
    """Gaussian noise (post, pre) of a write, a function of what is written."""
    digest = hashlib.blake2b(np.ascontiguousarray(written).tobytes(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little")).standard_normal(written.shape)

"""`Recording`: a network's answer to inputs, with units and time, for tables and other libraries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, Quantity, get_unit, second

from neuroanp.errors import InvalidValue
from neuroanp.training.tables import required
from neuroanp.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OF_UNITS = ("time", "lane", "unit")
"""Axes of a recorded variable; those of the outputs end with ``"output"``."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Outputs of a network over time, and variables of its hidden units.

    ``recording["spikes"]`` is a variable.

    Parameters
    ----------
    dt : Quantity
        Length of a step.
    outputs : (T, L, n_out) array
        Readout of each lane.
    variables : mapping
        Variables (T, L, N) by name, quantities where they have a unit; ``"spikes"`` are of bool.
    """

    dt: Any
    outputs: Array
    variables: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        if name not in self.variables:
            recorded = ", ".join(self.variables) or "no variables"
            raise InvalidValue("Recording", f"one of {recorded}", name)
        return self.variables[name]

    @property
    def time(self) -> Any:
        """(T,) quantity, the start of each step."""
        return np.arange(len(self.outputs)) * self.dt

    @property
    def rates(self) -> Any:
        """(L, N) quantity in Hz: mean rate of each cell, of recorded spikes."""
        return self["spikes"].mean(axis=0) / float(self.dt) * Hz

    def to_pandas(self) -> Any:
        """`pandas.DataFrame`, a row a step, indexed by time in s; columns are variable, lane and unit.

        Raises
        ------
        MissingExtra
            Where pandas isn't installed.
        """
        pandas = required("pandas", "tables")
        columns = {
            (name, lane, unit): values[:, lane, unit]
            for name, values, _ in self._arrays()
            for lane in range(values.shape[1])
            for unit in range(values.shape[2])
        }
        names = pandas.MultiIndex.from_tuples(columns, names=["variable", "lane", "unit"])
        frame = pandas.DataFrame(columns)
        frame.columns = names
        frame.index = pandas.Index(np.asarray(self.time / second), name="time (s)")
        return frame

    def to_xarray(self) -> Any:
        """`xarray.Dataset` with the axes time (s), lane, and unit or output; units are attributes.

        Raises
        ------
        MissingExtra
            Where xarray isn't installed.
        """
        xarray = required("xarray", "tables")
        variables = {
            name: ((*OF_UNITS[:2], "output" if name == "outputs" else "unit"), values, {"units": unit})
            for name, values, unit in self._arrays()
        }
        time = ("time", np.asarray(self.time / second), {"units": "s"})
        return xarray.Dataset(variables, coords={"time": time})

    def to_neo(self, lane: int = 0) -> Any:
        """`neo.Segment` of one lane: a spike train a cell, and analog signals of the other variables.

        Raises
        ------
        MissingExtra
            Where Neo isn't installed.
        """
        neo = required("neo", "neo")
        segment = neo.Segment(name=f"lane {lane}")
        stop = float(len(self.outputs) * self.dt)
        for name, values, unit in self._arrays():
            if name == "spikes":
                for cell, spikes in enumerate(values[:, lane].T):
                    times = np.flatnonzero(spikes) * float(self.dt)
                    train = neo.SpikeTrain(times, units="s", t_stop=stop, name=f"cell {cell}")
                    segment.spiketrains.append(train)
            else:
                signal = neo.AnalogSignal(
                    values[:, lane], units=unit or "dimensionless", name=name,
                    sampling_period=required("quantities", "neo").Quantity(float(self.dt), "s"),
                )  # fmt: skip
                segment.analogsignals.append(signal)
        return segment

    def plot_raster(self, lane: int = 0, axes: Axes | None = None) -> Axes:
        """Matplotlib axes with the spikes of one lane, over seconds."""
        from neuroanp.plotting.axes import plot_raster

        return plot_raster(self["spikes"][:, lane], float(self.dt), axes)

    def plot_output(self, lane: int = 0, axes: Axes | None = None) -> Axes:
        """Matplotlib axes with the outputs of one lane, over seconds."""
        from neuroanp.plotting.axes import plot_output

        return plot_output(self.outputs[:, lane], float(self.dt), axes=axes)

    def _arrays(self) -> Iterator[tuple[str, Array, str]]:
        """Variables as arrays, with the name of their unit."""
        yield "outputs", self.outputs, ""
        for name, values in self.variables.items():
            unit = get_unit(values.dim) if isinstance(values, Quantity) else None
            yield name, np.asarray(values), "" if unit is None or unit.dim.is_dimensionless else str(unit)

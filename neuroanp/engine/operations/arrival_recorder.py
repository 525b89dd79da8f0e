"""Record of the spikes that arrive at synapses."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from neuroanp.engine.operations._base import Operation
from neuroanp.types import Array


class Arrivals(NamedTuple):
    """Spikes that arrived, in the order of their steps."""

    step: Array
    """(K,) steps, from that of `ArrivalRecorder.prepare`."""
    synapse: Array
    """(K,) numbers of the synapses."""
    gain: Array
    """(K,) values of the variable that is read, or ones."""


class ArrivalRecorder(Operation):
    """Note step and synapse of each spike that a pathway of Brian2 `Synapses` delivers, whatever its delay.

    Parameters
    ----------
    pathway : SynapticPathway
    gain : str, optional
        Variable of the synapses to read at each arrival, after the pathway's statements.
    name : str
    """

    native = """
    if (@row[0] == 0) { @&step.clear(); @&synapse.clear(); @&gain.clear(); }
    if (@row[0] < @steps[0])
        for (const auto k : *@@pathway.peek()) {
            @&step.push_back((int32_t)@row[0]);
            @&synapse.push_back((int32_t)k);
            @@note
        }
    @row[0]++;
    """

    def __init__(self, pathway: Any, gain: str | None = None, *, name: str) -> None:
        super().__init__(pathway.source, "synapses", pathway.order + 1, name)
        self.pathway = pathway
        for variable in ("row", "steps"):
            self.variables.add_array(variable, size=1, dtype=np.int64, values=[0])
        for variable, dtype in (("step", np.int32), ("synapse", np.int32), ("gain", np.float64)):
            self._buffer(variable, dtype)
        self.variables.add_reference("spikes", pathway.source, pathway.eventspace_name, index="0")
        self.gained = gain is not None
        if gain is not None:
            self.variables.add_reference("read", pathway, gain, index="0")
        self.native = self.native.replace("@@note", "@&gain.push_back(@read[k]);" if self.gained else "")
        self._log: list[tuple[int, Array, Array]] = []
        self._waiting = np.zeros(0, np.int32)
        self._ready()

    def _native(self, get_array_name: Any, variables: Any) -> str:
        text = self.native.replace("@@pathway", self.pathway.name)
        text = re.sub(r"@&(\w+)", lambda match: get_array_name(variables[match[1]], access_data=False), text)
        return re.sub(r"@(\w+)", lambda match: get_array_name(variables[match[1]]), text)

    def prepare(self, steps: int) -> None:
        """Make ready for a run of which the next `steps` steps are kept."""
        self.array("row")[0], self.array("steps")[0] = 0, steps
        self._log.clear()
        if self._in_library:
            return
        self._waiting = np.array(self.pathway.queue.peek(), np.int32)
        delays = np.broadcast_to(self.pathway.variables["delay"].get_value(), len(self._sources))
        at_once = np.flatnonzero(delays < 0.5 * self.clock.dt_)
        cells = self._sources[at_once]
        order = np.argsort(cells, kind="stable")
        self._at_once = at_once[order]
        self._first = np.searchsorted(cells[order], np.arange(self.array("spikes").size))

    @property
    def _in_library(self) -> bool:
        return getattr(self.pathway.queue, "home", None) is not None

    @property
    def _sources(self) -> Array:
        return np.asarray(self.pathway.synapse_sources.get_value())

    def step(self) -> None:
        """One step in NumPy: the spikes that were due, and those of now that have no delay."""
        row = int(self.array("row")[0])
        if row < self.array("steps")[0]:
            spikes = self.array("spikes")
            fired = spikes[: spikes[-1]]
            now = [self._at_once[self._first[cell] : self._first[cell + 1]] for cell in fired]
            arrived = np.concatenate([self._waiting, *now]).astype(np.int64)
            read = self.variables["read"].get_value()[arrived] if self.gained else np.ones(len(arrived))
            self._log.append((row, arrived, read))
            self._waiting = np.array(self.pathway.queue.peek(), np.int32)
        self.array("row")[0] += 1

    def arrivals(self) -> Arrivals:
        """Spikes since `prepare`."""
        if self._in_library:
            step, synapse = self.array("step"), self.array("synapse")
            return Arrivals(step, synapse, self.array("gain") if self.gained else np.ones(len(step)))
        steps = np.repeat([row for row, *_ in self._log], [len(arrived) for _, arrived, _ in self._log])
        synapses = [arrived for _, arrived, _ in self._log] or [np.zeros(0, np.int64)]
        gains = [read for *_, read in self._log] or [np.zeros(0)]
        return Arrivals(steps.astype(np.int64), np.concatenate(synapses), np.concatenate(gains))

"""Clocks of a network between and during runs: steps of one length, or times in a list."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Brian2's tolerance, in time steps, for a time to fall on a step.
EPSILON_DT = 1e-4

#: Time step, in seconds, by which clocks without one are compared.
RESOLUTION = 1e-8


def timestep_at(t: float, dt: float) -> int:
    """Step at time `t`, rounded up where it lies between two, as `brian2.Clock` has it."""
    nearest = round(t / dt)
    if nearest * dt == t or abs(nearest * dt - t) / dt <= EPSILON_DT:
        return nearest
    return int(np.ceil(t / dt))


class Steps:
    """Arrays, of one number each, of a `brian2.Clock`."""

    variables = ("timestep", "t", "dt")

    def __init__(self, clock: Any) -> None:
        self.timestep, self.t, self.dt = (clock.variables[name].get_value() for name in self.variables)

    def begin(self, start: float, end: float) -> int:
        """Set the clock to the step at time `start`; number of the step at time `end`."""
        dt = self.dt.item()
        self.timestep[0] = step = timestep_at(start, dt)
        self.t[0] = step * dt
        return timestep_at(end, dt)

    def go_to(self, step: int) -> None:
        """Set the clock to a step."""
        self.timestep[0] = step
        self.t[0] = step * self.length

    @property
    def length(self) -> float:
        """Length of a step in seconds; it may change between runs."""
        return float(self.dt.item())


class Events:
    """Arrays of a `brian2.EventClock` (Brian2 2.11): ``times`` end with infinity."""

    variables = ("timestep", "t", "times")

    def __init__(self, clock: Any) -> None:
        self.timestep, self.t, self.times = (clock.variables[name].get_value() for name in self.variables)

    def begin(self, start: float, end: float) -> int:
        """Set the clock to the first event that isn't before time `start`; number of that for `end`."""
        self.go_to(int(np.searchsorted(self.times, start)))
        return int(np.searchsorted(self.times, end))

    def go_to(self, step: int) -> None:
        """Set the clock to an event."""
        self.timestep[0] = step
        self.t[0] = self.times[step]

    @property
    def length(self) -> float:
        """Infinity: an event lasts no time."""
        return float("inf")


def kind_of(clock: Any) -> type[Steps] | type[Events]:
    """Kind of a Brian2 clock."""
    return Events if "times" in clock.variables else Steps


def same_time(one: Steps | Events, other: Steps | Events) -> bool:
    """True for two clocks that are at the same time."""
    step = min(one.length, other.length)
    return abs(one.t[0] - other.t[0]) / (step if step < float("inf") else RESOLUTION) < EPSILON_DT

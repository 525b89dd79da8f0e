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

    def step_at(self, t: float) -> int:
        """Number of the step at time `t`."""
        return timestep_at(t, float(self.dt[0]))

    def go_to(self, step: int) -> None:
        """Set the clock to a step."""
        self.timestep[0] = step
        self.t[0] = step * float(self.dt[0])

    @property
    def length(self) -> float:
        """Length of a step in seconds; it may change between runs."""
        return float(self.dt[0])


class Events:
    """Arrays of a `brian2.EventClock` (Brian2 2.11): ``times`` end with infinity."""

    variables = ("timestep", "t", "times")

    def __init__(self, clock: Any) -> None:
        self.timestep, self.t, self.times = (clock.variables[name].get_value() for name in self.variables)

    def step_at(self, t: float) -> int:
        """Number of the first event that isn't before `t`."""
        return int(np.searchsorted(self.times, t))

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

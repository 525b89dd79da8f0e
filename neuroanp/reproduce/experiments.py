"""Tasks of the paper, and the sizes at which they are run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from neuroanp.reproduce.methods import OF_RATES, OF_SPIKES
from neuroanp.reward.modulator import Modulator
from neuroanp.tasks import CopyingMemory, DelayedXOR, MackeyGlass, Weather
from neuroanp.training.task import Task

#: Rates of plain gradient descent for the published rules: the best of three or four at one seed each. The
#: published ones belong to losses that are scaled otherwise.
COPYING = {"bp": 0.03, "wp": 3e-4, "np": 1e-3, "anp": 0.1}
SERIES = {"bp": 1e-3, "wp": 1e-4, "np": 3e-4, "anp": 3e-3}
LONG_COPYING = {"bp": 1e-3, "wp": 1e-5, "np": 3e-4, "anp": 0.01}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Setting of a task.

    Attributes
    ----------
    title : str
    task : callable
        Makes the task, given the path of the weather file or None.
    updates : int
        Of a full report.
    quick_updates : int
        Of a quick one; 0 leaves it out.
    hidden : int
    lanes : int
    needs_weather : bool
    rates : dict
        Of the published rules.
    methods : tuple of str
        Names of the methods that it is made with.
    uncompared : dict
        Settings of methods that compare no lanes, in place of the recipe's.
    bptt_rate : float, optional
        Learning rate of BPTT's hidden weights, the best of several on seeds 0 to 2; without it the recipe's,
        which suits our rule.
    """

    title: str
    task: Callable[[str | None], Task]
    updates: int
    quick_updates: int = 0
    hidden: int = 100
    lanes: int = 64
    needs_weather: bool = False
    rates: dict[str, float] = dataclasses.field(default_factory=lambda: SERIES)
    methods: tuple[str, ...] = OF_RATES
    uncompared: dict[str, Any] = dataclasses.field(default_factory=dict)
    bptt_rate: float | None = None


def _copying(**options: Any) -> Callable[[str | None], Task]:
    return lambda weather: CopyingMemory(**options)


def _published_copying(delay: int, quick_updates: int) -> Experiment:
    task = _copying(alphabet=10, length=100, delay=delay, fresh=False)
    title = f"published copying: one sequence of 100, delay {delay}"
    return Experiment(title, task, 500, quick_updates, hidden=200, lanes=16, rates=LONG_COPYING)


def _weather(ahead: int) -> Callable[[str | None], Task]:
    return lambda weather: Weather(ahead=ahead, data=weather or "")


EXPERIMENTS = {
    "mackey-glass": Experiment("Mackey-Glass, 15 steps ahead", lambda weather: MackeyGlass(), 500, 60),
    "mackey-glass-recall": Experiment(
        "Mackey-Glass, 15 steps back: the target of the published code",
        lambda weather: MackeyGlass(direction="recall"), 500,
    ),
    "copying-short": Experiment(
        "copying fresh sequences, alphabet 5, length 3, delay 3", _copying(alphabet=5, length=3, delay=3),
        300, 150, rates=COPYING,
    ),
    "copying-medium": Experiment(
        "copying fresh sequences, alphabet 6, length 5, delay 5", _copying(alphabet=6, length=5, delay=5),
        1000, 200, rates=COPYING, bptt_rate=3e-3,
    ),
    "copying-10": _published_copying(10, quick_updates=100),
    "copying-50": _published_copying(50, quick_updates=0),
    "copying-100": _published_copying(100, quick_updates=0),
    "weather-1": Experiment("weather, 1 h ahead", _weather(1), 300, needs_weather=True),
    "weather-24": Experiment("weather, 24 h ahead", _weather(24), 300, needs_weather=True, bptt_rate=9e-3),
    "weather-48": Experiment("weather, 48 h ahead", _weather(48), 300, needs_weather=True),
    "delayed-xor": Experiment(
        "delayed exclusive or, 20 ms, spiking", lambda weather: DelayedXOR(), 200, lanes=128,
        methods=OF_SPIKES,
        uncompared={"modulator": Modulator(discount=1.0)},  # which lets each lane have an input of its own
        bptt_rate=2e-3,
    ),
}  # fmt: skip

#: Hidden sizes, and lengths of the one sequence that is copied, of the scaling runs.
SIZES, QUICK_SIZES = (50, 100, 200, 500, 1000), (50, 100, 200)
LENGTHS, QUICK_LENGTHS = (10, 30, 100, 300), (10, 30)
SCALED_METHODS = ("bptt", "danp", "ours")
SCALED_UPDATES, QUICK_SCALED_UPDATES = 300, 60

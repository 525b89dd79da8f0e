"""What of a trial is kept in a device's memory."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuroanp.config.environment import jax
from neuroanp.engine.memory import physical_memory
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.trial import Trial
from neuroanp.rules import Rule
from neuroanp.training.jax_options import Jax
from neuroanp.training.recipe import Recipe

SHARE = 0.5
"""Part of a device's memory that the records of a trial may take."""
BLOCK = 256 * 2**20
"""Bytes that the records of a block of steps take about, where a trial is run twice."""
FEWEST = 16
"""Steps of a block at least, unless the option says otherwise."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """Way that trials of one length are computed.

    Parameters
    ----------
    steps : int
        Of a block; 0 keeps the whole trial.
    lane_blocks : int
    """

    steps: int = 0
    lane_blocks: int = 1

    def __str__(self) -> str:
        if not self.steps:
            return "keeps the records of a trial"
        parts = f", lanes in {self.lane_blocks} parts" if self.lane_blocks > 1 else ""
        return f"runs each trial twice, in blocks of {self.steps} steps{parts}"


def plan_for(options: Jax, trial: Trial, layout: Layout, recipe: Recipe) -> Plan:
    """Plan for trials like one.

    Raises
    ------
    InvalidValue
        For a recipe that needs the whole trial, where it is to be replayed.
    """
    rule = recipe.rule
    each, why = bytes_of_step(layout, rule), _needs_all(recipe)
    fits = each * trial.steps <= SHARE * device_memory() * len(jax().devices())
    if options.memory == "keep" or (options.memory == "auto" and (fits or why)):
        return Plan()
    if why:
        raise InvalidValue("Jax.memory", f"keep, as {why}", options.memory)
    parts = options.lane_blocks or _parts(each, layout.lanes)
    if layout.lanes % parts:
        raise InvalidValue("Jax.lane_blocks", f"a divisor of {layout.lanes} lanes", parts)
    if parts > 1 and (recipe.modulator.scope == "global" or rule.perturbation.per_lane):
        expected = "1 for a modulator of scope global, and for lanes with weights of their own"
        raise InvalidValue("Jax.lane_blocks", expected, parts)
    steps = options.steps or max(FEWEST, BLOCK * parts // each)
    return Plan(_even(min(steps, trial.steps), rule.perturbation.hold_steps or 1, trial.steps), parts)


def _parts(each: int, lanes: int) -> int:
    """Fewest parts of the lanes of which the records of a few steps fit, of `each` bytes for all lanes."""
    room = SHARE * device_memory() * len(jax().devices())
    fitting = (n for n in range(1, lanes + 1) if lanes % n == 0 and FEWEST * each / n <= room)
    return next(fitting, lanes)


def _needs_all(recipe: Recipe) -> str:
    """Reason why a recipe can't take a trial in blocks of steps; empty where it can."""
    if not recipe.rule.by_steps or _defined(recipe.rule, "__call__") < _defined(recipe.rule, "by_steps"):
        return f"{recipe.rule.name} needs the whole trial"
    if recipe.rates is not None:
        return "the penalty on rates needs the whole trial"
    if recipe.model.skip and recipe.model.skip_steps > 1:
        return "the direct connection sees inputs of steps before"
    return ""


def _defined(rule: Rule, name: str) -> int:
    """Number of bases between the class of a rule and the one that defines a name."""
    return next(n for n, cls in enumerate(type(rule).__mro__) if name in vars(cls))


def _even(steps: int, hold: int, total: int) -> int:
    """Multiple of `hold` near `steps` that divides `total`, if there is one of at least half of it."""
    most = max(hold, steps // hold * hold)
    even = (size for size in range(most, most // 2, -hold) if total % size == 0)
    return min(next(even, most), total)


def bytes_of_step(layout: Layout, rule: Rule) -> int:
    """Bytes that the records of a step take about: trace, noise, factors, and what the rule reads."""
    recorded = len(rule.perturbation.recorded)
    arrays = 2 + 1 / (rule.perturbation.hold_steps or 1) + recorded * len(layout.passes)
    return int(arrays * layout.lanes * layout.hidden * layout.dtype.itemsize)


def device_memory() -> int:
    """Bytes of memory of the first device."""
    statistics: Any = jax().devices()[0].memory_stats()
    return int((statistics or {}).get("bytes_limit", physical_memory()))

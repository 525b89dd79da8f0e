"""Options of engine ``jax``, and what of a trial is kept in a device's memory."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from neuroanp.arrays import jax
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.engine.memory import physical_memory
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.trial import Trial
from neuroanp.rules import Rule

SHARE = 0.4
"""Part of a device's memory that the records of a trial may take."""
BLOCK = 256 * 2**20
"""Bytes that the records of a block of steps take about, where a trial is run twice."""
FEWEST = 16
"""Steps of a block at least, unless the option says otherwise."""


class Jax(Part):
    """Options of engine ``jax``.

    Parameters
    ----------
    memory : {"auto", "keep", "replay"}
        ``"keep"`` keeps noise and traces of all steps of a trial; ``"replay"`` runs it twice in blocks of steps, the
        second time with the same noise and the returns known, and keeps one block. ``"auto"`` keeps what
        fits.
    steps : int, optional
        Steps of a block; by the size of the network when left out.
    lane_blocks : int
        Parts that the lanes are taken in, one after the other, for networks of which not even a step of all
        lanes fits; with ``"replay"``.
    products : {"full", "fast"}
        Precision of matrix products of float32: ``"fast"`` leaves it to JAX, which rounds factors to 10 bits
        on GPUs (TF32) and to 7 on TPUs.

        A tanh network of 500 units is off by 2e-3 then after ten steps, by 5e-7 in full.
    """

    memory: Literal["auto", "keep", "replay"] = option(
        "auto", "what is kept of a trial: all of it, or a block of steps, for which it is run twice"
    )
    steps: int | None = option(None, "replay: steps of a block, by the network's size if none", least=1)
    lane_blocks: int = option(1, "replay: parts that lanes are taken in, one after the other", least=1)
    products: Literal["full", "fast"] = option(
        "full", "precision of products in float32; fast is TF32 on GPUs, off by 2e-3 after ten steps"
    )


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

    def describe(self, trial: Trial) -> str:
        """Sentence about it, for the user."""
        if not self.steps:
            return "keeps the records of a trial"
        parts = f", lanes in {self.lane_blocks} parts" if self.lane_blocks > 1 else ""
        return f"replays each trial in blocks of {self.steps} of its {trial.steps} steps{parts}"


def plan_for(options: Jax, trial: Trial, layout: Layout, rule: Rule) -> Plan:
    """Plan for trials like one.

    Raises
    ------
    InvalidValue
        For a rule that needs the whole trial, where it is to be replayed.
    """
    each = bytes_of_step(layout, rule)
    fits = each * trial.steps <= SHARE * device_memory() * len(jax().devices())
    if options.memory == "keep" or (options.memory == "auto" and (fits or not rule.by_steps)):
        return Plan()
    if not rule.by_steps:
        expected = f"keep, as {rule.name} needs the whole trial"
        raise InvalidValue("Jax.memory", expected, options.memory)
    if layout.lanes % options.lane_blocks:
        raise InvalidValue("Jax.lane_blocks", f"a divisor of {layout.lanes} lanes", options.lane_blocks)
    hold = rule.perturbation.hold_steps or 1
    steps = options.steps or max(FEWEST, BLOCK * options.lane_blocks // each)
    return Plan(_even(min(steps, trial.steps), hold, trial.steps), options.lane_blocks)


def _even(steps: int, hold: int, total: int) -> int:
    """Multiple of `hold` near `steps` that divides `total`, if there is one of at least half of it."""
    most = max(hold, steps // hold * hold)
    even = (size for size in range(most, most // 2, -hold) if total % size == 0)
    return min(next(even, most), total)


def bytes_of_step(layout: Layout, rule: Rule) -> int:
    """Bytes that the records of a step take about: trace, noise, factors, and what the rule reads."""
    recorded = 1 + len(rule.perturbation.recorded)
    arrays = 3 + recorded * len(layout.passes)
    return int(arrays * layout.lanes * layout.hidden * layout.dtype.itemsize)


def device_memory() -> int:
    """Bytes of memory of the first device."""
    statistics: Any = jax().devices()[0].memory_stats()
    return int((statistics or {}).get("bytes_limit", physical_memory()))

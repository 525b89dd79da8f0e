"""Baselines: the return that a trial is compared with."""

from __future__ import annotations

import abc
from typing import ClassVar

from neuroanp.config.naming import ClassName
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.config.sources import WILLIAMS
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.reward.returns import returns
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays


class Baseline(Part):
    """Base of all baselines: expectations of the return R of the noisy pass.

    Attributes
    ----------
    name : str
        Name in the shell.
    """

    registered_as: ClassVar[str] = "baseline"
    name: ClassVar[str] = ClassName()  # type: ignore[assignment]

    def passes(self, rule_passes: tuple[str, ...]) -> tuple[str, ...]:
        """Passes to simulate for a rule that compares `rule_passes`: one noisy pass."""
        return ("plus",)

    def lanes_per_input(self, lanes: int) -> int:
        """Number of consecutive lanes, of `lanes`, that need the same input."""
        return 1

    @property
    def not_local(self) -> NotLocal | None:
        """Quantity that a single network, one trial at a time, can't know; None when it knows all."""
        return None

    def start(self, layout: Layout) -> Arrays:
        """State before the first trial: arrays only, so that a run can be resumed."""
        return {}

    @abc.abstractmethod
    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        """R minus its expectation, (T, L), a new array.

        Parameters
        ----------
        record : Record
        discount : float
        state : dict of arrays
            From `start`; brought up to date here.

        Raises
        ------
        InvalidValue
            When the record lacks the passes or lanes that are compared.
        """


class OtherPass(Baseline):
    """Return of the pass without the noise, or of that with its negative, whose difference is halved."""

    name = "other-pass"

    def passes(self, rule_passes: tuple[str, ...]) -> tuple[str, ...]:
        return rule_passes

    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        """Zeros for a record of a single pass, of a rule that compares none."""
        if len(record.passes) == 1:
            return 0.0 * record.mask
        return returns(record.passes.effect(record.loss) * record.mask, discount)


class RunningMean(Baseline):
    """Exponential mean of R over the trials before, step by step; the first trial is its own baseline.

    Parameters
    ----------
    memory : float
        Weight of the past against the newest trial, from 0 to 1.

    References
    ----------
    Williams, Machine Learning 8, 229 (1992).
    """

    name = "running-mean"
    sources = (WILLIAMS,)

    memory: float = option(0.9, "weight of the past against the newest trial", least=0, most=1)

    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        total = noisy_returns(record, discount)
        newest = total.mean(axis=1, keepdims=True)
        expected = state.get("baseline", newest)
        if expected.shape != newest.shape:
            raise InvalidValue("RunningMean", f"{len(expected)} steps a trial", f"{len(newest)} steps")
        state["baseline"] = self.memory * expected + (1.0 - self.memory) * newest
        total -= expected
        return total


class OtherLanes(Baseline):
    """Mean of the *other* lanes that share the input, without which the estimate would shrink.

    Parameters
    ----------
    copies : int
        Consecutive lanes that share an input, 0 for all.
    """

    name = "other-lanes"

    copies: int = option(0, "consecutive lanes that share an input, 0 for all", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.copies == 1:
            raise InvalidValue("OtherLanes.copies", "0 for all lanes, or at least 2", self.copies)

    def lanes_per_input(self, lanes: int) -> int:
        """`copies`, or all lanes; `InvalidValue` when the lanes can't be divided so."""
        copies = self.copies or lanes
        if copies < 2 or lanes % copies:
            expected = "at least 2 lanes" if copies < 2 else f"a multiple of {copies} lanes"
            raise InvalidValue("OtherLanes.copies", expected, f"{lanes} lanes")
        return copies

    @property
    def not_local(self) -> NotLocal:
        return NotLocal(
            quantity="the returns of other lanes that share the input",
            variant="Modulator(baseline=RunningMean())",
        )

    def __call__(self, record: Record, discount: float, state: Arrays) -> Array:
        total = noisy_returns(record, discount)
        steps, lanes = total.shape
        copies = self.lanes_per_input(lanes)
        grouped = total.reshape(steps, lanes // copies, copies)
        others = (grouped.sum(axis=2, keepdims=True) - grouped) / (copies - 1)
        total -= others.reshape(total.shape)
        return total


def noisy_returns(record: Record, discount: float) -> Array:
    """Returns (T, L) of the plus pass, a new array; `InvalidValue` for a record without one."""
    if "plus" not in record.passes:
        raise InvalidValue("Record.passes", "a plus pass", ", ".join(record.passes))
    return returns(record.loss[:, record.passes.index("plus")] * record.mask, discount)

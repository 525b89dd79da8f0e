"""`Headroom`: figures of `headroom`, and what follows from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuroanp.storage import finite
from neuroanp.types import Array

CLEAR = 2.0
"""Standard errors of a difference from which on it counts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """Test of one network on unseen trials.

    Attributes
    ----------
    loss, score : float
    rate, silent, saturated : float, optional
        As in `Run.result`.
    seconds : float, optional
        Of the training.
    diverged : bool
        True where training ended early; the test is that of the last good weights.
    """

    loss: float
    score: float
    rate: float | None = None
    silent: float | None = None
    saturated: float | None = None
    seconds: float | None = None
    diverged: bool = False


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way to make a network, an outcome a seed."""

    title: str
    outcomes: tuple[Outcome, ...]

    def each(self, name: str) -> Array:
        """Loss or score (seeds,)."""
        return np.array([getattr(outcome, name) for outcome in self.outcomes], float)

    @property
    def diverged(self) -> int:
        """Number of trainings that ended early."""
        return sum(outcome.diverged for outcome in self.outcomes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Headroom:
    """Result of `headroom`; printed, a table and what it says.

    Differences pair the seeds, whose arms share start, trials and test. One is clear from two standard errors
    on. With three seeds equal arms differ so in 9 of 100 cases, with five in 6.

    Attributes
    ----------
    title : str
        Task, model, extent and seeds.
    arms : dict
        By name: ``ours``, ``readout``, ``no recurrence``, ``shuffled``, and where there is one ``bptt``.
    seeds : tuple of int
    judged_by : str
        ``"loss"`` or ``"score"``: what the sentences compare, see `Task`.
    score_name : str
    higher_is_better : bool
        Direction of the score.
    trivial : dict
        Losses of the trivial predictors.
    skipped : str
        Reason why there is no ``bptt``.
    config : dict
        Task, recipe and dtype, as a run's config has them.
    """

    title: str
    arms: Mapping[str, Arm]
    seeds: tuple[int, ...]
    judged_by: str
    score_name: str
    higher_is_better: bool
    trivial: Mapping[str, float]
    skipped: str
    config: Mapping[str, Any]

    def __str__(self) -> str:
        return "\n".join([self.title, "", *self._table(), "", *self.sentences()])

    def gain(self, name: str, other: str) -> tuple[float, float]:
        """Advantage of one arm over another in loss or score, above 0 for better, and its standard error.

        The error is NaN with one seed.
        """
        better = 1 if self.judged_by == "score" and self.higher_is_better else -1
        gains = better * (self.arms[name].each(self.judged_by) - self.arms[other].each(self.judged_by))
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        return float(gains.mean()), float(error)

    def clear(self, name: str, other: str) -> bool:
        """True where an arm is better than another by more than two standard errors.

        False with one seed, and over an arm of which a training diverged.
        """
        gain, error = self.gain(name, other)
        return not self.arms[other].diverged and gain > CLEAR * error

    @property
    def way(self) -> float | None:
        """Part of the way from the readout alone to BPTT that ours goes; None unless BPTT is clearly ahead.

        Below 0 where ours is worse than the readout alone.
        """
        if "bptt" not in self.arms or not self.clear("bptt", "readout"):
            return None
        return self.gain("ours", "readout")[0] / self.gain("bptt", "readout")[0]

    def sentences(self) -> list[str]:
        """What the figures say: hidden weights, recurrent weights, and the way to BPTT."""
        if len(self.seeds) == 1:
            return ["One seed tells no spread: nothing follows from these figures.", *self._no_bptt()]
        learned, needed = self.clear("ours", "readout"), self.clear("ours", "no recurrence")
        lines = [
            f"Learning hidden weights {'shows' if learned else 'does not show'} here: ours is "
            f"{self._compared('ours', 'readout')} than the readout alone.",
            f"Recurrence {'matters' if needed else 'does not show'} here: ours is "
            f"{self._compared('ours', 'no recurrence')} than without it, and "
            f"{self._compared('ours', 'shuffled')} than with its recurrent weights shuffled.",
        ]
        if self.way is not None:
            part = f"{100 * self.way:.0f} %" if self.way > 0 else "nothing"
            lines.append(f"Of the way from the readout alone to BPTT ours goes {part}.")
        elif "bptt" in self.arms:
            ahead = self._compared("bptt", "readout")
            lines.append(f"There is no headroom to measure: BPTT is {ahead} than the readout alone.")
        return [*lines, *self._no_bptt()]

    def as_json(self) -> dict[str, Any]:
        """All figures as JSON holds them, None for what isn't known, with the sentences."""
        return finite(dataclasses.asdict(self) | {"way": self.way, "sentences": self.sentences()})

    def _no_bptt(self) -> list[str]:
        return [f"BPTT is left out: {self.skipped}."] if self.skipped else []

    def _compared(self, name: str, other: str) -> str:
        gain, error = self.gain(name, other)
        how = "better" if gain > 0 else "worse"
        sure = "" if self.clear(name, other) or self.clear(other, name) else "not clearly "
        over = ", over trainings that diverged" if self.arms[other].diverged else ""
        return f"{sure}{how} ({self.judged_by} by {abs(gain):.2g} ± {error:.1g}{over})"

    def _table(self) -> Iterator[str]:
        width = max(len(arm.title) for arm in self.arms.values())
        yield f"{'':<{width}}  {'test loss':<26}  {self.score_name}"
        for arm in self.arms.values():
            stopped = f", {arm.diverged} of {len(self.seeds)} diverged" if arm.diverged else ""
            loss, score = _spread(arm.each("loss")), _spread(arm.each("score"))
            yield f"{arm.title:<{width}}  {loss:<26}  {score}{stopped}"
        if self.trivial:
            name = min(self.trivial, key=lambda key: self.trivial[key])
            yield f"{'best trivial predictor':<{width}}  {self.trivial[name]:.3g} ({name})"


def _spread(values: Array) -> str:
    """Mean over seeds, with the range in brackets."""
    mean = f"{values.mean():.3g}"
    return mean if len(values) == 1 else f"{mean} ({values.min():.3g} to {values.max():.3g})"

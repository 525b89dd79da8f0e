"""From the loss of each step to the modulator that is broadcast to every synapse."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.config.sources import FIETE_SEUNG, WILLIAMS
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import Layout
from neuroanp.network.record import Record
from neuroanp.reward.baselines import Baseline, OtherLanes, OtherPass
from neuroanp.synapse import NotLocal
from neuroanp.types import Array, Arrays


class Modulator(Part):
    r"""Scalar factor of every rule: the return of a trial from step t on, less its expectation.

    .. math:: M_{t,l} = (R_{t,l} - b_{t,l}) / L, \qquad
              R_{t,l} = \sum_{s \ge t} \gamma^{s-t} m_{s,l} \ell_{s,l}

    with loss :math:`\ell`, mask :math:`m`, baseline :math:`b` and L lanes. The sum over steps and lanes of
    ``M * noise * trace`` then estimates the noise variance times the gradient of the mean over lanes of the
    sum over steps of ``mask * loss``.

    Parameters
    ----------
    discount : float
        :math:`\gamma`, from 0 to 1.
    scope : {"lane", "global"}
        ``"lane"``: one modulator a lane. ``"global"``: all lanes see one modulator, the mean over lanes of
        R - b, as in the published method.
    baseline : Baseline
        `OtherPass`, or one that needs one noisy pass only: `RunningMean`, `OtherLanes`, `InputCritic`.

    Raises
    ------
    InvalidValue
        For values out of range, and for baseline `OtherLanes` with scope ``"global"``, which is zero
        everywhere.

    Examples
    --------
    >>> modulator = Modulator(discount=0.98, baseline=RunningMean())      # doctest: +SKIP
    >>> state = modulator.start(network.layout)                           # doctest: +SKIP
    >>> first = modulator(record, state)                                  # doctest: +SKIP

    References
    ----------
    Fiete and Seung, Phys. Rev. Lett. 97, 048104 (2006); Williams, Machine Learning 8, 229 (1992).
    """

    sources = (FIETE_SEUNG, WILLIAMS)

    discount: float = option(
        1.0, "weight of the loss one step later; 0 for the loss of the step alone", least=0, most=1
    )
    scope: Literal["lane", "global"] = option("lane", "one modulator per lane, or one for all")
    baseline: Baseline = option(OtherPass(), "return that a trial is compared with")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.baseline, OtherLanes) and self.scope == "global":
            raise InvalidValue("Modulator.scope", "lane with baseline OtherLanes", self.scope)

    def passes(self, rule_passes: tuple[str, ...]) -> tuple[str, ...]:
        """Passes to simulate for a rule: its own, or one noisy pass where the baseline needs no other."""
        return self.baseline.passes(rule_passes)

    def lanes_per_input(self, lanes: int) -> int:
        """Consecutive lanes, of `lanes`, that need the same input; `InvalidValue` where they don't divide."""
        return self.baseline.lanes_per_input(lanes)

    @property
    def not_local(self) -> NotLocal | None:
        """Quantity that a single network, one trial at a time, can't know; None when it knows all."""
        return self.baseline.not_local

    def start(self, layout: Layout) -> Arrays:
        """State before the first trial; arrays only, so that a run can be resumed."""
        return self.baseline.start(layout)

    def __call__(self, record: Record, state: Arrays) -> Array:
        """Modulator of one trial.

        Parameters
        ----------
        record : Record
        state : dict of arrays
            From `start`; brought up to date here.

        Returns
        -------
        (T, L) array for scope ``"lane"``, (T, 1) for scope ``"global"``: one column for all lanes.

        Raises
        ------
        InvalidValue
            When the record lacks the passes or lanes that the baseline compares, or has too many inputs. A
            record of a single pass, which `OtherPass` can't compare, gives zeros.
        """
        surprise = self.baseline(record, self.discount, state)
        if self.scope == "global":
            return surprise.mean(axis=1, keepdims=True)
        surprise /= surprise.shape[1]
        return surprise

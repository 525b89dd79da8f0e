"""From the loss of each step to the modulator that is broadcast to every synapse."""

from __future__ import annotations

import dataclasses

import numpy as np

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.layout import effect
from neuroanp.network.record import Record
from neuroanp.reward.critic import expected_from
from neuroanp.reward.returns import returns
from neuroanp.synapse import NotLocal
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Modulator:
    r"""The scalar factor of every rule: how much better or worse than expected a trial went from step t on.

    .. math:: M_{t,l} = (R_{t,l} - b_{t,l}) / L, \qquad
              R_{t,l} = \sum_{s \ge t} \gamma^{s-t} m_{s,l} \ell_{s,l}

    with loss :math:`\ell`, mask :math:`m`, baseline :math:`b` and L lanes. The sum over steps and lanes of
    ``M * noise * trace`` then estimates the noise variance times the gradient of the mean over lanes of the
    sum over steps of ``mask * loss``.

    ========== ===================================================================================
    baseline   R - b
    ========== ===================================================================================
    passes     R(plus) - R(clean); (R(plus) - R(minus)) / 2 when the record has a minus pass
    running    R(plus) - exponential mean over the trials before, step by step
    lanes      R(plus) - mean of the *other* lanes that share the input, so that nothing is shrunk
    inputs     R(plus) - what the network's inputs at the step lead to expect, see below
    ========== ===================================================================================

    Baseline ``"inputs"`` is a small critic for tasks in closed loop, where lanes soon differ and a return
    says more about the state of the plant than about the noise. It sees what the network sees: the
    least-squares fit of R to the products :math:`u_i u_j` of the inputs and 1, over the steps and lanes of
    the trial itself, each lane up to its last counted step; later ones get 0. It is fitted anew in each trial
    and keeps nothing. It is local to no synapse and not simulated with the network; its value alone is
    broadcast. As the noise took part in the returns that it is fitted to, the estimate is shrunk, by about
    the number of products over that of independent returns.

    Parameters
    ----------
    discount : float
        :math:`\gamma`, from 0 to 1.
    scope : str
        ``"lane"``: each lane has a modulator of its own. ``"global"``: all lanes see one modulator, the mean
        over lanes of R - b, as in the published method.
    baseline : str
        ``"passes"``, ``"running"``, ``"lanes"`` or ``"inputs"``. All but the first need one noisy pass only.
    copies : int
        Baseline ``"lanes"``: how many consecutive lanes share an input, 0 when all do.
    memory : float
        Baseline ``"running"``: weight of the past against the newest trial, from 0 to 1.

    Raises
    ------
    InvalidValue
        For values out of range, and for baseline ``"lanes"`` with scope ``"global"``, which is zero
        everywhere.

    Examples
    --------
    >>> modulator = Modulator(discount=0.98, baseline="running")
    >>> state = modulator.start()
    >>> first = modulator(record, state)      # doctest: +SKIP

    References
    ----------
    Fiete and Seung, Phys. Rev. Lett. 97, 048104 (2006); Williams, Machine Learning 8, 229 (1992).
    """

    discount: float = option(1.0, "weight of the loss one step later; 0 for the loss of the step alone")
    scope: str = option("lane", "one modulator per lane, or one for all (lane, global)")
    baseline: str = option("passes", "what the return is compared with (passes, running, lanes, inputs)")
    copies: int = option(0, "baseline lanes: consecutive lanes that share an input, 0 for all")
    memory: float = option(0.9, "baseline running: weight of the past against the newest trial")

    def __post_init__(self) -> None:
        checks.between(self, 0, 1, "discount", "memory")
        checks.one_of(self, "scope", ("lane", "global"))
        checks.one_of(self, "baseline", ("passes", "running", "lanes", "inputs"))
        checks.whole(self, 0, "copies")
        if self.copies == 1:
            raise InvalidValue("Modulator.copies", "0 for all lanes, or at least 2", self.copies)
        if self.baseline == "lanes" and self.scope == "global":
            raise InvalidValue("Modulator.scope", "lane with baseline lanes", self.scope)

    def passes(self, rule_passes: tuple[str, ...]) -> tuple[str, ...]:
        """The passes to simulate for a rule: its own, or one noisy pass where the baseline needs no other."""
        return rule_passes if self.baseline == "passes" else ("plus",)

    def shared(self, lanes: int) -> int:
        """How many consecutive lanes of `lanes` have to be given the same input.

        Raises
        ------
        InvalidValue
            When the lanes can't be divided so.
        """
        if self.baseline != "lanes":
            return 1
        copies = self.copies or lanes
        if copies < 2 or lanes % copies:
            wanted = "at least 2 lanes" if copies < 2 else f"a multiple of {copies} lanes"
            raise InvalidValue("Modulator.copies", wanted, f"{lanes} lanes")
        return copies

    @property
    def not_local(self) -> NotLocal | None:
        """What a single network, one trial at a time, can't know of the baseline; None when it knows all."""
        if self.baseline != "lanes":
            return None
        return NotLocal(
            quantity="the returns of other lanes that share the input",
            variant='Modulator(baseline="running")',
        )

    def start(self) -> dict[str, Array]:
        """State before the first trial; arrays only, so that a run can be resumed."""
        return {}

    def __call__(self, record: Record, state: dict[str, Array] | None = None) -> Array:
        """The modulator of one trial.

        Parameters
        ----------
        record : Record
        state : dict, optional
            What `start` gave; brought up to date here. Only baseline ``"running"`` needs it.

        Returns
        -------
        (T, L) array for scope ``"lane"``, (T, 1) for scope ``"global"``: one column for all lanes. Zeros when
        baseline ``"passes"`` has a clean pass alone: nothing was tried.

        Raises
        ------
        InvalidValue
            When the record lacks the passes or lanes that the baseline compares, or has too many inputs for
        it.
        """
        if self.baseline == "passes":
            alone = record.passes == ("clean",)
            change = np.zeros(record.mask.shape) if alone else effect(record.loss, record.passes)
            surprise = returns(change * record.mask, self.discount)
        else:
            if "plus" not in record.passes:
                raise InvalidValue("Record.passes", "a plus pass", ", ".join(record.passes))
            noisy = record.loss[:, record.passes.index("plus")]
            surprise = returns(noisy * record.mask, self.discount)
            if self.baseline == "running":
                surprise -= self._running(surprise, state)
            elif self.baseline == "lanes":
                surprise -= self._others(surprise)
            else:
                ahead = np.maximum.accumulate(record.mask[::-1] > 0)[::-1]
                surprise -= expected_from(record.inputs, surprise, ahead)
                surprise[~ahead] = 0.0
        if self.scope == "global":
            return np.asarray(surprise.mean(axis=1, keepdims=True))
        surprise /= surprise.shape[1]
        return surprise

    def _running(self, total: Array, state: dict[str, Array] | None) -> Array:
        """Exponential mean (T, 1) of the trials before; the first trial is its own baseline."""
        if state is None:
            raise InvalidValue("Modulator.baseline", "a state from start() with running", "no state")
        newest = total.mean(axis=1, keepdims=True)
        expected: Array = state.get("baseline", newest)
        if len(expected) != len(newest):
            raise InvalidValue("Modulator.baseline", f"{len(expected)} steps a trial", f"{len(newest)} steps")
        state["baseline"] = self.memory * expected + (1.0 - self.memory) * newest
        return expected

    def _others(self, total: Array) -> Array:
        """Mean (T, L) over the other lanes of the group that shares an input."""
        steps, lanes = total.shape
        copies = self.shared(lanes)
        grouped = total.reshape(steps, lanes // copies, copies)
        others: Array = (grouped.sum(axis=2, keepdims=True) - grouped) / (copies - 1)
        return others.reshape(total.shape)

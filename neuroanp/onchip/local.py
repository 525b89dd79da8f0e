"""What one synapse does in a whole trial: the rule's part, then the optimizer's."""

from __future__ import annotations

from neuroanp.decorrelation import Decorrelation
from neuroanp.reward import Modulator
from neuroanp.rules import Rule
from neuroanp.stages import Stage
from neuroanp.synapse import NotLocal, Synapse

PROJECTIONS = ("W_in", "W_rec", "W_out")


def local_synapses(
    rule: Rule, modulator: Modulator, optimizer: Stage, decorrelation: Decorrelation | None = None
) -> dict[str, Synapse | NotLocal]:
    """What one synapse of each projection does from the start to the end of a trial, or why it can't.

    Parameters
    ----------
    rule : Rule
    modulator : Modulator
    optimizer : Stage
    decorrelation : Decorrelation, optional

    Returns
    -------
    dict
        By ``"W_in"``, ``"W_rec"`` and ``"W_out"``.
    """
    missing = modulator.not_local or (decorrelation.not_local if decorrelation else None)
    if missing:
        return dict.fromkeys(PROJECTIONS, missing)
    passes = modulator.passes(rule.passes)
    return {name: _whole(rule.synapse(name, passes), optimizer.synapse()) for name in PROJECTIONS}


def _whole(own: Synapse | NotLocal, after: Synapse | NotLocal) -> Synapse | NotLocal:
    if isinstance(own, NotLocal) or not own.learns:
        return own
    return after if isinstance(after, NotLocal) else own.then(after)

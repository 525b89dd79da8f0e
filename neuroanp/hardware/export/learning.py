"""Learning rule of a recipe as settings and statements that JSON can hold."""

from __future__ import annotations

from typing import Any

from neuroanp.config import document
from neuroanp.hardware.locality import local_synapses
from neuroanp.optim import Chain
from neuroanp.reward import Modulator, RunningMean
from neuroanp.synapse import BROADCAST, NotLocal, Synapse
from neuroanp.training.recipe import Recipe


def described(recipe: Recipe) -> dict[str, Any]:
    """Learning rule of a recipe: what every synapse does, or the reason that it can't do it alone.

    Returns
    -------
    dict
        ``rule``, its name; ``local``, True where every synapse learns alone as the network was trained;
        ``passes``, of a trial; ``synapses``, by weight name the statements and constants of `Synapse`, or
        ``not_local`` with the missing quantity and ``local_is`` with the nearest local variant; ``one_lane``,
        where these are not local, the same with a running mean as baseline, without clipping and
        decorrelation, which is what `OnChip` runs; ``broadcast``, what is told to all synapses, and when.
    """
    synapses = as_trained(recipe)
    local = not any(isinstance(synapse, NotLocal) for synapse in synapses.values())
    text = {"rule": recipe.rule.name, "local": local, "passes": recipe.passes, "synapses": _all(synapses)}
    if not local:
        synapses = one_lane(recipe)
        text["one_lane"] = _all(synapses)
    plain: dict[str, Any] = document.describe(learning=text)["learning"]
    local_ones = [synapse for synapse in synapses.values() if isinstance(synapse, Synapse)]
    used = {name for synapse in local_ones for name in synapse.reads("broadcast")}
    return plain | {"broadcast": {name: BROADCAST[name] for name in BROADCAST if name in used}}


def as_trained(recipe: Recipe, cells_work: bool = False) -> dict[str, Synapse | NotLocal]:
    """Work of every synapse, by weight name, in a recipe as it is; `cells_work` as in `local_synapses`."""
    parts = recipe.rule, recipe.modulator, Chain(recipe.clip, recipe.optimizer, recipe.bounds)
    return local_synapses(*parts, recipe.decorrelation, recipe.rates, cells_work=cells_work)


def one_lane(recipe: Recipe, cells_work: bool = False) -> dict[str, Synapse | NotLocal]:
    """Same with `alone` as modulator, without clipping and decorrelation."""
    stages = Chain(recipe.optimizer, recipe.bounds)
    return local_synapses(recipe.rule, alone(recipe), stages, rates=recipe.rates, cells_work=cells_work)


def alone(recipe: Recipe) -> Modulator:
    """Modulator of a single lane: that of a recipe, with a running mean as baseline."""
    return Modulator(discount=recipe.modulator.discount, baseline=RunningMean())


def _all(synapses: dict[str, Synapse | NotLocal]) -> dict[str, Any]:
    return {name: _one(synapse) for name, synapse in synapses.items()}


def _one(synapse: Synapse | NotLocal) -> dict[str, Any]:
    if isinstance(synapse, NotLocal):
        return {"not_local": synapse.quantity, "local_is": synapse.variant}
    return {
        "state": synapse.state, "transmits": synapse.transmits, "eligibility": synapse.eligibility,
        "credit": synapse.credit, "learn": synapse.learn, "forget": synapse.forget,
        "constants": dict(synapse.constants),
    }  # fmt: skip

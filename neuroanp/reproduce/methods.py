"""Methods that are compared: those of the paper as published, and ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from neuroanp.gradients import BPTT
from neuroanp.optim import SGD
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import (
    ActivityPerturbation,
    EProp,
    NodePerturbation,
    ReadoutOnly,
    ResponsePerturbation,
    Rule,
    WeightPerturbation,
)
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task


@dataclasses.dataclass(frozen=True)
class Method:
    """Way to train a network.

    Attributes
    ----------
    title : str
    published : bool
        True for a method of the paper.
    settings : callable
        The recipe for a task, by the task and the rates of the published rules.
    """

    title: str
    published: bool
    settings: Callable[[Task, Mapping[str, float]], Recipe]


def _published(title: str, rule: Rule, rate: str, decorrelated: bool = False) -> Method:
    def settings(task: Task, rates: Mapping[str, float]) -> Recipe:
        decorrelation = Decorrelation(rate=1e-3, anneal="none") if decorrelated else None
        published = task.recipe("published")
        return published.replace(rule=rule, optimizer=SGD(lr=rates[rate]), decorrelation=decorrelation)

    return Method(title, True, settings)


def our_recipe(task: Task) -> Recipe:
    """Our recipe of node perturbation, without a direct connection, which would hide what units learn."""
    return task.recipe(next(name for name in ("hidden", "node", "best") if name in task.presets))


def _ours(title: str, **changes: Any) -> Method:
    return Method(title, False, lambda task, rates: our_recipe(task).replace(**changes))


def _sign(task: Task, rates: Mapping[str, float]) -> Recipe:
    ours = our_recipe(task)
    return ours.replace(rule=ours.rule.replace(distribution="sign"))


def _response(task: Task, rates: Mapping[str, float]) -> Recipe:
    ours = our_recipe(task)
    return ours.replace(rule=ResponsePerturbation(sigma=ours.rule.sigma))  # type: ignore[attr-defined]


WEIGHT = WeightPerturbation(sigma=0.01, hold="step", mirrored=False)
NODE = NodePerturbation(sigma=0.01, mirrored=False)
ACTIVITY = ActivityPerturbation(sigma=0.01, mirrored=False)
E_PROP = EProp()

METHODS = {
    "bp-step": _published("BP, cut at every step, as published", BPTT(truncation=1), "bp"),
    "wp": _published("WP as published", WEIGHT, "wp"),
    "np": _published("NP as published", NODE, "np"),
    "anp": _published("ANP as published", ACTIVITY, "anp"),
    "dwp": _published("decorrelated WP as published", WEIGHT, "wp", decorrelated=True),
    "dnp": _published("decorrelated NP as published", NODE, "np", decorrelated=True),
    "danp": _published("decorrelated ANP as published", ACTIVITY, "anp", decorrelated=True),
    "bptt": _ours("BPTT through the whole trial, our network", rule=BPTT(), decorrelation=None),
    "readout": _ours("readout alone, our network", rule=ReadoutOnly(), decorrelation=None),
    "ours": _ours("node perturbation, our recipe"),
    "response": Method("response perturbation, our recipe otherwise", False, _response),
    "sign": Method("node perturbation with noise of one size and random sign", False, _sign),
    "bptt-decorrelated": _ours("BPTT, decorrelated as our recipe is", rule=BPTT()),
    "e-prop": _ours("e-prop, learned feedback, our network", rule=E_PROP, decorrelation=None),
}

#: Methods of rate networks and of spiking ones.
OF_RATES = tuple(name for name in METHODS if name != "e-prop")
OF_SPIKES = ("ours", "sign", "e-prop", "bptt", "readout")

#: BPTT, at another rate, and all methods that compare no passes and no lanes.
GRADIENTS = ("bptt", "bptt-decorrelated")
UNCOMPARED = (*GRADIENTS, "readout", "e-prop")

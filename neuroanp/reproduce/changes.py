"""Changes of our recipe, one at a time, on published copying: ablations and alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuroanp.reproduce.methods import METHODS, Method
from neuroanp.reward import RunningMean
from neuroanp.rules import SPSA, ActivityPerturbation, EvolutionStrategies, RandomFeedback, WeightPerturbation
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task

#: The experiment that they are made in.
WHERE = "copying-10"


def _changed(title: str, **changes: Any) -> Method:
    """Fields of a part by a mapping, a whole part by itself."""

    def settings(task: Task, rates: Mapping[str, float]) -> Recipe:
        recipe = task.recipe("best")
        for part, change in changes.items():
            value = getattr(recipe, part).replace(**change) if isinstance(change, dict) else change
            recipe = recipe.replace(**{part: value})
        return recipe

    return Method(title, False, settings)


CHANGES = {
    "none": _changed("nothing changed"),
    "strong-input": _changed("input gain 1 instead of 0.1", model={"input_gain": 1.0}),
    "gaussian-start": _changed(
        "random recurrent weights that aren't orthogonal", model={"orthogonal": False}
    ),
    "step-loss": _changed("loss of the step instead of the return", modulator={"discount": 0.0}),
    "short-return": _changed("return discounted by 0.95", modulator={"discount": 0.95}),
    "one-modulator": _changed("one modulator for all lanes", modulator={"scope": "global"}),
    "one-pass": _changed("one noisy pass, running mean as baseline", modulator={"baseline": RunningMean()}),
    "with-clean": _changed("noisy and clean pass instead of a mirrored pair", rule={"mirrored": False}),
    "large-noise": _changed("noise ten times as large", rule={"sigma": 0.01}),
    "sign-noise": _changed("noise of one size and random sign", rule={"distribution": "sign"}),
    "held-noise": _changed("each draw of noise held for 4 steps", rule={"hold": 4}),
    "not-decorrelated": _changed("without decorrelation", decorrelation=None),
    "activity": _changed("activity-based rule", rule=ActivityPerturbation(sigma=0.001, readout="delta")),
    "weight": _changed("weight perturbation", rule=WeightPerturbation(sigma=0.001, readout="delta")),
    "spsa": _changed("SPSA", rule=SPSA(sigma=0.001, readout="delta")),
    "evolution": _changed(
        "evolution strategies, a member in each lane",
        rule=EvolutionStrategies(sigma=0.001, readout="delta"),
    ),
    "random-feedback": _changed("random feedback, no noise", rule=RandomFeedback()),
}

#: Whatever a run can be made by, by name.
EVERY = {**METHODS, **CHANGES}

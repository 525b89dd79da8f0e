"""Part "rules": an update of spiking cells by e-prop, beside one by node perturbation, on one thread."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.models import ALIF, LIF
from neuroanp.network.model import Model
from neuroanp.reward import Modulator
from neuroanp.rules import EProp
from neuroanp.tasks import PatternGeneration
from neuroanp.training.loop import Trainer

LANES, DTYPE = 32, "float32"
MODELS = {"LIF": LIF(input_gain=2.0), "ALIF": ALIF(input_gain=2.0)}
FEEDBACKS = {
    "e-prop, learned feedback": EProp(warmup=0),
    "e-prop, learned feedback, noise in every update": EProp(warmup=0, every=1),
    "e-prop, Kolen-Pollack feedback": EProp(feedback="kolen-pollack"),
}
CYCLE = FEEDBACKS["e-prop, learned feedback"].every
"""Updates that are timed together: one of them has noise."""

LIMIT = 1.5


def rows(quick: bool) -> Iterator[Row]:
    """A row for each kind of cells and of feedback."""
    for name, model in MODELS.items():
        yield from one_model(name, model, 2.0 if quick else 15.0)


def one_model(name: str, model: Model, seconds: float) -> Iterator[Row]:
    """The rows of one model, of 100 cells and 1,000 steps."""
    task = PatternGeneration()
    node = task.recipe("node").replace(model=model, lanes=LANES)
    recipes = {"node perturbation": node} | {
        title: node.replace(rule=rule, modulator=Modulator()) for title, rule in FEEDBACKS.items()
    }
    trainers = {
        title: Trainer(task, r, engine="compiled", dtype=DTYPE, tests=0) for title, r in recipes.items()
    }

    def cycle(trainer: Trainer) -> None:
        for index in range(CYCLE):
            trainer.learn(trainer.trial(index), index)

    with threadpool_limits(1):
        samples = interleaved(
            {title: functools.partial(cycle, trainer) for title, trainer in trainers.items()}, seconds
        )
    size = ours.size(model.hidden, LANES, DTYPE, len(task.trial(ours.generator(), 1).inputs), f"{name} cells")
    labels: dict[str, Any] = {"part": "rules", "size": f"{CYCLE} updates, {size}"}
    for title in FEEDBACKS:
        most = LIMIT if title == "e-prop, learned feedback" else None
        yield compared(samples, title, "node perturbation", what=title, limit=most, **labels)

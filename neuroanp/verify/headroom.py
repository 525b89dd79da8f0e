"""`headroom`: a task's recipe beside the readout alone, controls of the recurrent weights, and BPTT."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from neuroanp.config import document
from neuroanp.errors import Diverged, InvalidValue, MissingExtra, UnsupportedConstruct
from neuroanp.gradients import BPTT
from neuroanp.network.layout import PROJECTIONS, mixed
from neuroanp.network.model import Weights
from neuroanp.network.network import Network
from neuroanp.reward import Modulator
from neuroanp.rules import NodePerturbation, ReadoutOnly
from neuroanp.training.evaluation import evaluate
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.seeds import fresh
from neuroanp.training.task import Task
from neuroanp.types import Array
from neuroanp.verify.headroom_report import Arm, Headroom, Outcome

REFUSALS = (MissingExtra, UnsupportedConstruct, InvalidValue)
"""Errors by which `BPTT` says that it can't differentiate a network."""


class Unconnected(Network):
    """Network whose recurrent weights are zero in force, whatever is written."""

    def write(self, weights: Weights, decorrelation: Mapping[str, Array]) -> None:
        super().write(weights | {"W_rec": np.zeros_like(weights["W_rec"])}, decorrelation)


class _Training(NamedTuple):
    """Way to train a network."""

    title: str
    recipe: Recipe
    build: Callable[..., Network] = Network


def headroom(
    task: Task,
    recipe: Recipe | None = None,
    *,
    seeds: Sequence[int] = fresh(3),
    engine: str = "auto",
    dtype: str = "float32",
    progress: bool = False,
) -> Headroom:
    """Room that a task leaves to learning in hidden weights, and how much of it a recipe takes.

    The same network, start, updates, lanes and unseen trials are measured in arms:

    - ``ours``, the recipe as it is;
    - ``readout``: the hidden weights stay. The readout learns by the delta rule, without noise, or in closed
      loop, where it has no targets, by node perturbation of the readout alone;
    - ``no recurrence``: the recipe, in training and test with recurrent weights of zero. What it reaches, a
      task gives to a network without recurrent synapses;
    - ``shuffled``: the trained network of ``ours``, tested with the recurrent weights of each cell dealt out
      anew among its sources, without further training; among its targets where not all synapses exist, and
      where cells are excitatory or inhibitory. A network that is no worse so uses no more of its recurrent
      weights than their statistics;
    - ``bptt``: the gradient through the whole trial, a surrogate's for spiking cells, at the recipe's rates.
      Left out in closed loop, without the extra ``compare`` and for models that it can't differentiate.

    Arms without noise run one pass, without decorrelation, and each of their lanes has an input of its own,
    where lanes that are compared with one another share theirs.

    Parameters
    ----------
    task : Task
    recipe : Recipe, optional
        The task's first one when left out.
    seeds : sequence of int
        Of the trainings; by default such that no recipe of ours was chosen on.
    engine, dtype : str
        As in `neuroanp.train`.
    progress : bool
        Show a bar.

    Raises
    ------
    InvalidValue
        For no seeds or one twice, and settings that can't work, before anything is simulated. In closed loop
        for other rules than node perturbation, whose readout can learn alone; for rules that solve for the
        weights, whose step would be none for another arm.

    Examples
    --------
    >>> print(headroom(DelayedXOR(), Recipe.of(DelayedXOR()).replace(updates=100)))      # doctest: +SKIP
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise InvalidValue("headroom.seeds", "at least one, each once", seeds)
    recipe = Recipe.of(task) if recipe is None else recipe
    if recipe.rule.estimates_change:
        expected = "a rule that estimates a gradient, as the other arms learn with its optimizer"
        raise InvalidValue("headroom.recipe.rule", expected, recipe.rule.name)
    trainings, skipped = _trainings(task, recipe)
    outcomes: dict[str, list[Outcome]] = {}
    with tqdm(total=len(seeds) * len(trainings), unit="run", file=sys.stderr, disable=not progress) as bar:
        for seed in seeds:
            for name, training in list(trainings.items()):
                try:
                    trainer = Trainer(
                        task, training.recipe, seed=seed, engine=engine, dtype=dtype, build=training.build
                    )
                    outcomes.setdefault(name, []).append(_trained(trainer))
                except REFUSALS as error:
                    if name != "bptt" or outcomes.get(name):
                        raise
                    skipped = str(error)
                    del trainings[name]
                if name == "ours":
                    outcomes.setdefault("shuffled", []).append(_shuffled(trainer))
                bar.update()
    titles = {name: training.title for name, training in trainings.items()}
    titles["shuffled"] = "ours, recurrent weights shuffled before the test"
    order = [name for name in ("ours", "readout", "no recurrence", "shuffled", "bptt") if name in titles]
    return Headroom(
        title=f"{task.name}, {recipe.model.name} of {recipe.model.hidden}, {recipe.updates:,} updates of "
        f"{recipe.lanes} lanes, {'seeds' if len(seeds) > 1 else 'seed'} {', '.join(map(str, seeds))}",
        arms={name: Arm(titles[name], tuple(outcomes[name])) for name in order},
        seeds=tuple(seeds),
        judged_by=task.judged_by,
        score_name=task.score_name,
        higher_is_better=task.higher_is_better,
        trivial=task.trivial(),
        skipped=skipped,
        config=document.describe(task=task, recipe=recipe, dtype=dtype),
    )


def _trainings(task: Task, recipe: Recipe) -> tuple[dict[str, _Training], str]:
    """Trainings by the name of their arm, and the reason why there is none by BPTT, else an empty text."""
    ours = f"ours: {recipe.rule.name}"
    alone = {"modulator": Modulator(), "decorrelation": None}
    trainings = {"ours": _Training(ours, recipe)}
    if task.plant is None:
        readout, gradient = recipe.replace(rule=ReadoutOnly(), **alone), recipe.replace(rule=BPTT(), **alone)
    else:
        readout, gradient = recipe.replace(rule=_quiet(recipe)), None
    trainings["readout"] = _Training("readout alone", readout)
    trainings["no recurrence"] = _Training("ours without recurrence", recipe, build=Unconnected)
    for training in trainings.values():
        training.recipe.check(task)
    if gradient is None:
        return trainings, "a plant in closed loop has no gradient"
    try:
        gradient.check(task)
    except REFUSALS as error:
        return trainings, str(error)
    return trainings | {"bptt": _Training("BPTT", gradient)}, ""


def _quiet(recipe: Recipe) -> NodePerturbation:
    """Rule of a recipe with noise on the readout alone, without which its hidden weights don't learn."""
    rule = recipe.rule
    if type(rule) is not NodePerturbation:
        raise InvalidValue("headroom.recipe.rule", "node-perturbation for a task in closed loop", rule.name)
    return rule.replace(sigma=0.0, readout_sigma=rule.output_sigma)


def _trained(trainer: Trainer) -> Outcome:
    diverged = False
    try:
        result = trainer.run(progress=False).result
    except Diverged as error:
        result, diverged = error.run.result, True
    kept = {name: result[name] for name in ("rate", "silent", "saturated", "seconds")}
    return Outcome(loss=result["test_loss"], score=result["score"], diverged=diverged, **kept)


def _shuffled(trainer: Trainer) -> Outcome:
    """Test of a trained network with other places of its recurrent weights; training doesn't go on."""
    network, state, model = trainer.network, trainer.state, trainer.recipe.model
    weights = {}
    for name in network.parts.projections:
        D = state.decorrelation.get(PROJECTIONS[name].decorrelated_by)
        weights[name] = state.weights[name] if D is None else mixed(state.weights[name], D)
    rng = np.random.default_rng(trainer.seed)
    network.write(weights | {"W_rec": _dealt(weights["W_rec"], rng, model.hidden, model.signed)}, {})
    evaluation = evaluate(network, trainer.task, trainer.unseen)
    return Outcome(loss=evaluation.loss, score=evaluation.score, rate=evaluation.rate)


def _dealt(W_rec: Array, rng: np.random.Generator, cells: int, signed: Sequence[str]) -> Array:
    """Recurrent weights, each cell's among its sources; of a wiring and of signed ones among its targets."""
    if W_rec.ndim == 1:
        return np.asarray(rng.permuted(W_rec.reshape(cells, -1), axis=1).ravel())
    return np.asarray(rng.permuted(W_rec, axis=0 if "W_rec" in signed else 1))

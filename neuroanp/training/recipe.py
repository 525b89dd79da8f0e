"""Settings of a training, but for task and seed."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

from neuroanp.config import registry
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.network.model import Model
from neuroanp.network.record import Record
from neuroanp.optim import SGD, Adam, Clip, Stage, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator, OtherPass
from neuroanp.rules import ActivityPerturbation, NodePerturbation, NoiseRule, Rule
from neuroanp.rules._cells import CellRule
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.substrate import Analog
from neuroanp.types import Array, Arrays

if TYPE_CHECKING:
    from neuroanp.training.task import Task

PRESETS = ("best", "published")
"""Names of the general recipes, the default one first."""


def _tanh(**options: Any) -> Any:
    return registry.find("model", "tanh")(**options)


class Recipe(Part):
    """Settings of a training, but for task and seed.

    Parameters
    ----------
    model : Model
    rule : Rule
    modulator : Modulator
    clip : Clip
        Longest update before the optimizer.
    optimizer : Stage
        SGD, Adam, or a `Chain` of stages.
    bounds : WeightBounds
        Range of the weights.
    decorrelation : Decorrelation or None
        None trains without.
    rates : RatePenalty or None
        Range that the rates of spiking cells are kept in; None lets them be.
    substrate : Analog or None
        Device that the network runs on; None for an ideal one.
    lanes : int
        Trials side by side for an update.
    updates : int
    readout_start : str
        ``"linear"``: readout and direct connection start at the ridge solution for the network with its first
        hidden weights, see `neuroanp.training.linear_start`.

    Examples
    --------
    >>> Recipe().replace(updates=20).updates
    20
    """

    model: Model = dataclasses.field(default_factory=_tanh)
    rule: Rule = NodePerturbation(sigma=0.01, readout="delta")
    modulator: Modulator = Modulator()
    clip: Clip = Clip(norm=math.inf)
    optimizer: Stage = Adam(lr=3e-3, readout_lr=1e-2)
    bounds: WeightBounds = WeightBounds()
    decorrelation: Decorrelation | None = Decorrelation(rate=0.01)
    rates: RatePenalty | None = None
    substrate: Analog | None = None
    lanes: int = option(64, "trials simulated side by side for an update", least=1)
    updates: int = option(1000, "weight updates to make", least=1)
    readout_start: Literal["model", "linear"] = option(
        "model", "readout to start with: the model's, or the linear one that fits the training part best"
    )

    @classmethod
    def general(cls, preset: str) -> Recipe:
        """General recipe: ``"best"`` that we know, or ``"published"``, as in arXiv 2405.08967."""
        if preset != "published":
            return cls()
        return cls(
            model=_tanh(bias=False, orthogonal=False, readout_gain=1.0),
            rule=ActivityPerturbation(sigma=0.01, mirrored=False),
            modulator=Modulator(discount=0.0, scope="global"),
            optimizer=SGD(lr=0.1),
            decorrelation=Decorrelation(rate=1e-3, anneal="none"),
        )

    @classmethod
    def of(cls, task: Task, preset: str | None = None) -> Recipe:
        """Recipe of a task, of its first preset when left out; `UnknownName` for a preset it doesn't have."""
        if preset is None:
            preset = task.presets[0]
        if preset not in task.presets:
            raise UnknownName("preset", preset, list(task.presets))
        return task.recipe(preset)

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes of each lane that are simulated."""
        return self.modulator.passes(self.rule.passes)

    def deployed(self, n_in: int, n_out: int, dt: Any) -> Model:
        """Model as the substrate has it, for a network of these sizes and steps of length `dt`."""
        if self.substrate is None:
            return self.model
        return self.substrate.deployed(self.model, n_in, n_out, dt)

    def estimate(self, record: Record, modulator: Array, state: Arrays) -> Arrays:
        """Estimate of the rule, see `Rule.__call__`, with what the penalty on rates adds to it."""
        estimate = self.rule(record, modulator, state)
        return estimate if self.rates is None else self.rates(record, estimate)

    def check(self, task: Task) -> None:
        """Check that the settings can work together, before anything is simulated.

        Raises
        ------
        InvalidValue
            For parts that don't fit each other, or the task.
        MissingExtra
            For a rule whose optional dependency isn't installed.
        """
        self.rule.require_extras()
        self.modulator.lanes_per_input(self.lanes)
        name = self.model.name
        if self.model.signed and self.decorrelation is not None:
            expected = f"None, as weights of {name} keep their signs"
            raise InvalidValue("Recipe.decorrelation", expected, self.decorrelation)
        if self.rates is not None:
            self.rates.check("Recipe.rates", self.model)
        if self.model.outgoing is not None:
            sparse = f"for {name} without all of its recurrent synapses"
            if not self.rule.supports_sparse:
                expected = f"a rule that learns the weights that exist alone, {sparse}"
                raise InvalidValue("Recipe.rule", expected, self.rule.name)
            if self.decorrelation is not None:
                raise InvalidValue("Recipe.decorrelation", f"None, {sparse}", self.decorrelation)
        if self.substrate is not None and self.rule.perturbation.target == "weights":
            expected = (
                f"None, as {self.rule.name} needs finer changes of weights than a device can be written"
            )
            raise InvalidValue("Recipe.substrate", expected, self.substrate)
        if self.readout_start == "linear" and next(task.fitting(1), None) is None:
            expected = f"model, as {task.name} has no training part to fit a readout to"
            raise InvalidValue("Recipe.readout_start", expected, "linear")
        check_baseline(self.rule, self.modulator)
        if self.rule.perturbation.target == "thresholds" and self.model.threshold is None:
            expected = f"a model of spiking cells for {self.rule.name}"
            raise InvalidValue("Recipe.model", expected, name)
        if isinstance(self.rule, CellRule) and self.model.cells(task.dt) is None:
            expected = f"a model of spiking cells with known constants for {self.rule.name}, such as lif"
            raise InvalidValue("Recipe.model", expected, name)
        if self.rule.estimates_change:
            self._check_change()
        if task.plant is not None and self.rule.readout == "delta":
            where = f"{type(self.rule).__name__}.readout"
            raise InvalidValue(where, "perturb or fixed for a task without targets", "delta")
        if task.plant is not None and "perturb" not in self.rule.choices("readout"):
            expected = "a rule that learns from reward, for a task without targets"
            raise InvalidValue("Recipe.rule", expected, self.rule.name)

    def _check_change(self) -> None:
        """`check` for a rule whose estimate is the change of the weights: it arrives as it is."""
        why, name = f"as {self.rule.name} solves for the weights", self.model.name
        steps = self.optimizer
        plain = isinstance(steps, SGD) and steps.readout_lr in (None, 1.0)
        if not plain or steps.replace(readout_lr=None, input_lr=None, skip_lr=None) != SGD(lr=1.0):
            raise InvalidValue("Recipe.optimizer", f"SGD(lr=1.0), {why}", steps)
        if self.rates is not None:
            raise InvalidValue("Recipe.rates", f"None, {why}", self.rates)
        if self.bounds != WeightBounds():
            raise InvalidValue("Recipe.bounds", f"WeightBounds(), {why}", self.bounds)
        if self.clip.norm != math.inf:
            raise InvalidValue("Clip.norm", f"inf, {why}", self.clip.norm)
        if self.decorrelation is not None:
            raise InvalidValue("Recipe.decorrelation", f"None, {why}", self.decorrelation)
        if self.model.signed:
            raise InvalidValue("Recipe.model", f"a model whose weights take any sign, {why}", name)


def check_baseline(rule: Rule, modulator: Modulator) -> None:
    """Raise `InvalidValue` for a modulator whose passes, or lack of them, a rule can't learn from."""
    baseline = modulator.baseline
    if modulator.passes(rule.passes) != ("plus",):
        return
    if rule.needs_two_passes:
        raise InvalidValue("Modulator.baseline", f"OtherPass(), as {rule.name} compares passes", baseline)
    if (rule.needs_baseline or isinstance(rule, NoiseRule)) and isinstance(baseline, OtherPass):
        expected = f"a baseline of one pass, as {rule.name} compares none, such as OtherLanes()"
        raise InvalidValue("Modulator.baseline", expected, baseline)

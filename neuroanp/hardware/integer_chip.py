"""`IntegerChip`: a network that runs and learns in whole numbers, by the statements of the on-chip mode."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.config import checks
from neuroanp.engine import device_for
from neuroanp.errors import InvalidValue
from neuroanp.hardware.integer_checks import check_trial, check_weights
from neuroanp.hardware.integer_report import IntegerReport
from neuroanp.hardware.locality import local_synapses
from neuroanp.hardware.reward_unit import RewardUnit
from neuroanp.network.layout import Passes
from neuroanp.network.model import Model, Weights
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import Rule
from neuroanp.substrate.fixed_point import FixedPoint
from neuroanp.substrate.float_machine import FloatMachine
from neuroanp.substrate.integer_blocks import IntegerBlocks, Ranges
from neuroanp.substrate.integer_machine import IntegerMachine
from neuroanp.substrate.machine import Machine, Pass
from neuroanp.substrate.network import SynapticNetwork
from neuroanp.substrate.noise import NodeNoise
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.training.seeds import Seeds
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

CALIBRATION = 3
"""Trials in floating point that the ranges are taken from."""


PARTS: dict[str, type[Any]] = {
    "model": Model, "task": Task, "rule": Rule, "modulator": Modulator, "optimizer": Stage,
    "numbers": FixedPoint,
}  # fmt: skip


class IntegerChip:
    """Network in fixed point whose synapses learn by their own statements.

    Weights, trials and noise are those of `neuroanp.train` with the same seed; the reward unit is the host's,
    in floating point, and broadcasts numbers that are rounded to `FixedPoint.broadcast_bits`.

    Parameters
    ----------
    model : Model
        With spiking cells, all synapses, and no delays.
    task : Task
        In open loop.
    rule : Rule
    modulator : Modulator
        By default each step's loss is compared with its running mean over the trials before.
    optimizer : Stage
        Without division by a variable: `SGD`, or `ShiftSGD`, whose rates are powers of two.
    numbers : FixedPoint
    lanes : int
        Chips side by side that share their weights: their estimates become their mean when a trial ends.
    seed : int
        Seed of weights, trials, noise and draws.
    updates : int
        Trials in the whole run: learning rates that fall, fall over these.
    weights : mapping, optional
        To start from; the model's own when left out.
    engine : {"auto", "compiled", "runtime"}
        The bits are the same.

    Attributes
    ----------
    machine : IntegerMachine
    blocks : IntegerBlocks
        Statements in integers, and the formats of all variables.

    Raises
    ------
    InvalidValue
        For a rule, modulator or stage that needs what a synapse can't know, and for other models and tasks.
    UnsupportedConstruct
        For statements that integers can't do, and for formats that lead to numbers of more than 62 bits.

    Examples
    --------
    >>> chip = IntegerChip(CurrentLIF(hidden=20), PatternGeneration(), optimizer=ShiftSGD(lr=2**-6),
    ...                    rule=NodePerturbation(sigma=0.1, distribution="sign"), seed=1)   # doctest: +SKIP
    >>> for trial in range(100): loss = chip.step(trial)                                  # doctest: +SKIP
    >>> print(chip.report())                                                              # doctest: +SKIP
    """

    def __init__(
        self,
        model: Model,
        task: Task,
        *,
        rule: Rule,
        modulator: Modulator | None = None,
        optimizer: Stage | None = None,
        numbers: FixedPoint | None = None,
        lanes: int = 1,
        seed: int = 0,
        updates: int = 1000,
        weights: Weights | None = None,
        engine: str = "auto",
    ) -> None:
        self.model, self.task, self.rule = model, task, rule
        self.modulator = Modulator(baseline=RunningMean()) if modulator is None else modulator
        self.optimizer = SGD(lr=2.0**-8) if optimizer is None else optimizer
        self.numbers = FixedPoint() if numbers is None else numbers
        for field, kind in PARTS.items():
            checks.instance(f"IntegerChip.{field}", getattr(self, field), kind)
        self.lanes, self.seed, self.updates = lanes, seed, updates
        for field, least in (("lanes", 1), ("seed", 0), ("updates", 1)):
            checks.whole(self, least, field)
        if task.plant is not None:
            raise InvalidValue("IntegerChip.task", "a task in open loop", task.name)
        perturbation = rule.perturbation
        self.copies = self.modulator.lanes_per_input(lanes)
        self.seeds = Seeds(seed)
        n_in = task.n_in + model.bias
        start = model.initial_weights(self.seeds.weights, n_in, task.n_out) if weights is None else weights
        self.network = SynapticNetwork(
            model=model, n_in=n_in, n_out=task.n_out, dt=task.dt, lanes=lanes, perturbation=perturbation,
            synapses=self._local(), weights=start, discount=self.modulator.discount,
            constants={name: self._constant(name) for name in ("W_in", "W_rec", "W_out")},
        )  # fmt: skip
        check_weights(start, model.hidden, n_in, task.n_out)
        if perturbation.target != "none":
            self.numbers.check_noise(f"{type(rule).__name__}.distribution", perturbation.distribution)
        self.passes = Passes(self.modulator.passes(rule.passes))
        self.blocks = IntegerBlocks(self.network, self.numbers, self._ranges())
        compiled = device_for(engine).resolved_engine() == "compiled"
        self.machine = IntegerMachine(self.network, self.numbers, self.blocks, self.seeds.noise, compiled)
        self.reward = RewardUnit(task, model, self.modulator, self.passes)

    def _local(self) -> dict[str, Synapse]:
        missing = self.modulator.not_local
        modulator = self.modulator
        if missing is not None and self.lanes > 1 and self.copies > 1:
            modulator = modulator.replace(baseline=RunningMean())  # what one chip can't know, several can
        local: dict[str, Synapse] = {}
        for name, synapse in local_synapses(self.rule, modulator, self.optimizer).items():
            if isinstance(synapse, NotLocal):
                raise InvalidValue(
                    "IntegerChip.rule", "what is local to a synapse", f"{self.rule.name}, {name} {synapse}"
                )
            local[name] = synapse
        return local

    def _constant(self, name: str) -> dict[str, float]:
        """Broadcast numbers of the optimizer that are the same in all trials."""
        first, last = (self.optimizer.broadcast(name, progress) for progress in (0.0, 0.5))
        return {k: v for k, v in first.items() if last[k] == v}

    def _ranges(self) -> Ranges:
        machine = FloatMachine(self.network, NodeNoise(self.network, self.seeds.noise))
        reward = RewardUnit(self.task, self.model, self.modulator, self.passes)
        binary = True
        for index in range(CALIBRATION):
            trial = self.trial(index)
            binary = binary and bool(np.isin(trial.inputs, (0, 1)).all())
            self._learn(machine, reward, trial, index)
        return Ranges(machine.ranges, machine.history, binary)

    def trial(self, index: int) -> Trial:
        """Trial of an update: a function of seed and index alone."""
        return self.task.trial(self.seeds.trial(index), self.lanes // self.copies, index).repeated(
            self.copies
        )

    def step(self, index: int) -> float:
        """One trial, at whose end every synapse changes; returns the mean loss of its noisy passes.

        Parameters
        ----------
        index : int
            Number of the trial: with the seed it fixes trial and noise.
        """
        return self.learn_from(self.trial(index), index)

    def learn_from(self, trial: Trial, index: int) -> float:
        """`step` with a trial of one's own."""
        self._check(trial, self.lanes)
        return self._learn(self.machine, self.reward, trial, index)

    def _check(self, trial: Trial, lanes: int | None) -> None:
        check_trial(trial, lanes, self.task.n_in, self.task.n_out, self.blocks.ranges.binary_inputs)

    def _learn(self, machine: Machine, reward: RewardUnit, trial: Trial, index: int) -> float:
        if trial.carry:
            raise InvalidValue("Trial.carry", "False, as a chip's trials start at rest", True)
        inputs = self.with_bias(trial)
        reward.begin(trial)
        rates = {name: self.optimizer.broadcast(name, index / self.updates) for name in self.network.synapses}
        trials = {"trials": float(index + 1), "outcome": 0.0}
        machine.perturb_weights(index)
        for name in self.passes:
            reward.begin_pass(name)
            before = trials | {"polarity": float(Passes((name,)).signs[0]), "course": reward.course}
            machine.play(Pass(inputs, trial.targets, index, name, before), reward)
        loss = reward.end()
        machine.learn({name: rates[name] | trials | {"outcome": reward.outcome} for name in rates})
        return loss

    def with_bias(self, trial: Trial) -> Array:
        """Inputs (T, L, n_in), the bias among them."""
        ones = np.ones((*trial.inputs.shape[:2], int(self.model.bias)))
        return np.concatenate([trial.inputs, ones], axis=2)

    def outputs(self, trial: Trial) -> Array:
        """Outputs (T, L, n_out) to a trial of any number of lanes, without noise, in the task's units."""
        self._check(trial, None)
        inputs, width = self.with_bias(trial), self.lanes
        outputs = np.empty((trial.steps, trial.lanes, self.network.n_out))
        for first in range(0, trial.lanes, width):
            lanes = np.arange(first, first + width) % trial.lanes
            before = {"polarity": 0.0, "trials": 1.0}
            shown = Pass(inputs[:, lanes], trial.targets[:, lanes], 0, "clean", before)
            block = self.machine.play(shown, None)
            count = min(width, trial.lanes - first)
            outputs[:, first : first + count] = block[:, :count]
        return outputs

    def test(self) -> tuple[float, float]:
        """Loss and score on the task's unseen trials, without noise."""
        trial = self.task.evaluation(self.seeds.evaluation)
        outputs = self.outputs(trial)
        return loss(outputs, trial), self.task.score(outputs, trial)

    @property
    def integers(self) -> Mapping[str, Array]:
        """Weights as they are stored, int32 arrays (post, pre), as copies."""
        return {name: self.variable(name, "weight") for name in self.network.synapses}

    @property
    def weights(self) -> Weights:
        """``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N) in the model's units."""
        formats = self.blocks.formats
        return {name: w / formats[name]["weight"].scale for name, w in self.integers.items()}

    def variable(self, name: str, variable: str, lane: int = 0) -> Any:
        """Integers (post, pre) of a variable of all synapses of a projection, as a copy."""
        values = self.machine.synapses[name][variable]
        return values[lane % len(values)].copy()

    def fresh(self) -> IntegerChip:
        """Chip as it was made, without the trials since."""
        machine = IntegerMachine(
            self.network,
            self.numbers,
            self.blocks,
            self.seeds.noise,
            self.machine.compiled is not None,
        )
        return self.on(machine)

    def on(self, machine: Any) -> IntegerChip:
        """Chip with another machine that runs it, such as a simulated core."""
        other = copy.copy(self)
        other.machine = machine
        other.reward = RewardUnit(self.task, self.model, self.modulator, self.passes)
        return other

    def report(self) -> IntegerReport:
        """Bits, saturation and bias of rounding of every variable, since the start."""
        return IntegerReport.of(self.machine)

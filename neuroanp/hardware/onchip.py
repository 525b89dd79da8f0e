"""`OnChip`: one lane on one network whose synapses learn by their own equations."""

from __future__ import annotations

import numpy as np

from neuroanp.config import checks
from neuroanp.engine import device_for
from neuroanp.errors import Diverged, InvalidValue
from neuroanp.hardware.chip_assembly import Chip
from neuroanp.hardware.chip_feedback import cell_constants
from neuroanp.hardware.locality import local_synapses
from neuroanp.network.layout import Layout, Passes
from neuroanp.network.model import Model, Weights
from neuroanp.network.noisy_threshold import with_noisy_threshold
from neuroanp.network.state import State
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam, Stage
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import Rule
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.training.recipe import check_baseline
from neuroanp.training.seeds import Seeds
from neuroanp.training.task import Task
from neuroanp.types import Array


class OnChip:
    """Network that learns as hardware could: one lane, passes one after the other, plastic synapses.

    Each synapse is a `brian2.Synapses` synapse with the statements that rule and optimizer declare in
    `Rule.synapse` and `Stage.synapse`. It sees its two neurons and what the reward unit broadcasts, and
    changes itself when the trial ends. Weights, trials and noise are those that `neuroanp.train` has with
    the same seed and one lane.

    Parameters
    ----------
    model : Model
    task : Task
    rule : Rule
    modulator : Modulator
        By default each step's loss is compared with its running mean over the trials before, so that one
        pass is enough.
    optimizer : Stage
        A stage or a `Chain` of stages that are local.
    seed : int
        Seed of weights, trials and noise.
    updates : int
        Trials in the whole run: learning rates that fall, fall over these.
    engine : {"auto", "compiled", "runtime"}
    decorrelation : Decorrelation, optional
        Not local; refused.
    rates : RatePenalty, optional
        Range that the rates of spiking cells are kept in.

    Attributes
    ----------
    chip : Chip
        The Brian2 objects.

    Raises
    ------
    InvalidValue
        For a rule, modulator or stage that needs what a synapse can't know: names it, and what is local.

    Examples
    --------
    >>> chip = OnChip(TanhRNN(hidden=20), CopyingMemory(length=3, delay=3),
    ...               rule=NodePerturbation(sigma=0.05), seed=1)                 # doctest: +SKIP
    >>> for trial in range(1000): loss = chip.step(trial)                        # doctest: +SKIP
    >>> chip.weights["W_rec"]                                                    # doctest: +SKIP
    """

    def __init__(
        self,
        model: Model,
        task: Task,
        *,
        rule: Rule,
        modulator: Modulator | None = None,
        optimizer: Stage | None = None,
        seed: int = 0,
        updates: int = 1000,
        engine: str = "auto",
        decorrelation: Decorrelation | None = None,
        rates: RatePenalty | None = None,
    ) -> None:
        self.model, self.task, self.rule = model, task, rule
        self.modulator = modulator or Modulator(baseline=RunningMean())
        self.optimizer = optimizer or Adam()
        self.seed, self.updates = seed, updates
        checks.whole(self, 0, "seed")
        checks.whole(self, 1, "updates")
        self.passes = Passes(self.modulator.passes(rule.passes))
        synapses = self._local(decorrelation, rates)
        self.seeds = Seeds(seed)
        n_in = task.n_in + model.bias
        self.device = device_for(engine)
        noisy = rule.perturbation.target == "thresholds"
        with self.device.active():
            self.chip = Chip(
                with_noisy_threshold(model) if noisy else model, n_in, task.n_out, task.dt,
                perturbation=rule.perturbation, synapses=synapses, neuron=rule.neuron,
                feedback=rule.feedback_start(task.n_out, model.hidden),
            )  # fmt: skip
            start = model.initial_weights(self.seeds.weights, n_in, task.n_out)
            for name, values in start.items():
                self._memory(name, "weight")[:] = values.ravel()
            self._program = self.device.program(self.chip.net, {}, None)
        layout = Layout(
            passes=Passes(("plus",)), lanes=1, n_in=n_in, hidden=model.hidden, n_out=task.n_out, dt=task.dt,
            dtype=np.dtype(np.float64),
        )  # fmt: skip
        self._state = State([self.chip.hidden, self.chip.readout], layout)
        self._expected: Array | None = None
        self._learned = 0

    def _local(self, decorrelation: Decorrelation | None, rates: RatePenalty | None) -> dict[str, Synapse]:
        if rates is not None:
            rates.check("OnChip.rates", self.model)
        if self.model.signed or self.model.inhibitory is not None:
            expected = "a model whose weights may change sign, with one variable that spikes add to"
            raise InvalidValue("OnChip.model", expected, self.model.name)
        if self.model.skip:
            expected = "False, as a chip has no direct connection from input to readout"
            raise InvalidValue(f"{type(self.model).__name__}.skip", expected, True)
        if self.model.outgoing is not None:
            expected = "a model with all recurrent synapses and no delays"
            raise InvalidValue("OnChip.model", expected, self.model.name)
        if self.rule.perturbation.target == "weights" and self.model.threshold is not None:
            expected = "noise on nodes for a model whose projections follow spikes"
            raise InvalidValue("OnChip.rule", expected, self.rule.name)
        local: dict[str, Synapse] = {}
        parts = self.rule, self.modulator, self.optimizer, decorrelation, rates
        for name, synapse in local_synapses(*parts, cells_work=True).items():
            if isinstance(synapse, NotLocal):
                given = f"{self.rule.name}, {name} {synapse}"
                raise InvalidValue("OnChip.rule", "what is local to a synapse", given)
            local[name] = synapse
        check_baseline(self.rule, self.modulator)
        if self.rule.neuron is not None:
            cell_constants(self.model, self.task.dt)
        return local

    @property
    def engine(self) -> str:
        """``"compiled"`` or ``"runtime"``."""
        return self.device.resolved_engine()

    @property
    def weights(self) -> Weights:
        """``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N), as copies."""
        return {name: self.variable(name, "weight") for name in ("W_in", "W_rec", "W_out")}

    def variable(self, name: str, variable: str) -> Array:
        """Variable of all synapses of a projection, (post, pre), as a copy."""
        synapses = self.chip.synapses[name]
        return self._memory(name, variable).reshape(len(synapses.target), len(synapses.source)).copy()

    def trial(self, index: int) -> Trial:
        """Trial of an update: a function of seed and index alone."""
        return self.task.trial(self.seeds.trial(index), 1, index)

    def step(self, index: int) -> float:
        """One trial, at whose end every synapse changes; returns the loss without noise.

        Parameters
        ----------
        index : int
            Number of the trial: with the seed it fixes trial and noise.

        Raises
        ------
        InvalidValue
            For trials that go on from one another, when a trial has more than one pass.
        Diverged
            When a weight is no longer finite.
        """
        trial = self.trial(index)
        if trial.carry and len(self.passes) > 1:
            raise InvalidValue("Trial.carry", "False for trials of more than one pass", True)
        self._learned += 1
        self._broadcast_rates(index)
        self._broadcast(noisy=float(self._deviation("hidden", index) > 0))
        self._broadcast(outcome=0.0, discount=self.modulator.discount, steps=trial.steps)
        charges = {name: self._run(trial, index, name) for name in self.passes}
        if isinstance(self.modulator.baseline, RunningMean):
            self._expect(charges["plus"], self.modulator.baseline.memory)
        if not all(np.isfinite(self._memory(name, "weight")).all() for name in self.chip.synapses):
            raise Diverged(f"trial {index + 1}: a weight is no longer finite; try a lower learning rate")
        course = [charges["clean"]] if "clean" in charges else list(charges.values())
        return float(np.mean(course, axis=0).sum() / np.asarray(trial.mask).sum())

    def _run(self, trial: Trial, index: int, name: str) -> Array:
        """One pass; returns mask times loss (T,) of its steps."""
        chip = self.chip
        self.device.use(self._program)
        from_rest = not trial.carry
        if trial.carry:
            self._state.carry(elapsed=chip.net.t_)
            from_rest = not chip.hidden.variables[self.model.trace].get_value().any()
        else:
            self._state.restore()
        counts = name == "clean" or self.passes == ("plus",)
        self._broadcast(
            share=self._share(name), polarity=float(Passes((name,)).signs[0]), course=float(counts),
            from_rest=float(from_rest), last_pass=float(name == self.passes[-1]),
        )  # fmt: skip
        mask = np.asarray(trial.mask)
        expected = np.zeros(trial.steps) if self._expected is None else self._expected
        bias = np.ones((trial.steps, 1, int(self.model.bias)))
        series = {
            "input": np.concatenate([trial.inputs, bias], axis=2),
            "target": trial.targets,
            "mask": mask[:, :, None],
            "expected": expected[:, None, None],
        }
        for name, player in chip.players.items():
            player.play(series[name])
        for source, noise in chip.noises.items():
            noise.prepare(trial.steps, self.seeds.noise, index, self._deviation(source, index))
        charges = chip.charges.prepare((trial.steps,))
        chip.net.t_ = 0.0
        self.device.run_program(self._program, trial.steps * float(chip.clock.dt_))
        return np.array(charges)

    def _deviation(self, source: str, index: int) -> float:
        return self.chip.perturbation.deviation(source, trial=index)

    def _share(self, name: str) -> float:
        if isinstance(self.modulator.baseline, RunningMean) and self._expected is None:
            return 0.0  # the first trial is its own baseline
        return self.passes.contrast[self.passes.index(name)]

    def _expect(self, charges: Array, memory: float) -> None:
        """Update of the expected loss of each step."""
        before = self._expected
        if before is not None and len(before) != len(charges):
            raise InvalidValue("Modulator.baseline", f"{len(before)} steps a trial", f"{len(charges)} steps")
        self._expected = charges if before is None else memory * before + (1.0 - memory) * charges

    def _broadcast_rates(self, index: int) -> None:
        for name in self.chip.synapses:
            of = "W_out" if name == "B" else name
            values = self.optimizer.broadcast(of, index / self.updates) | {"trials": float(self._learned)}
            for variable, value in values.items():
                self._memory(name, variable)[:] = value

    def _broadcast(self, **values: float) -> None:
        for variable, value in values.items():
            self.chip.reward.variables[variable].get_value()[:] = value

    def _memory(self, name: str, variable: str) -> Array:
        return self.chip.synapses[name].variables[variable].get_value()

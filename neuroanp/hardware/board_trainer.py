"""`BoardTrainer`: learning of a device, trial by trial, by perturbation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neuroanp import storage
from neuroanp.config import checks, document
from neuroanp.errors import DataError, Diverged, InvalidValue
from neuroanp.hardware.board_checks import check_board
from neuroanp.hardware.board_record import board_record
from neuroanp.hardware.device import Device, Perturbed, losses
from neuroanp.hardware.repeats import Repeats
from neuroanp.network.layout import TO_READOUT, Layout, Passes
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam, Chain, Stage
from neuroanp.reward import Modulator
from neuroanp.rules import NodeRule, WeightPerturbation
from neuroanp.training import checkpoint
from neuroanp.training.progress import Progress
from neuroanp.training.seeds import Seeds
from neuroanp.training.state import UPDATES, TrainingState, finite
from neuroanp.training.task import Task
from neuroanp.types import Arrays

MODULATOR = Modulator()
OPTIMIZER = Adam()
"""Parts of a trainer, where others are not named."""


class Answer(NamedTuple):
    """Quality of a device on the unseen trials of a task."""

    loss: float
    score: float | None
    """None for a device that doesn't give its outputs."""


class BoardTrainer:
    r"""Learning of a device whose weights the host keeps, perturbs, and writes.

    `WeightPerturbation` held for a trial and `SPSA` need nothing but `Device`: the host writes the weights
    with noise :math:`\xi` added and subtracted, or added and not, or added alone where the modulator M
    compares with a running mean, and the update is

    .. math:: \Delta W = -\eta \, \frac{M}{\sigma^2} \, \xi

    Noise below what the device resolves is lost on it. Rules of noise on nodes, as `NodePerturbation`, need a
    `PerturbingDevice`; their update is that of the rule, from the noise and the traces that it returns,
    for ``W_in``, ``W_rec`` and ``W_out``.

    A trial that fails, as its device says (see `Device`) or by an answer that isn't finite, is repeated: the
    device is restarted where it can be, the weights of the pass are written again, and the same trial runs
    with the same perturbation. So no update is lost, and weights are what they would be without failures,
    where a device has no noise of its own. After more than `repeats` failures of one pass in a row
    `DeviceFailed` is raised; the state is then that before the update, and `step` tries again. Passes of an
    update follow one another, so that slow drift all but cancels in their difference.

    Parameters
    ----------
    device : Device
    task : Task
        With targets where the device gives outputs; no plant.
    weights : dict of arrays
        Weights to start from, by any names.
    rule : WeightPerturbation or NodeRule
    modulator : Modulator
    optimizer : Stage
    lanes : int
        Lanes of a trial.
    updates : int
        Updates over which the optimizer anneals, and that `run` makes.
    seed : int
        Seed of trials and noise.
    repeats : int
        Failures of one pass in a row that are borne.

    Attributes
    ----------
    state : TrainingState

    Raises
    ------
    InvalidValue
        For a device that lacks what the rule needs, and for other parts that don't fit, before any trial.

    Examples
    --------
    >>> trainer = BoardTrainer(board, task, weights, rule=SPSA(sigma=0.05), updates=500)    # doctest: +SKIP
    >>> trainer.run("board.npz")                                                            # doctest: +SKIP
    >>> trainer.evaluate().score                                                            # doctest: +SKIP
    """

    def __init__(
        self,
        device: Device,
        task: Task,
        weights: Mapping[str, Any],
        *,
        rule: WeightPerturbation | NodeRule,
        modulator: Modulator = MODULATOR,
        optimizer: Stage = OPTIMIZER,
        lanes: int = 1,
        updates: int = 1000,
        seed: int = 0,
        repeats: int = 10,
    ) -> None:
        self.device, self.task, self.rule, self.modulator = device, task, rule, modulator
        self.lanes, self.updates, self.seed, self.repeats = lanes, updates, seed, repeats
        checks.whole(self, 1, "lanes", "updates")
        checks.whole(self, 0, "seed", "repeats")
        checks.instance("BoardTrainer.optimizer", optimizer, Stage)
        checks.instance("BoardTrainer.weights", weights, Mapping)
        start = {
            name: checks.array(f"BoardTrainer.weights[{name!r}]", w, np.shape(w)).copy()
            for name, w in weights.items()
        }
        check_board(device, task, start, rule, modulator)
        self.passes = Passes(modulator.passes(rule.passes))
        self.seeds = Seeds(seed)
        self._repeats = Repeats(device, repeats)
        settings = {"task": task, "rule": rule, "modulator": modulator, "optimizer": optimizer}
        self.config = document.describe(**settings, lanes=lanes, updates=updates, seed=seed)
        self._copies = modulator.lanes_per_input(lanes)
        self._stages = Chain(*(optimizer.stages if isinstance(optimizer, Chain) else (optimizer,)))
        n_in = start["W_in"].shape[1] if isinstance(rule, NodeRule) else task.n_in
        layout = Layout(
            passes=self.passes, lanes=lanes, n_in=n_in, hidden=len(start.get("W_rec", ())),
            n_out=task.n_out, dt=task.dt, dtype=np.dtype(np.float64),
        )  # fmt: skip
        self.state = TrainingState(
            weights=start,
            decorrelation={},
            modulator=modulator.start(layout),
            rule=rule.start(layout),
            optimizer=self._stages.start(start),
        )

    @property
    def failures(self) -> list[str]:
        """Failures since the trainer was made, a line each."""
        return self._repeats.failures

    def trial(self, index: int) -> Trial:
        """Trial of an update, a function of seed and index alone."""
        trial = self.task.trial(self.seeds.trial(index), self.lanes // self._copies, index)
        if trial.carry:
            raise InvalidValue("Trial.carry", "False, as trials of a device start from rest", True)
        return trial.repeated(self._copies)

    def step(self) -> float:
        """One update; returns the mean loss of its trial, without noise where a pass has none.

        Raises
        ------
        DeviceFailed
            When a pass has failed too often; the state is that before the update, which can be tried again.
        Diverged
            When the change of the weights isn't finite; the weights are those before the update.
        """
        state, started = self.state, time.perf_counter()
        trial = self.trial(state.update)
        noise = self._noise(state.update)
        answers = [self._pass(trial, name, noise) for name in self.passes]
        record = board_record(self.passes, trial, answers, noise, state.weights, self.task.loss)
        if self.rule.readout == "delta" and not record.outputs.size:
            raise InvalidValue("Device.perturb", "outputs, as the readout learns from their error", "losses")
        memory = {name: values.copy() for name, values in state.modulator.items()}
        update = self.rule(record, self.modulator(record, memory), state.rule)
        change = self._stages(update, state.weights, state.optimizer, min(1.0, state.update / self.updates))
        if not all(map(finite, change.values())):
            raise Diverged(
                f"update {state.update + 1}: the change of the weights is not finite; try a lower rate"
            )
        state.modulator = memory
        state.weights = state.weights | {name: state.weights[name] + change[name] for name in change}
        state.update += 1
        seconds = time.perf_counter() - started + sum(state.history["seconds"][-1:])
        state.note(UPDATES, (state.update, record.mean_loss, seconds))
        return record.mean_loss

    def __iter__(self) -> Iterator[float]:
        """Losses of the updates that are left, one a turn."""
        while self.state.update < self.updates:
            yield self.step()

    def run(self, file: Path | str | None = None, progress: bool = True) -> TrainingState:
        """State after all updates that are left, with its weights on the device.

        Parameters
        ----------
        file : Path or str, optional
            Checkpoint that is written after every update, and that the training goes on from where it exists.
        progress : bool
            Show a bar, in a terminal or a notebook, and a line a minute elsewhere.
        """
        if file is not None and Path(file).exists():
            self.restore(file)
        with Progress(self.updates, show=progress, start=self.state.update) as bar:
            for value in self:
                bar.advance(value)
                if file is not None:
                    self.save(file)
        self._repeats("write at the end", self.state.weights, lambda: Perturbed(outcome=0.0))
        return self.state

    def evaluate(self) -> Answer:
        """Loss and score on the task's unseen trials, without noise of a rule; weights stay on the device."""
        trial = self.task.evaluation(self.seeds.evaluation)
        run = lambda: Perturbed(outcome=self.device.run_trial(trial))  # noqa: E731
        outcome = np.asarray(self._repeats("evaluation", self.state.weights, run).outcome)
        charged, mask = losses("Device.run_trial", outcome, trial, self.task.loss), np.asarray(trial.mask)
        score = self.task.score(outcome, trial) if outcome.shape == trial.targets.shape else None
        return Answer(float((charged * mask).sum() / mask.sum()), score)

    def get_state(self) -> Arrays:
        """Arrays by name, from which `set_state` of a trainer with the same settings goes on to the bit."""
        return self.state.arrays()

    def set_state(self, arrays: Mapping[str, Any]) -> None:
        """Go on from the arrays of `get_state`."""
        self.state = TrainingState.restored(arrays)

    def save(self, path: Path | str) -> None:
        """Write the state into a file, whole or not at all; `SaveFailed` where that can't be done."""
        settings = np.array(storage.json_line(self.config))
        checkpoint.write(Path(path), self.get_state() | {"settings": settings})

    def restore(self, path: Path | str) -> None:
        """Go on from the state that `save` wrote, to the bit.

        Raises
        ------
        DataError
            For a damaged or altered file, and for one of other settings.
        """
        arrays = checkpoint.read(Path(path), "settings")
        if str(arrays.pop("settings")) != storage.json_line(self.config):
            raise DataError(f"{path}: expected the state of a training with these settings, got another's")
        checkpoint.check_arrays(Path(path), arrays, self.get_state())
        self.set_state(arrays)

    def _noise(self, index: int) -> Arrays | None:
        """Noise on the weights of one trial, by name; None for a rule of noise on nodes."""
        if isinstance(self.rule, NodeRule):
            return None
        rng, learns = np.random.default_rng([self.seeds.noise, index]), self.rule.readout == "perturb"
        noise = {}
        for name, w in self.state.weights.items():
            drawn = rng.standard_normal(w.shape)
            drawn = np.sign(drawn) if self.rule.distribution == "sign" else drawn
            if learns or name not in TO_READOUT:
                noise[name] = self.rule.sigma * drawn
        return noise

    def _pass(self, trial: Trial, name: str, noise: Arrays | None) -> Perturbed:
        """One pass of a trial."""
        rule, weights, update = self.rule, self.state.weights, self.state.update
        sign = Passes((name,)).signs[0]
        what = f"update {update + 1}, {name} pass"
        if isinstance(rule, NodeRule):
            seed = int(np.random.default_rng([self.seeds.noise, update]).integers(2**31))
            device: Any = self.device
            return self._repeats(what, weights, lambda: device.perturb(trial, rule.perturbation, seed, sign))
        if noise is not None and sign:
            weights = weights | {k: weights[k] + sign * xi for k, xi in noise.items()}
        return self._repeats(what, weights, lambda: Perturbed(outcome=self.device.run_trial(trial)))

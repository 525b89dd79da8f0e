"""`Learner`: learning attached to a Brian2 network that a user has made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Network, get_local_namespace

import neuroanp.engine  # noqa: F401  (its templates)
from neuroanp.config import checks
from neuroanp.errors import DataError, Diverged, InvalidValue
from neuroanp.learner.estimate import Estimate, estimate, record
from neuroanp.learner.learned import Learned
from neuroanp.learner.loss import Loss
from neuroanp.learner.settings import (
    check_network,
    passes,
    perturbed_variables,
    slope_of_readout,
    steps,
    triples,
)
from neuroanp.learner.trial_runner import TrialRunner
from neuroanp.learner.workers import Workers
from neuroanp.network.layout import Passes
from neuroanp.optim import Adam, Chain, KeepSigns, Stage
from neuroanp.reward import Modulator
from neuroanp.rules import NodePerturbation, NodeRule
from neuroanp.training import checkpoint
from neuroanp.training.state import TrainingState
from neuroanp.types import Arrays

RULE = NodePerturbation(readout="delta")
MODULATOR = Modulator()
OPTIMIZER = Adam(lr=0.1)
"""Parts of a learner, where others are not named."""


class Learner:
    r"""Learning of an existing Brian2 network, trial by trial.

    A trial starts from the state that the network has now: cells, spikes under way and time go back to it
    before each pass, and monitors hold the last pass. Parameters of synapses go on: the learned weights, and
    weights that the network's own plasticity changes, by what it does without noise (the mean over mirrored
    passes). Passes see the same random numbers of Brian2's.

    Perturb the variable that the learned synapses write (``ge`` where spikes do ``ge += w``): noise in it is
    a kick like that of an arriving spike, so the update is an estimate of the gradient,

    .. math:: \Delta w_k \propto - \sum_t \sum_{\text{spikes that arrive at } k \text{ in step } t}
              \mathrm{post}_{t+1, i(k)} \; r_k

    with the rule's postsynaptic factor (modulator times noise over its variance) and r the variable that
    multiplies the weight, 1 for ``ge += w``. In another variable, such as an injected current, noise is
    credited to the spikes that arrive in the step before, although their effect lasts longer. Noise enters at
    the start of a step, before the groups' equations, see `Perturbed`. Weights of a sum at each step,
    ``drive_post = w * x_pre : 1 (summed)``, are credited with the source's variable, as the sum reads it.

    Parameters
    ----------
    net : Network
        On Brian2's runtime device, or on ``set_device("neuroanp")``, where a run costs a hundredth.
    duration : Quantity
        Length of a trial.
    perturb : sequence of (NeuronGroup, str, Quantity)
        Variables that take the noise, and its standard deviation.
    learn : sequence of (Synapses, str, Quantity)
        Weights that learn, and their scale: the change by a step of length 1, so ``Adam(lr=0.1)`` changes a
        weight by about a tenth of its scale at each update.
    loss : str or callable
        Expression of the readout's variables, whose mean over the readout's cells and the steps is reduced
        (minus a reward variable: ``"-reward"``); or a function of the trial's number that reads monitors,
        which hold the pass that was run, and returns the loss of the trial, or of each step.
    readout : NeuronGroup, optional
        Group of the expression.
    before : callable, optional
        Function of the trial's number that is called before each pass: it sets inputs, as values of a
        `TimedArray`, a parameter, or spikes of a `SpikeGeneratorGroup`.
    rule : NodeRule
        Its sigma is that of `perturb`. With ``readout="delta"`` synapses onto a readout that isn't perturbed
        learn by the local delta rule.
    modulator : Modulator
        `RunningMean` as its baseline needs one noisy pass a trial instead of two.
    optimizer : Stage
    keep_signs : sequence of Synapses
        Those whose weights keep their signs.
    trials : int
        Trials an update.
    updates : int
        Updates over which the optimizer anneals.
    seed : int
        With the number of a trial, all that is random in it.
    namespace : mapping, optional
        Names that equations use; those seen from the call when left out, as they are now.

    Attributes
    ----------
    state : TrainingState

    Raises
    ------
    InvalidValue, UnknownName
        For what can't work, before anything is simulated; with names and units.

    Examples
    --------
    >>> learner = Learner(                                            # doctest: +SKIP
    ...     net, duration=150 * ms, perturb=[(cells, "ge", 0.1 * nS)], learn=[(synapses, "w", 1 * nS)],
    ...     loss="(y - target(t, i))**2", readout=readout,
    ... )
    >>> losses = [learner.step() for _ in range(200)]                 # doctest: +SKIP

    References
    ----------
    Fiete and Seung, Phys. Rev. Lett. 97, 048104 (2006), whose noise is in a conductance too.
    """

    def __init__(
        self,
        net: Network,
        *,
        duration: Any,
        perturb: Sequence[tuple[Any, str, Any]],
        learn: Sequence[tuple[Any, str, Any]],
        loss: str | Callable[[int], Any],
        readout: Any = None,
        before: Callable[[int], Any] | None = None,
        rule: NodeRule = RULE,
        modulator: Modulator = MODULATOR,
        optimizer: Stage = OPTIMIZER,
        keep_signs: Sequence[Any] = (),
        trials: int = 1,
        updates: int = 1000,
        seed: int = 0,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        names = get_local_namespace(1) if namespace is None else dict(namespace)
        self.rule, self.modulator, self.optimizer = rule, modulator, optimizer
        self.trials, self.updates, self.seed = trials, updates, seed
        checks.whole(self, 1, "trials", "updates")
        checks.whole(self, 0, "seed")
        perturb, learn = triples("perturb", perturb), triples("learn", learn)
        check_network(net, [*(entry[0] for entry in perturb), *(entry[0] for entry in learn)])
        self.passes = passes(rule, modulator)
        perturbed = perturbed_variables(net, perturb, rule)
        delta = readout if rule.readout == "delta" and isinstance(loss, str) else None
        self._loss = Loss(loss, readout, names)
        self.learned = [
            Learned(*entry, perturbed=perturbed, readout=delta, namespace=names) for entry in learn
        ]
        if not self.learned:
            raise InvalidValue("Learner.learn", "at least one (Synapses, weight variable, scale)", "none")
        signed = self._signed(keep_signs)
        slope = slope_of_readout(self.learned, loss, readout, names)
        self._memory = slope.memory if slope else 0.0
        self._rules = [rule.replace(sigma=each.sigma) for each in perturbed]
        count = steps(duration, [*perturbed, *self.learned], readout)
        self._runner = TrialRunner(
            net, steps=count, duration=float(duration), perturbed=perturbed, learned=self.learned,
            loss=self._loss, slope=slope, before=before, namespace=names, seed=seed,
        )  # fmt: skip
        self.digest = self._runner.snapshot.digest
        stages = optimizer.stages if isinstance(optimizer, Chain) else (optimizer,)
        self._stages = Chain(*stages, KeepSigns(names=signed))
        self.state = TrainingState(
            weights=self._runner.snapshot.lasting(),
            decorrelation={},
            modulator={},
            rule={},
            optimizer=self._stages.start(self._weights()),
        )

    def step(self, workers: Workers | None = None) -> float:
        """One update from `trials` trials; returns their mean loss, without noise and before the update.

        Parameters
        ----------
        workers : Workers, optional
            Processes that run the trials side by side.

        Raises
        ------
        Diverged
            When loss or update are no longer finite; the weights are then those before the update.
        KeyboardInterrupt
            When a run was stopped by hand; likewise.
        """
        state = self.state
        first = state.update * self.trials
        jobs: list[dict[str, Any]] = [
            {"trial": trial, "lasting": state.weights, "modulator": state.modulator}
            for trial in range(first, first + self.trials)
        ]
        started = time.perf_counter()
        try:
            if workers is None:
                estimates = [self.estimate(**job) for job in jobs]
            else:
                estimates = workers.run([job | {"digest": self.digest} for job in jobs])
        finally:
            self._runner.snapshot.put(state.weights)
        losses = [self._loss.total(each.passes.clean(each.loss)) for each in estimates]
        self._apply(estimates)
        for each in estimates:
            self.modulator(record(each.passes, each.loss), state.modulator)
        state.update += 1
        loss, history = float(np.mean(losses)), state.history
        seconds = time.perf_counter() - started + sum(history["seconds"][-1:])
        for name, value in (("update", state.update), ("loss", loss), ("seconds", seconds)):
            history[name].append(value)
        return loss

    def _apply(self, estimates: list[Estimate]) -> None:
        """Change of the weights by the mean of the trials' estimates."""
        state, snapshot = self.state, self._runner.snapshot
        lasting = {}
        for name, start in state.weights.items():
            ends = [each.lasting[name] for each in estimates]
            lasting[name] = (
                start + np.mean([end - start for end in ends], axis=0) if start.dtype.kind == "f" else ends[0]
            )
        snapshot.put(lasting)
        weights = self._weights()
        gradient = {
            name: np.sum([each.gradient[name] for each in estimates], axis=0) / len(estimates)
            for name in weights
        }
        progress = min(1.0, state.update / self.updates)
        change = self._stages(gradient, weights, state.optimizer, progress)
        if not all(np.isfinite(values).all() for values in (*change.values(), *lasting.values())):
            snapshot.put(state.weights)
            reason = "loss or weights are no longer finite; try a lower learning rate or sigma, or clipping"
            raise Diverged(f"update {state.update + 1}: {reason}")
        for learned, (name, values) in zip(self.learned, weights.items(), strict=True):
            learned.weights[:] = learned.scale * (values + change[name])
        state.weights = snapshot.lasting()

    def estimate(self, trial: int, lasting: Arrays, modulator: Arrays) -> Estimate:
        """Estimate of the gradient from one trial; a function of its number and of what goes on."""
        self._runner.snapshot.put(lasting)
        course = self._runner.run(trial, self.passes)
        return estimate(
            course, rules=self._rules, modulator=self.modulator, state=modulator, learned=self.learned,
            memory=self._memory,
        )  # fmt: skip

    def evaluate(self, trial: int = 0) -> float:
        """Loss of a trial without noise; nothing is learned, and what goes on is as before.

        Monitors then hold this trial.
        """
        course = self._runner.run(trial, Passes(("clean",)))
        self._runner.snapshot.put(self.state.weights)
        return self._loss.total(course.loss)

    def get_state(self) -> Arrays:
        """Arrays by name, from which `set_state` of a learner of the same network goes on to the bit."""
        return self.state.arrays()

    def set_state(self, arrays: Mapping[str, Any]) -> None:
        """Go on from the arrays of `get_state`."""
        self.state = TrainingState.restored(arrays)
        self._runner.snapshot.put(self.state.weights)

    def save(self, path: Path | str) -> None:
        """Write the state into a file, whole or not at all; `SaveFailed` where that can't be done."""
        checkpoint.write(Path(path), self.get_state() | {"network": np.array(self.digest)})

    def restore(self, path: Path | str) -> None:
        """Go on from the state that `save` wrote, to the bit.

        Raises
        ------
        DataError
            For a damaged or altered file, and for that of a network that starts trials from another state.
        """
        arrays = checkpoint.read(Path(path), "network")
        if str(arrays.pop("network")) != self.digest:
            raise DataError(
                f"{path}: expected the state of this network, got that of one that starts otherwise"
            )
        checkpoint.check_arrays(Path(path), arrays, self.get_state())
        self.set_state(arrays)

    def _weights(self) -> Arrays:
        """Learned weights over their scales."""
        return {str(k): learned.weights / learned.scale for k, learned in enumerate(self.learned)}

    def _signed(self, keep_signs: Sequence[Any]) -> tuple[str, ...]:
        names = []
        for synapses in keep_signs:
            own = [str(k) for k, learned in enumerate(self.learned) if learned.synapses is synapses]
            if not own:
                raise InvalidValue("Learner.keep_signs", "Synapses that learn", str(synapses))
            names += own
        return tuple(names)

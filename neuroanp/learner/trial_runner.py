"""`TrialRunner`: passes of one trial, one after the other, from the same state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from brian2 import second
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.devices.device import get_device

from neuroanp.engine import NeuroANPDevice
from neuroanp.learner.learned import Learned
from neuroanp.learner.loss import Loss, Slope
from neuroanp.learner.perturbed import Perturbed
from neuroanp.learner.snapshot import Snapshot
from neuroanp.network.layout import Passes
from neuroanp.training.seeds import Seeds
from neuroanp.types import Array, Arrays


@dataclasses.dataclass(kw_only=True, eq=False)
class Course:
    """Records of one trial of T steps in P passes.

    Attributes
    ----------
    passes : Passes
    loss : (T, P, 1) array
    noise : list of (T, 1, n) arrays
        Noise of the plus pass in each perturbed variable.
    activity : list of (T, P, 1, n) arrays
        Perturbed variables with the noise in them, where the rule reads them; else of no steps.
    slope : (T, P, 1, n_out) array or None
        Derivative of the loss by the readout, for the delta rule.
    traces : list of lists
        Records of the weights' factors, by pass and weights; see `Learned.trace`.
    lasting : dict of arrays
        Variables that go on, after the trial.
    """

    passes: Passes
    loss: Array
    noise: list[Array]
    activity: list[Array]
    slope: Array | None
    traces: list[list[list[Any]]]
    lasting: Arrays


class TrialRunner:
    """Simulation of trials, each a function of its number and of the variables that go on.

    Parameters
    ----------
    net : Network
    steps : int
        Steps of a trial.
    duration : float
        Its length in seconds.
    perturbed, learned : sequences
    loss : Loss
    slope : Slope, optional
    before : callable, optional
        Function of the trial's number that is called before each pass.
    namespace : mapping
        Names of the user's script.
    seed : int
    """

    def __init__(
        self,
        net: Any,
        *,
        steps: int,
        duration: float,
        perturbed: Sequence[Perturbed],
        learned: Sequence[Learned],
        loss: Loss,
        slope: Slope | None,
        before: Callable[[int], Any] | None,
        namespace: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.net, self.steps, self.duration = net, steps, duration
        self.perturbed, self.learned, self.loss, self.slope = perturbed, learned, loss, slope
        self.before, self.namespace, self.seeds = before, dict(namespace), Seeds(seed)
        parts: list[Perturbed | Learned] = [*perturbed, *learned]
        objects = [*loss.objects, *([slope.monitor] if slope else [])]
        objects += [obj for part in parts for obj in part.objects]
        self.snapshot = Snapshot(net)
        if not isinstance(get_device(), NeuroANPDevice):
            for obj in objects:
                obj.codeobj_class = NumpyCodeObject  # whatever the target of the user's own objects
        net.add(*objects)

    def run(self, trial: int, passes: Passes) -> Course:
        """Run all passes of a trial; the network's weights are then those that `Course.lasting` has."""
        device = get_device()
        if isinstance(device, NeuroANPDevice):
            device.program(self.net, self.namespace, None)  # the buffers that follow are in its memory
        start = self.snapshot.lasting()
        records = []
        for sign in passes.signs:
            self.snapshot.put(start)
            with self._noise(trial, sign) as noise:
                self._simulate(trial)
                records.append(self._records(trial, noise))
        losses, slopes, noises, activities, traces, lasting = zip(*records, strict=True)
        noisy = passes.index("plus") if "plus" in passes else 0
        ends = {name: np.stack([end[name] for end in lasting])[None] for name in start}
        course = Course(
            passes=passes,
            loss=np.stack(losses, axis=1)[..., None],
            noise=noises[noisy],
            activity=[np.stack(values, axis=1) for values in zip(*activities, strict=True)],
            slope=np.stack(slopes, axis=1) if self.slope else None,
            traces=list(traces),
            lasting={name: _unperturbed(passes, start[name], values) for name, values in ends.items()},
        )
        self.snapshot.put(course.lasting)
        return course

    @contextmanager
    def _noise(self, trial: int, sign: int) -> Iterator[list[Array]]:
        """Network at rest, with noise of this sign for the pass that is run inside; yields its memory."""
        device = get_device()
        random_state = device.get_random_state()
        try:
            self.snapshot.restore()
            device.seed(int(self.seeds.trial(trial).integers(2**31)))
            if self.before is not None:
                self.before(trial)
            seed = self.seeds.noise
            yield [p.noise.prepare(self.steps, seed, trial, sign * p.sigma) for p in self.perturbed]
        finally:
            for perturbed in self.perturbed:
                perturbed.noise.rest()
            device.set_random_state(random_state)

    def _simulate(self, trial: int) -> None:
        self._activities = [
            p.activity.prepare((self.steps, 1, len(p.group))) if p.activity else None for p in self.perturbed
        ]
        for learned in self.learned:
            learned.prepare(self.steps)
        self.loss.prepare(self.steps)
        if self.slope is not None:
            self.slope.prepare(self.steps)
        self.net.run(self.duration * second, namespace=self.namespace)
        if self.net.t_ < self.snapshot.time + self.duration * (1 - 1e-9):
            raise KeyboardInterrupt("the run was stopped before the end of the trial")

    def _records(self, trial: int, noise: list[Array]) -> tuple[Any, ...]:
        """Records of the pass that was run, which the next one does not touch."""
        absent = np.zeros((0, 1, 0))
        return (
            self.loss.losses(trial),
            None if self.slope is None else self.slope.values(),
            [values.copy() for values in noise],
            [absent if values is None else values.copy() for values in self._activities],
            [learned.trace() for learned in self.learned],
            self.snapshot.lasting(),
        )


def _unperturbed(passes: Passes, start: Array, ends: Array) -> Array:
    """Values after a trial, of those (1, P, ...) after its passes: without the noise, to first order."""
    if ends.dtype.kind != "f":
        return np.asarray(ends[0, 0])
    return np.asarray(start + passes.clean(ends - start)[0])

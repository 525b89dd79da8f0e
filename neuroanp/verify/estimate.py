"""`estimate`: many updates of one rule for the same trial, against the gradient."""

from __future__ import annotations

import dataclasses

import numpy as np
from threadpoolctl import threadpool_limits

from neuroanp.errors import InvalidValue
from neuroanp.gradients import BPTT
from neuroanp.network.model import Model
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import Rule
from neuroanp.training.task import Task
from neuroanp.types import Array

SIGNIFICANT = 3
"""A mean counts as more than noise when it is this many standard errors from zero."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    r"""Statistics of the estimates :math:`e_k` of a gradient g, for one weight matrix.

    Attributes
    ----------
    samples : tuple of int
        Numbers of samples at which the cosine was taken.
    cosine : tuple of float
        Cosine of the mean of so many estimates with g.
    limit : float
        Cosine of their expectation with g: :math:`\langle m, g \rangle / (|g| \sqrt{\langle m_1, m_2
        \rangle})` with the mean m and the means :math:`m_1, m_2` of the two halves, whose noise is
        independent. NaN where noise hides the expectation.
    scale : float
        :math:`\langle m, g \rangle / |g|^2`, 1 for an unbiased rule.
    scale_error : float
        Standard error of the scale.
    bias : float
        Size of what the expectation has besides its part along g, relative to :math:`|g|`; 0 where noise
        hides it.
    deviation : float
        Standard deviation of one estimate, over all weights, relative to :math:`|g|`.
    """

    samples: tuple[int, ...]
    cosine: tuple[float, ...]
    limit: float
    scale: float
    scale_error: float
    bias: float
    deviation: float


def estimate(
    rule: Rule,
    model: Model,
    task: Task,
    *,
    modulator: Modulator,
    lanes: int,
    samples: int,
    seed: int = 0,
    steps: int | None = None,
    surrogate: BPTT | None = None,
) -> dict[str, Estimate]:
    """Estimates of a rule for one trial under `samples` draws of its noise, by weight name.

    Weights are those of an untrained network; where its readout starts at zero it is drawn, with standard
    deviation ``1 / sqrt(hidden)``, as nothing could be learned of hidden weights otherwise.

    Parameters
    ----------
    rule, model, task, modulator
        As in `neuroanp.train`.
    lanes : int
        Trials side by side; the gradient is that of their mean.
    samples : int
    seed : int
        Seed of weights, trial and noise.
    steps : int, optional
        Keep the last so many steps of the trial, which then starts from rest.
    surrogate : BPTT, optional
        Rule that computes the gradient.

    Raises
    ------
    InvalidValue
        For fewer than 4 samples, for a task in closed loop, and for models that `BPTT` can't differentiate.
    MissingExtra
        Where JAX is not installed.
    """
    if samples < 4:
        raise InvalidValue("verify.samples", "a whole number of 4 or more", samples)
    if task.plant is not None:
        raise InvalidValue("verify.task", "a task with targets", f"{task.name}, in closed loop")
    truth = surrogate or BPTT()
    truth.require_extras()
    weights_seed, trial_seed, noise_seed = np.random.SeedSequence(seed).spawn(3)
    copies = modulator.lanes_per_input(lanes)
    trial = task.trial(np.random.default_rng(trial_seed), lanes // copies).repeated(copies)
    trial = trial if steps is None else _last(trial, steps)

    def network(of: Rule, passes: tuple[str, ...]) -> Network:
        simulator = Network(
            model, task.n_in, task.n_out, task.dt, lanes=lanes, passes=passes, perturbation=of.perturbation,
            seed=int(noise_seed.generate_state(1)[0]),
        )  # fmt: skip
        simulator.load(_weights(model, simulator, np.random.default_rng(weights_seed)))
        return simulator

    gradient = truth(network(truth, ("clean",)).run(trial), np.zeros(0), {})
    noisy = network(rule, modulator.passes(rule.passes))
    state, memory = modulator.start(noisy.layout), rule.start(noisy.layout)
    sums = {name: _Sums(values, samples) for name, values in gradient.items()}
    with threadpool_limits(1):
        for sample in range(samples):
            record = noisy.run(trial, sample)
            update = rule(record, modulator(record, state), memory)
            for name in sums.keys() & update.keys():
                sums[name].add(update[name])
    return {name: sums[name].result() for name in gradient if sums[name].count}


def _weights(model: Model, network: Network, rng: np.random.Generator) -> dict[str, Array]:
    weights = model.start_weights(rng, network.n_in, network.n_out)
    if not weights["W_out"].any():
        readout = rng.standard_normal(weights["W_out"].shape) / np.sqrt(model.hidden)
        weights = weights | {"W_out": readout}
    return weights


def _last(trial: Trial, steps: int) -> Trial:
    if not 1 <= steps <= trial.steps:
        raise InvalidValue("verify.steps", f"1 to {trial.steps}, those of a trial", steps)
    return Trial(trial.inputs[-steps:], trial.targets[-steps:], np.asarray(trial.mask)[-steps:])


class _Sums:
    """Running sums over samples for one weight matrix."""

    def __init__(self, gradient: Array, samples: int) -> None:
        self.gradient, self.samples = gradient, samples
        self.halves = np.zeros((2, *gradient.shape))
        self.squares, self.count = 0.0, 0
        self.along: list[float] = []
        self.at = sorted({2**k for k in range(samples.bit_length()) if 2**k <= samples} | {samples})
        self.cosine: list[float] = []

    def add(self, sample: Array) -> None:
        self.halves[self.count % 2] += sample
        self.squares += float((sample**2).sum())
        self.along.append(float((sample * self.gradient).sum()))
        self.count += 1
        if self.count in self.at:
            total = self.halves.sum(axis=0)
            self.cosine.append(_cosine(total, self.gradient))

    def result(self) -> Estimate:
        g, n = self.gradient, self.count
        size = float((g**2).sum())
        if not size:
            unknown = float("nan")
            return Estimate(
                samples=tuple(self.at), cosine=tuple(self.cosine), limit=unknown, scale=unknown,
                scale_error=unknown, bias=unknown, deviation=unknown,
            )  # fmt: skip
        mean = self.halves.sum(axis=0) / n
        first, second = self.halves[0] / ((n + 1) // 2), self.halves[1] / (n // 2)
        square, along = float((first * second).sum()), float((mean * g).sum())
        variance = max(0.0, self.squares / n - float((mean**2).sum())) * n / (n - 1)
        # the noise of the product of two means of n / 2 samples, were the expectation zero
        hidden = SIGNIFICANT * 2 * variance / n / np.sqrt(g.size)
        across = square - along**2 / size
        return Estimate(
            samples=tuple(self.at),
            cosine=tuple(self.cosine),
            limit=float(np.clip(along / np.sqrt(size * square), -1, 1)) if square > hidden else float("nan"),
            scale=along / size,
            scale_error=float(np.std(self.along, ddof=1) / np.sqrt(n) / size),
            bias=float(np.sqrt(across / size)) if across > hidden else 0.0,
            deviation=float(np.sqrt(variance / size)),
        )


def _cosine(first: Array, second: Array) -> float:
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float((first * second).sum()) / size if size else float("nan")

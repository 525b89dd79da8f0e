"""`check_rule`: what a learning rule has to hold to be put to work."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import ms
from scipy.linalg import hadamard

from neuroanp.models import TanhRNN
from neuroanp.network.model import Weights
from neuroanp.network.network import Network
from neuroanp.network.record import Record
from neuroanp.network.trial import Trial
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NoiseRule, Rule
from neuroanp.testing._part import check_part, require
from neuroanp.types import Array, Arrays

STEPS, HIDDEN, N_IN, N_OUT, LANES = 3, 4, 2, 2, 2048


def check_rule(rule: NoiseRule, *, min_cosine: float | None = 0.98, engine: str = "runtime") -> None:
    """Check a rule of one's own that learns from noise; returns nothing when all is well.

    It is tried on four tanh units with two inputs and two outputs, decorrelated, for three steps. Checked
    are: its options are documented and survive ``config.json``; its update has the promised names, shapes and
    type, for float32 too, and leaves the record as it was; it does not depend on the order of lanes; it is
    linear in the modulator, unless the rule says that it makes a scalar of its own; without noise it is zero;
    and its mean points along the gradient of the loss, found by finite differences. For the mean the noise
    takes a balanced set of values, plus or minus sigma with no correlations, so that few trials give it
    without a statistical error.

    Parameters
    ----------
    rule : NoiseRule
        With a small sigma: terms of higher order count as error.
    min_cosine : float or None
        Least cosine of the mean update with the gradient, for each weight matrix; None for a rule that does
        not estimate the gradient, and that may learn from other variation than its noise.
    engine : {"runtime", "compiled", "auto"}
        The runtime needs no compiler, and is quick enough.

    Raises
    ------
    InvalidValue
        With what is wrong, as ``Class.field: expected ..., got ...``.
    DataError
        For a rule that can't be read back from ``config.json``.

    Examples
    --------
    >>> from neuroanp.rules import NodePerturbation
    >>> check_rule(NodePerturbation(sigma=0.001))
    """
    check_part(rule, Rule)
    name = type(rule).__name__
    require(isinstance(rule, NoiseRule), "check_rule.rule", "a rule that learns from noise", name)
    require(
        rule.sigma > 0, f"{type(rule).__name__}.sigma", "a number above 0, to be checked with", rule.sigma
    )
    trials = _Trials(rule, engine)
    _check_form(rule, trials)
    if min_cosine is not None:
        _check_silence(rule, trials)
    if rule.linear_in_modulator:
        _check_linear(rule, trials)
    _check_lanes(rule, trials)
    if min_cosine is not None:
        _check_gradient(rule, trials, min_cosine)


class _Trials:
    """A tiny network, its trial, and balanced noise for it.

    Where each lane has noise of its own one run holds all draws, each in a lane; noise on weights that all
    lanes share takes a run for each draw.
    """

    def __init__(self, rule: NoiseRule, engine: str) -> None:
        self.rule, self.on_weights = rule, rule.perturbs == "weights"
        self.shared = self.on_weights and not rule.perturbation.per_lane
        rng = np.random.default_rng(0)
        self.weights: Weights = {
            name: rng.standard_normal(shape) / np.sqrt(shape[1]) for name, shape in _SHAPES.items()
        }
        self.matrices = {
            name: np.eye(size) + 0.2 * rng.standard_normal((size, size))
            for name, size in (("D_in", N_IN), ("D_hidden", HIDDEN))
        }
        self.signs = self._balanced()
        self.draws = len(self.signs)
        lanes = 2 if self.shared else self.draws
        self.network = Network(
            TanhRNN(hidden=HIDDEN, bias=False), N_IN, N_OUT, 1 * ms, lanes=lanes, passes=rule.passes,
            perturbation=rule.perturbation.replace(external=True, recorded=("activity", "trace")),
            engine=engine, decorrelated=True,
        )  # fmt: skip
        self.network.load(self.weights, self.matrices)
        inputs, targets = (rng.standard_normal((STEPS, lanes, n)) for n in (N_IN, N_OUT))
        mask = rng.uniform(0.5, 1.5, (STEPS, lanes))
        mask[0] = 0
        self.trial = Trial(inputs, targets, mask)
        first = np.zeros(lanes, int)
        repeated = Trial(inputs[:, first], targets[:, first], mask[:, first])
        self.repeated = self.trial if self.shared else repeated

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Shape of the noise of one step and draw, by its target."""
        if self.on_weights:
            return {n: s for n, s in _SHAPES.items() if n != "W_out" or self.rule.readout == "perturb"}
        hidden, output = {"hidden": (1, HIDDEN)}, {"output": (1, N_OUT)}
        return hidden | output if self.rule.readout == "perturb" else hidden

    def _balanced(self) -> Array:
        """Signs (draws, blocks, n), balanced and uncorrelated over the draws, a block for each held draw.

        Columns of a Hadamard matrix; the many lanes of a run make it unlikely that products of them are
        columns again, which would matter to rules that are not linear in the noise.
        """
        blocks = 1 if self.rule.hold_steps is None else -(-STEPS // self.rule.hold_steps)
        size = sum(rows * columns for rows, columns in self._sizes().values())
        draws = 2 ** int(np.ceil(np.log2(blocks * size + 1))) if self.on_weights else LANES
        columns = 1 + np.random.default_rng(1).permutation(draws - 1)[: blocks * size]
        signs = hadamard(draws, dtype=np.int8)[:, columns].astype(float)
        return signs.reshape(draws, blocks, size)

    def noise(self, draw: int = 0) -> Arrays:
        """Noise for a run: all draws, one a lane, or one draw of weight noise."""
        signs = self.signs[:, np.arange(STEPS) // (self.rule.hold_steps or STEPS)]
        noise: Arrays = {}
        start = 0
        for name, (rows, columns) in self._sizes().items():
            part = signs[..., start : start + rows * columns]
            start += rows * columns
            if self.rule.perturbation.per_lane:
                part = part.reshape(-1, STEPS, rows, columns).swapaxes(0, 1)
            else:
                part = part[draw].reshape(STEPS, rows, columns) if self.shared else part.swapaxes(0, 1)
            noise[name] = self.rule.sigma * part
        return noise

    def record(self, trial: Trial, noise: Arrays | None) -> Record:
        """A record that is not overwritten by the next run."""
        record = self.network.run(trial, noise=noise)
        if record.weight_noise is None:
            return _converted(record, None)
        draws = list(record.weight_noise())
        return dataclasses.replace(_converted(record, None), weight_noise=lambda: iter(draws))

    def update(self, rule: NoiseRule, record: Record, modulator: Array | None = None) -> Arrays:
        """Estimate of a rule that remembers nothing yet, with the return of the whole trial as modulator."""
        if modulator is None:
            modulator = Modulator()(record, {})
        return rule(record, modulator, rule.start(self.network.layout))

    def gradient(self, step: float = 1e-5) -> Arrays:
        """Central differences of the mean over lanes of the summed loss, by weight matrix."""
        gradient: Arrays = {name: np.empty(shape) for name, shape in _SHAPES.items()}
        for name, values in gradient.items():
            for where in np.ndindex(values.shape):
                sides = []
                for sign in (1, -1):
                    weights = {key: w.copy() for key, w in self.weights.items()}
                    weights[name][where] += sign * step
                    self.network.load(weights, self.matrices)
                    record = self.network.run(self.repeated)
                    sides.append(float((record.loss[:, 0] * record.mask).sum(axis=0).mean()))
                values[where] = (sides[0] - sides[1]) / (2 * step)
        self.network.load(self.weights, self.matrices)
        return gradient


_SHAPES = {"W_in": (HIDDEN, N_IN), "W_rec": (HIDDEN, HIDDEN), "W_out": (N_OUT, HIDDEN)}
_ARRAYS = (
    "loss", "mask", "inputs", "traces", "trace", "activity", "noise", "outputs", "targets", "noise_out",
)  # fmt: skip


def _converted(record: Record, dtype: Any) -> Record:
    """A copy of a record, with its arrays in another dtype where one is given."""
    arrays: dict[str, Any] = {name: np.array(getattr(record, name), dtype) for name in _ARRAYS}
    return dataclasses.replace(record, **arrays)


def _learned(rule: NoiseRule) -> tuple[str, ...]:
    """The weights that learn from the noise."""
    return ("W_in", "W_rec", "W_out") if rule.readout == "perturb" else ("W_in", "W_rec")


def _check_form(rule: NoiseRule, trials: _Trials) -> None:
    where = f"{type(rule).__name__}.__call__"
    record = trials.record(trials.trial, trials.noise())
    modulator = Modulator()(record, {})
    record_before, modulator_before = _converted(record, None), modulator.copy()
    update = trials.update(rule, record, modulator)
    names = ("W_in", "W_rec") if rule.readout == "fixed" else ("W_in", "W_rec", "W_out")
    same = isinstance(update, dict) and set(update) == set(names)
    require(same, where, f"{', '.join(names)} with readout {rule.readout}", ", ".join(update))
    equal = [np.array_equal(getattr(record_before, name), getattr(record, name)) for name in _ARRAYS]
    require(all(equal), where, "a record that is left as it was", "a change")
    require(
        np.array_equal(modulator_before, modulator), where, "a modulator that is left as it was", "a change"
    )
    narrow = _converted(record, np.float32)
    updates = (
        update,
        trials.update(rule, narrow, modulator),
        trials.update(rule, record, modulator[:, :1]),
    )
    for each in updates:
        for name, change in each.items():
            require(
                change.shape == _SHAPES[name], where, f"{name} of shape {_SHAPES[name]}", f"{change.shape}"
            )
            dtype = change.dtype
            require(dtype in (np.float32, np.float64), where, f"{name} of float32 or float64", f"{dtype}")
            require(np.isfinite(change).all(), where, f"finite numbers in {name}", "others")
            shared = any(np.shares_memory(change, getattr(record, array)) for array in _ARRAYS)
            require(not shared, where, f"a new array for {name}", "a view of the record")


def _check_silence(rule: NoiseRule, trials: _Trials) -> None:
    """No update where nothing was perturbed, and none from a rule that is told of no noise."""
    where = f"{type(rule).__name__}.__call__"
    silent = trials.record(trials.trial, None)
    noisy = trials.record(trials.trial, trials.noise())
    off = dataclasses.replace(rule, sigma=0.0)
    for variant, record, case in ((rule, silent, "noise of zero"), (off, noisy, "sigma = 0")):
        update = trials.update(variant, record)
        for name in _learned(rule):
            zero = not update[name].any()
            largest = float(np.abs(update[name]).max())
            require(zero, where, f"no update of {name} with {case}", f"one of up to {largest:.3g}")


def _check_linear(rule: NoiseRule, trials: _Trials) -> None:
    where = f"{type(rule).__name__}.__call__"
    record = trials.record(trials.trial, trials.noise())
    rng = np.random.default_rng(7)
    m, n = (rng.standard_normal(record.mask.shape) for _ in range(2))
    first, second, both = (trials.update(rule, record, one) for one in (m, n, 2 * m - 3 * n))
    for name in _learned(rule):
        expected = 2 * first[name] - 3 * second[name]
        linear = _close(both[name], expected)
        require(linear, where, f"an update of {name} that is linear in the modulator", "another one")


def _check_lanes(rule: NoiseRule, trials: _Trials) -> None:
    where = f"{type(rule).__name__}.__call__"
    trial, noise = trials.trial, trials.noise()
    order = np.roll(np.arange(trial.lanes), 1)
    swapped = Trial(trial.inputs[:, order], trial.targets[:, order], np.asarray(trial.mask)[:, order])
    permuted = noise if trials.shared else {name: xi[:, order] for name, xi in noise.items()}
    records = trials.record(trial, noise), trials.record(swapped, permuted)
    first, other = (trials.update(rule, record) for record in records)
    for name, change in first.items():
        require(
            _close(change, other[name]),
            where,
            f"the same update of {name} in any order of lanes",
            "another one",
        )


def _check_gradient(rule: NoiseRule, trials: _Trials, min_cosine: float) -> None:
    where = f"{type(rule).__name__}.__call__"
    runs = trials.draws if trials.shared else 1
    mean: Arrays = {}
    for draw in range(runs):
        record = trials.record(trials.repeated, trials.noise(draw))
        for name, change in trials.update(rule, record).items():
            mean[name] = mean.get(name, 0.0) + change / runs
    gradient = trials.gradient()
    for name, change in mean.items():
        length = np.linalg.norm(change) * np.linalg.norm(gradient[name])
        cosine = float(np.vdot(change, gradient[name]) / length) if length > 0 else 0.0
        expected = f"a mean whose cosine with the gradient of {name} is at least {min_cosine:g}"
        require(cosine >= min_cosine, where, expected, f"{cosine:.3f}")


def _close(first: Array, other: Array) -> bool:
    return bool(np.allclose(first, other, rtol=1e-8, atol=1e-8 * np.abs(other).max()))

"""Base of the tasks that show Poisson spikes and ask for a decision at the end."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from brian2 import Hz

from neuroanp.config import checks
from neuroanp.config.option import option
from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD
from neuroanp.tasks import _linear as trivial
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

_LOSS = {"error": None, "sign": "int(y * target <= 0)"}


class Decision(Task):
    """Decision, yes or no, by the sign of the readout in a period at the end, the only one that counts.

    Attributes
    ----------
    periods : tuple of str
        Fields that are times of at least one step.
    reward : {"error", "sign"}
        Loss at each step that counts: the squared error, or one bit, 1 where the readout's sign is wrong.
    """

    score_name = "fraction of decisions right"
    n_out = 1
    periods: ClassVar[tuple[str, ...]]

    rate: Any = option(100 * Hz, "rate of an input while its cue is on", unit="Hz")
    background: Any = option(5 * Hz, "rate of an input otherwise", unit="Hz")
    channels: int = option(10, "inputs in a set, which fire for the same cue", least=1)
    reward: Literal["error", "sign"] = option("error", "what is rewarded at each step that counts")
    evaluation_trials: int = option(512, "fresh trials to judge on", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, *self.periods)
        check_rates(self, "rate", "background")

    @property
    def loss(self) -> str | None:
        return _LOSS[self.reward]

    @property
    def judged_by(self) -> str:
        return "loss" if self.reward == "error" else "score"

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Fresh trials, `evaluation_trials` lanes of them."""
        return self.trial(rng, self.evaluation_trials)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Fraction of lanes whose output, summed over the period that counts, has the sign of the answer."""
        return fraction_right((outputs[:, :, 0] * np.asarray(trial.mask)).sum(axis=0), trial)

    def trivial(self) -> dict[str, float]:
        """Loss of zero output, and of least squares on the spikes of the decision period alone."""
        trial, guess = self._without_memory()
        outputs = np.broadcast_to(guess[:, None], trial.targets.shape)
        return {
            "zero": loss(np.zeros_like(trial.targets), trial),
            "linear on the present": loss(outputs, trial),
        }

    def trivial_scores(self) -> dict[str, float]:
        """Fraction right of a constant answer, and of least squares on the decision period alone."""
        trial, guess = self._without_memory()
        yes = float((answers(trial) > 0).mean())
        return {"chance": max(yes, 1 - yes), "linear on the present": fraction_right(guess, trial)}

    def _without_memory(self) -> tuple[Trial, Array]:
        """Evaluation trials, and answers (L,) to them from the decision period alone."""
        rng = np.random.default_rng(0)
        trial = self.evaluation(rng)
        others = self.evaluation(rng)
        return trial, linear_answers(others, trial, present(others), present(trial))

    def recipe(self, preset: str) -> Recipe:
        """Published method at a rate that suits trials of hundreds of steps."""
        general = super().recipe(preset)
        return general.replace(optimizer=SGD(lr=0.01)) if preset == "published" else general


def decision(inputs: Array, answer: Array, steps: int) -> Trial:
    """Trial of which the last `steps` count, with +1 or -1 a lane as answer (L,)."""
    mask = np.zeros(inputs.shape[:2])
    mask[-steps:] = 1
    return Trial(inputs, np.broadcast_to(answer[:, None], (*mask.shape, 1)), mask)


def answers(trial: Trial) -> Array:
    """Right answer (L,) of every lane, +1 or -1."""
    return trial.targets[-1, :, 0]


def fraction_right(decisions: Array, trial: Trial) -> float:
    """Fraction of lanes whose decision (L,) has the sign of the answer."""
    return float(((decisions > 0) == (answers(trial) > 0)).mean())


def present(trial: Trial) -> Array:
    """Spikes (L, n_in) of each input in the steps that count."""
    return trial.inputs[np.asarray(trial.mask)[:, 0] > 0].sum(axis=0)


def linear_answers(fitted: Trial, trial: Trial, fitted_inputs: Array, inputs: Array) -> Array:
    """Answers (L,) to `trial` by the linear function of inputs (L, k) that suits `fitted` best."""
    right = np.concatenate([answers(fitted), answers(trial)])[:, None]
    fit, test = range(fitted.lanes), range(fitted.lanes, len(right))
    return trivial.linear(np.concatenate([fitted_inputs, inputs]), right, fit, test)[:, 0]


def poisson(rng: np.random.Generator, hertz: Array, dt: Any) -> Array:
    """Spikes, 0 or 1 a step of length `dt`, drawn independently for each of an array of rates in Hz."""
    return (rng.random(hertz.shape, dtype=np.float32) < hertz * float(dt)).astype(np.float64)


def steps(task: Task, field: str) -> int:
    """Steps that a time among the fields of a task lasts."""
    return round(float(getattr(task, field) / task.dt))


def check_times(task: Task, *periods: str) -> None:
    """Check of times: at least one step each."""
    for field in periods:
        if steps(task, field) < 1:
            where = f"{type(task).__name__}.{field}"
            raise InvalidValue(where, f"at least one step of {task.dt}", getattr(task, field))


def check_rates(task: Task, *fields: str) -> None:
    """Check of rates: at most one spike a step each."""
    for field in fields:
        where, bounds = f"{type(task).__name__}.{field}", {"least": 0, "most": 1 / float(task.dt)}
        checks.number(where, getattr(task, field), {**checks.NO_BOUNDS, **bounds})

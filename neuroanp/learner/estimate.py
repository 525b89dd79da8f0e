"""Estimate of the gradient from the records of one trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from neuroanp.filters import leaky_back
from neuroanp.learner.learned import Learned
from neuroanp.learner.trial_runner import Course
from neuroanp.network.layout import Passes
from neuroanp.network.record import Record
from neuroanp.reward import Modulator
from neuroanp.rules import Layer, NodeRule
from neuroanp.types import Array, Arrays


@dataclasses.dataclass(kw_only=True, eq=False)
class Estimate:
    """Result of one trial.

    Attributes
    ----------
    gradient : dict of arrays
        By name of the weights, with respect to weight / scale.
    passes : Passes
    loss : (T, P, 1) array
    lasting : dict of arrays
        Variables that go on, after the trial.
    """

    gradient: Arrays
    passes: Passes
    loss: Array
    lasting: Arrays


def estimate(
    course: Course,
    *,
    rules: Sequence[NodeRule],
    modulator: Modulator,
    state: Arrays,
    learned: Sequence[Learned],
    memory: float,
) -> Estimate:
    """Estimate of the gradient of the loss, summed over the steps of a trial.

    Parameters
    ----------
    course : Course
    rules : sequence of NodeRule
        The rule, with the sigma of each perturbed variable.
    modulator : Modulator
    state : dict of arrays
        Its state, left as it is.
    learned : sequence of Learned
    memory : float
        Part of the readout that is left after a step, for the delta rule.
    """
    surprise = modulator(record(course.passes, course.loss), dict(state))
    units = sum(noise.shape[-1] for noise in course.noise)
    posts = []
    for rule, noise, activity in zip(rules, course.noise, course.activity, strict=True):
        of_layer = record(course.passes, course.loss, noise, activity, units)
        posts.append(rule.post(Layer(noise, activity, rule.sigma), of_layer, surprise)[:, 0])
    error = None
    if course.slope is not None:
        error = leaky_back(course.passes.clean(course.slope), memory)[:, 0]
    shares = course.passes.shares
    gradient = {}
    for k, weights in enumerate(learned):
        parts = [
            share * weights.credit(posts, error, traces[k])
            for share, traces in zip(shares, course.traces, strict=True)
            if share > 0
        ]
        gradient[str(k)] = np.sum(parts, axis=0)
    return Estimate(gradient=gradient, passes=course.passes, loss=course.loss, lasting=course.lasting)


def record(
    passes: Passes,
    loss: Array,
    noise: Array | None = None,
    activity: Array | None = None,
    units: int = 0,
) -> Record:
    """Record of one lane for a rule's postsynaptic factor, or for a modulator."""
    steps, count, lanes = loss.shape
    absent = np.zeros((steps, lanes, 0))
    return Record(
        passes=passes,
        loss=loss,
        mask=np.ones((steps, lanes)),
        inputs=absent,
        trace=np.zeros((steps + 1, lanes, units)),
        traces=absent,
        activity=absent if activity is None else activity,
        noise=absent if noise is None else noise,
        outputs=np.zeros((steps, count, lanes, 0)),
        targets=absent,
        noise_out=absent,
    )

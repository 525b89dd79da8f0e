"""Training that blows up or is stopped by hand keeps what was good."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import threading

import numpy as np
import pytest

from neuroanp.errors import Diverged, Interrupted
from neuroanp.optim import Adam, Stage
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from support.copying import training


class AtUpdate(Stage):
    """Adam, until something happens at one update (the first is 1); keeps the weights before each update."""

    def __init__(self, update, happens):
        vars(self).update(update=update, happens=happens, adam=Adam(lr=0.01), before=[])

    def start(self, weights):
        return self.adam.start(weights)

    def __call__(self, update, weights, state, progress):
        self.before.append({name: w.copy() for name, w in weights.items()})
        change = self.adam(update, weights, state, progress)
        return self.happens(change) if len(self.before) == self.update else change


def scaled(factor):
    return lambda change: {name: factor * c for name, c in change.items()}


def diverged(stage, **changes):
    made = training(optimizer=stage, **changes)
    with pytest.raises(Diverged) as raised:
        made.run(progress=False)
    message, run = str(raised.value), raised.value.run
    assert "lower learning rates, or clipping" in message
    assert all(np.isfinite(w).all() for w in run.weights.values())
    assert np.isfinite(run.result["test_loss"]) and np.isfinite(run.result["score"])
    return message, run


BAD = [
    (np.nan, "update {at}: the change of the weights is not finite"),
    (1e200, "update {seen}: the {loss} is no longer finite"),
    (1e6, "update {seen}: the {loss} has grown from .* to "),
]


@pytest.mark.parametrize(("factor", "said"), BAD, ids=["nan", "huge", "large"])
@pytest.mark.parametrize(
    ("at", "seen", "loss"), [(1, 2, "loss"), (23, 24, "loss"), (50, 50, "test loss"), (100, 100, "test loss")]
)
def test_the_weights_are_those_before_the_bad_update(at, seen, loss, factor, said):
    stage = AtUpdate(at, scaled(factor))
    message, run = diverged(stage, updates=100, tests=20)
    assert re.match(said.format(at=at, seen=seen, loss=loss), message)
    for name, w in stage.before[at - 1].items():
        np.testing.assert_array_equal(run.weights[name], w)
    assert np.isfinite(run.history["loss"]).all() and np.isfinite(run.history["test_loss"]).all()


def test_a_gradient_that_is_not_finite_stops_at_once():
    class Unsound(NodePerturbation):
        def __call__(self, record, modulator, state):
            return {name: g * np.nan for name, g in super().__call__(record, modulator, state).items()}

    message, run = diverged(Adam(), rule=Unsound())
    assert message.startswith("update 1: the change of the weights is not finite")
    assert not len(run.history["loss"])
    np.testing.assert_array_equal(run.weights["W_rec"], training().state.weights["W_rec"])


def test_a_first_loss_near_zero_is_no_measure_of_divergence():
    """One step in which nothing happens says nothing about those that follow."""

    class Quiet(CopyingMemory):
        def trial(self, rng, lanes, index=0):
            trial = super().trial(rng, lanes)
            return dataclasses.replace(trial, targets=trial.targets * (1e-6 if index == 0 else 1))

        def evaluation(self, rng):
            return super().trial(rng, 16)

    quiet = Quiet(alphabet=4, length=2, delay=1, evaluation_trials=16)
    run = training(task=quiet, rule=NodePerturbation(sigma=1e-6), updates=10).run(progress=False)
    assert run.history["loss"][1] > 1e4 * run.history["loss"][0]


def test_a_bad_matrix_of_decorrelation_is_taken_back_too():
    message, run = diverged(Adam(lr=0.01), decorrelation=Decorrelation(rate=1e5), updates=100)
    assert re.match(r"update \d+: the loss ", message)
    assert np.abs(run.weights["D_hidden"]).max() < 1e3


def by_hand(change):
    raise KeyboardInterrupt


def test_what_was_learned_is_kept_when_stopped_by_hand():
    stage = AtUpdate(13, by_hand)
    with pytest.raises(Interrupted) as raised:
        training(optimizer=stage).run(progress=False)
    run = raised.value.run
    assert run.result["updates"] == len(run.history["loss"]) == 12
    for name, w in stage.before[12].items():
        np.testing.assert_array_equal(run.weights[name], w)
    plain = training(optimizer=AtUpdate(99, by_hand)).run(progress=False)
    np.testing.assert_array_equal(plain.history["loss"][:12], run.history["loss"])


def test_an_interrupt_from_outside_leaves_a_sound_run():
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    made = training(updates=10**6)
    timer.start()
    try:
        with pytest.raises(Interrupted) as raised:
            made.run(progress=False)
    finally:
        timer.cancel()
    run = raised.value.run
    assert 10 < run.result["updates"] == len(run.history["loss"]) < 10**6
    assert all(np.isfinite(w).all() for w in run.weights.values())
    assert np.isfinite(run.result["test_loss"])

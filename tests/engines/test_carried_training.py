"""Training on windows that go on from one another."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.models import LIF, TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import MackeyGlass
from neuroanp.training.evaluation import evaluate
from support.copying import training

TASK = MackeyGlass(carry=True, window=10, steps=350)


@pytest.mark.parametrize(
    ("engine", "model"),
    [("runtime", TanhRNN(hidden=6, readout_gain=1.0)), ("compiled", LIF(hidden=6, input_gain=15.0))],
    ids=["runtime-tanh", "compiled-spiking"],
)
def test_a_carried_run_is_one_long_run(engine, model):
    """Tests on the way leave the state where it was."""
    rule = NodePerturbation(sigma=0.0, mirrored=False)
    made = training(model=model, task=TASK, rule=rule, optimizer=Adam(lr=0.0), lanes=2, engine=engine)
    windows = [made.trial(update) for update in range(12)]
    long = Trial(*(np.concatenate([getattr(w, name) for w in windows]) for name in ("inputs", "targets")))
    made.network.load(made.state.weights)
    expected = made.network.run(long)
    trace, outputs = expected.trace[1:].copy(), expected.outputs.copy()
    assert np.abs(trace[60:]).max() > 0.1
    for update, window in enumerate(windows):
        record = made.network.run(window, update)
        steps = slice(10 * update, 10 * update + 10)
        np.testing.assert_allclose(record.trace[1:], trace[steps], atol=1e-12)
        np.testing.assert_allclose(record.outputs, outputs[steps], atol=1e-12)
        if update % 4 == 2:
            evaluate(made.network, made.task, made.unseen)

"""A network that was trained elsewhere loses on a device, and learns back there from its noise."""

import pytest
from brian2 import ms

from neuroanp.gradients import BPTT
from neuroanp.models import LIF
from neuroanp.optim import Adam
from neuroanp.reward import Modulator
from neuroanp.substrate import Analog
from neuroanp.tasks import PatternGeneration
from neuroanp.training.loop import Trainer

TASK = PatternGeneration(duration=300 * ms, ticks=6)
SETTINGS = {"seed": 1, "dtype": "float32", "tests": 0}
FAST = {"lr": 2e-3, "input_lr": 2e-2, "readout_lr": 1e-2, "anneal": "linear"}


@pytest.mark.slow
def test_a_network_trained_with_gradients_learns_back_on_a_device_what_it_lost_there():
    """Half a minute."""
    recipe = TASK.recipe("node").replace(model=LIF(hidden=60, input_gain=2.0))
    with_gradients = recipe.replace(
        rule=BPTT(), modulator=Modulator(), optimizer=Adam(lr=3e-3, readout_lr=1e-2), lanes=1, updates=200
    )
    ideal = Trainer(TASK, with_gradients, **SETTINGS).run(progress=False)
    on_device = recipe.replace(
        substrate=Analog(device=1, bits=4, mismatch=0.3), optimizer=Adam(**FAST), updates=60
    )
    trainer = Trainer(TASK, on_device, start=ideal, **SETTINGS)
    before, after = trainer.result(), trainer.run(progress=False)
    fresh = Trainer(TASK, on_device, **SETTINGS).run(progress=False)
    scores = [run.result["score"] for run in (ideal, before, after, fresh)]
    assert scores[0] < 0.3 * scores[1] and scores[2] < 0.5 * scores[1] and scores[2] < scores[3], scores

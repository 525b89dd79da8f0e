"""A board in another process, that is slow, drops out and restarts, learns what it learns in this one."""

import numpy as np
import pytest
from brian2 import ms

from neuroanp.config.document import describe
from neuroanp.hardware import BoardTrainer
from neuroanp.models import LIF
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import SPSA, NodePerturbation
from neuroanp.substrate import Analog
from neuroanp.tasks import PatternGeneration
from support.boards import AnalogBoard, SocketBoard

TASK = PatternGeneration(duration=60 * ms, ticks=4)
MODEL = LIF(hidden=20, input_gain=2.0)
DEVICE = Analog(device=1, bits=6)
RULES = {
    "node-perturbation": (
        NodePerturbation(sigma=0.1, hold=5, readout="delta"), Modulator(discount=0.98, baseline=OtherLanes()),
        Adam(lr=5e-3, input_lr=5e-2, readout_lr=3e-2), 8, 100,
    ),
    "spsa": (SPSA(sigma=0.1), Modulator(), Adam(lr=1e-2, input_lr=5e-2, readout_lr=3e-2), 1, 150),
}  # fmt: skip
FAULTS = [
    {"closes": [3, 17, 18, 33], "dies": [45]},
    {"closes": [5, 20], "silent": [11], "dies": [40]},
    {"closes": [2, 9], "silent": [10]},
]
"""Ten dropped trials, and two restarts of the board."""


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_board_behind_a_socket_learns_to_the_bit_what_it_learns_here(name):
    """A minute: three processes each, and answers that take their time."""
    rule, modulator, optimizer, lanes, updates = RULES[name]
    weights = MODEL.start_weights(np.random.default_rng(1), TASK.n_in + 1, 1)
    parts = {"model": MODEL, "task": TASK, "substrate": DEVICE, "perturbation": None, "engine": "runtime"}
    if name == "node-perturbation":
        parts["perturbation"] = rule.perturbation

    def trainer(board):
        return BoardTrainer(
            board, TASK, weights, rule=rule, modulator=modulator, optimizer=optimizer, lanes=lanes,
            updates=updates, seed=2,
        )  # fmt: skip

    here = trainer(AnalogBoard(**parts, lanes=lanes))
    before = here.evaluate()
    here.run(progress=False)
    board = SocketBoard({"parts": describe(**parts), "lanes": lanes, "seconds": 0.01}, FAULTS)
    try:
        there = trainer(board)
        there.run(progress=False)
        for matrix, values in here.state.weights.items():
            np.testing.assert_array_equal(there.state.weights[matrix], values)
        assert there.evaluate() == here.evaluate()
    finally:
        board.close()
    assert here.evaluate().loss < 0.6 * before.loss
    assert there.state.history["update"] == list(range(1, updates + 1))
    assert there.state.history["loss"] == here.state.history["loss"]
    assert board.lives == 3 and len(there.failures) == 12
    assert sum("TimeoutError" in line for line in there.failures) == 2

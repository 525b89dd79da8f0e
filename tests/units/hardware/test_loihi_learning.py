"""Lava's fixed-point learning, emulated: equal to recorded runs, and what it does to factors and products."""

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.substrate.loihi import LoihiLearning
from neuroanp.substrate.loihi_microcode import equation, parsed

RECORDED = {
    "tag_times_factor": dict(
        dw="-2^-4*u0*t*y2", dt="2^-1*u0*x1*y1", x1_impulse=16.0, x1_tau=10.0,
    ),
    "pairs_in_epochs": dict(
        dw="2^-4*u1*t*y2 + 2^-3*y0*(x2-4) - 2^-4*x0*sgn(w)*y3",
        dt="2^-1*y0*x1*y1 - 2^-1*x0*y1 - 2^-3*u1*t - 2^-5*y0*w",
        t_epoch=2, x1_impulse=10.25, x1_tau=8.0, x2_impulse=20.0, x2_tau=30.0,
    ),
}  # fmt: skip


def run(rule, data):
    """Traces, weights and tags after each step."""
    synapses = LoihiLearning(data["weights_start"], seed=int(data["seed"]), **rule)
    seen = {name: [] for name in ("x1", "x2", "weights", "tag_1")}
    for step in range(data["pre"].shape[1]):
        third = {name: data[f"{name}_in"][:, step] for name in ("y1", "y2", "y3")}
        synapses.step(data["pre"][:, step], data["post"][:, step], **third)
        now = (synapses.x1, synapses.x2, synapses.weights, synapses.tag)
        for values, value in zip(seen.values(), now, strict=True):
            values.append(value)
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_trace_weight_and_tag(shared, name, seed):
    path = shared / "reference" / "lava" / f"{name}_seed{seed}.npz"
    if not path.exists():
        pytest.skip("the recorded runs of lava-nc are not in the shared folder")
    data = np.load(path)
    got = run(RECORDED[name], data)
    assert {key: np.count_nonzero(np.array(values) != data[key]) for key, values in got.items()} == {
        "x1": 0, "x2": 0, "weights": 0, "tag_1": 0,
    }  # fmt: skip

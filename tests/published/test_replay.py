"""The published updates, on the real engines."""

import numpy as np
import pytest

from neuroanp.errors import DataError
from neuroanp.testing import replay

RULES = ("wp", "np", "anp")
NAMES = [f"{rule}_batch{lanes}_seed{seed}" for rule in RULES for lanes in (1, 4) for seed in (0, 1)]


@pytest.mark.parametrize(
    ("engine", "name"),
    [*(("runtime", name) for name in NAMES), *(("compiled", f"{rule}_batch4_seed0") for rule in RULES)],
)
def test_replay_gives_the_published_weights(shared, engine, name):
    path = shared / "reference" / "updates" / f"{name}.npz"
    found = replay(path, engine=engine)
    assert set(found) == {"W_in", "W_rec", "W_out", "D_in", "D_hidden"}
    with np.load(path) as file:
        for key, value in found.items():
            before, after = file[key], file[f"{key}_after"]
            # relative to the change itself, which is far smaller than the weights
            change = after - before
            np.testing.assert_allclose(value - before, change, rtol=1e-9, atol=1e-9 * abs(change).max())


def test_a_file_that_is_no_update_is_refused(tmp_path):
    np.savez(tmp_path / "np_other.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="no y, W_in"):
        replay(tmp_path / "np_other.npz")
    with pytest.raises(DataError, match="starts with"):
        replay(tmp_path / "other.npz")

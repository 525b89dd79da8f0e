"""The benchmark compares what it says it does; nothing here depends on how long anything took."""

import functools
import importlib
import json
import time
import tracemalloc

import numpy as np
import pytest
from brian2 import ms

from neuroanp.bench import Report, Row, ours, races, run
from neuroanp.bench.parts import memory as part_memory
from neuroanp.bench.parts import seconds_to_a_loss as part_race
from neuroanp.bench.parts import update as part_update
from neuroanp.bench.peers import torch as spiking_peers
from neuroanp.bench.peers.blas import Floor
from neuroanp.bench.races import Course
from neuroanp.bench.table import compared
from neuroanp.bench.timing import BLOCK, Spread, interleaved, slope, spread
from neuroanp.bench.worker import PARTS, environment
from neuroanp.cli.main import main
from neuroanp.gradients import BPTT
from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.network.trial import Trial

ROW = Row(
    part="update", what="other", size="1 unit", ours=1.0, other=2.0, ratio=Spread(0.5, 0.4, 0.7), limit=0.6
)  # fmt: skip


@pytest.fixture
def jax():
    return pytest.importorskip("jax", reason="jax is not installed")


@pytest.mark.parametrize(
    ("dtype", "tolerance", "gathered"), [("float32", 1e-5, True), ("float64", 1e-12, False)]
)
def test_jax_trains_the_same_network_on_the_same_trial(jax, gathered, dtype, tolerance):
    from neuroanp.bench.peers.jax import JaxUpdate
    from neuroanp.gradients._jax import precision

    trial = ours.copying(30, 3)
    made = ours.training(12, trial, dtype, engine="runtime")
    record = Network.run(made.network, trial, sigma=0.0)
    with precision(dtype):
        update = JaxUpdate(made.state.weights, *ours.arrays(trial, dtype), 1e-2, gathered)
        losses = [update() for _ in range(30)]
    assert losses[0] == pytest.approx(float(record.loss.mean()), abs=tolerance)
    assert losses[-1] < 0.7 * losses[0]


def test_gathering_the_gradient_changes_nothing_but_the_order_of_sums(jax):
    from neuroanp.bench.peers.jax import JaxUpdate
    from neuroanp.gradients._jax import precision

    trial = ours.copying(30, 2)
    weights = ours.training(8, trial, "float64", engine="runtime").state.weights
    with precision("float64"):
        plain, gathered = (JaxUpdate(weights, *ours.arrays(trial, "float64"), 1e-2, g) for g in (False, True))
        np.testing.assert_allclose([plain() for _ in range(9)], [gathered() for _ in range(9)], rtol=1e-8)


def test_jax_has_the_spikes_and_the_surrogate_gradient_of_the_same_cells(jax):
    from neuroanp.bench.peers.jax_spiking import JaxSpikes
    from neuroanp.gradients._jax import precision

    rng, model = np.random.default_rng(0), LIF(hidden=12, input_gain=3.0, recurrent_gain=1.0)
    trial = Trial(rng.normal(size=(40, 2, 4)), rng.normal(size=(40, 2, 2)))
    network = Network(model, 4, 2, 1 * ms, lanes=2, engine="runtime")
    network.load(model.initial_weights(rng, network.n_in, 2))
    record = network.run(trial)
    assert record.traces.sum() > 20
    with precision("float64"):
        start = model.initial_state()["v"]
        update = JaxSpikes(
            model.cells(1 * ms), model.readout_memory(1 * ms), start, network.weights,
            *ours.arrays(trial, "float64"), 1e-2,
        )  # fmt: skip
        np.testing.assert_allclose(update.forward(), record.outputs[:, 0], atol=1e-12)
        gradient = {name: np.array(values) for name, values in update.gradient().items()}
        losses = [update() for _ in range(30)]
    for name, expected in BPTT().gradient(record).items():
        np.testing.assert_allclose(gradient[name] * trial.steps, expected, atol=1e-12)
    assert losses[-1] < 0.95 * losses[0]


def test_the_floor_has_the_products_of_an_update():
    floor = Floor(hidden=7, n_in=4, n_out=3, lanes=2, steps=5, dtype="float32")
    drive, activity, readout = floor.forward()
    np.testing.assert_allclose(drive, floor.w_in @ floor.inputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(activity, floor.w_rec @ floor.trace, rtol=1e-4, atol=1e-5)
    assert (drive.shape, activity.shape, readout.shape) == ((7, 10), (7, 4), (3, 20))
    assert [product.shape for product in floor.update()] == [(7, 4), (7, 7), (3, 7)]
    assert {product.dtype for product in floor.update()} == {np.dtype("float32")}


def test_both_ways_of_the_recurrent_product_of_the_floor_make_the_same():
    floor = Floor(hidden=7, n_in=4, n_out=3, lanes=2, steps=1, dtype="float64")
    for way in (floor._by_matrix, floor._by_vector):
        floor.activity[:] = 0
        way()
        np.testing.assert_allclose(floor.activity, floor.w_rec @ floor.trace, rtol=1e-12)


@pytest.mark.slow
def test_the_rows_of_an_update(jax):
    rows = part_update.one_size(8, 2, "float32", seconds=0.01, steps=30)
    others = ["bare BLAS products", *part_update.PEERS]
    assert [row.what for row in rows[::2]] == others
    assert [row.what for row in rows[1::2]] == [f"{other}, ours with sign noise" for other in others]
    assert {row.size for row in rows} == {"8 units, 2 lanes, float32, 30 steps"}
    assert all(row.ratio.low <= row.ratio.median <= row.ratio.high and row.note == "" for row in rows)


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(part_update, "JaxUpdate", _missing)
    rows = part_update.one_size(8, 2, "float32", seconds=0.01, steps=30)
    missing = [row for row in rows if row.note]
    assert {row.what for row in missing} == set(part_update.PEERS)
    assert "pip install 'neuroanp[compare]'" in missing[0].cells()[5]
    assert rows[-2].what == "bare BLAS products" and rows[-2].ratio is not None
    monkeypatch.setattr(spiking_peers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(spiking_peers.Absent, match="not installed: pip install torch"):
        spiking_peers.forward("norse", 3, np.zeros((2, 1, 1), np.float32))


def _missing(*args):
    from neuroanp.errors import MissingExtra

    raise MissingExtra("jax", "compare")


def test_memory_that_grows_is_seen():
    kept = []
    tracemalloc.start()
    still = part_memory.peaks(lambda: np.ones(2**17), (1_000, 10_000))["peak of what is allocated"]
    grown = part_memory.peaks(lambda: kept.append(np.ones(2**13)), (1_000, 10_000))[
        "peak of what is allocated"
    ]
    tracemalloc.stop()
    assert still[1] < 1.1 * still[0]
    assert grown[1] - grown[0] > 4


def test_rounds_take_turns():
    """A first call of each and one that says how many make a sample; then rounds in turning order."""
    order = []

    def call(name):
        order.append(name)
        time.sleep(1.5 * BLOCK)

    samples = interleaved({name: functools.partial(call, name) for name in "ab"}, 0.0, least=3)
    assert {name: len(values) for name, values in samples.items()} == {"a": 3, "b": 3}
    assert "".join(order) == "aabb" + "ab" + "ba" + "ab"
    assert all((values >= 1e3 * BLOCK).all() for values in samples.values())
    assert spread([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)
    assert slope([1, 10, 100], [np.full(2, 2.0 * n**1.5) for n in (1, 10, 100)]).median == pytest.approx(1.5)


def test_a_row_says_whether_a_promise_holds():
    assert ROW.cells()[-1] == "<= 0.6, holds"
    assert Row.restored(json.loads(json.dumps(ROW.plain()))) == ROW
    made = compared({"a": np.array([1.0, 3.0, 2.0]), "b": np.array([1.0, 1.0, 4.0])}, "a", "b", part="p",
                    what="b", size="s", limit=0.6)  # fmt: skip
    assert made.ratio == (1.0, 0.5, 3.0) and made.cells()[-1] == "<= 0.6, missed"
    absolute = Row(part="p", what="b", size="s", ours=21.0, unit="us", limit=20.0, note="why")
    assert absolute.cells()[3:] == ("21 us", "", "why", "<= 20 us, missed")


COURSES = {
    races.PLAIN: Course(2.0, np.array([5, 10]), np.array([1.5, 2.0]), 1.0, np.array([0.9, 0.4])),
    races.REFERENCE: Course(2.0, np.array([5, 10]), np.array([1.5, 2.0]), 1.0, np.array([0.5, 0.05])),
    races.RESPONSE: Course(0.5, np.array([5, 10]), np.array([0.4, 0.8]), 0.0, np.array([0.6, 0.3])),
    races.NODE: Course(0.5, np.array([5, 10]), np.array([0.4, 0.8]), 0.0, np.array([0.8, 0.7])),
}
COURSES[races.DECORRELATED] = COURSES[races.PLAIN]


def test_a_race_is_timed_to_the_loss_of_decorrelated_bptt_by_two_clocks(monkeypatch):
    names = {recipe: name for name, recipe in races.RACES["copying, medium"]().entries.items()}
    monkeypatch.setattr(
        part_race, "_alone", lambda race, recipe, seed: COURSES[names.get(recipe, races.NODE)]
    )
    rows = [row for row in part_race.one_race("copying, medium", (100, 101)) if "to 10 x 0.05" in row.size]
    alone, whole = (row for row in rows if row.what.startswith(races.RESPONSE))
    assert (alone.ours, alone.other, alone.limit) == (0.8, 1.0, 0.7) and not alone.holds
    assert (whole.ours, whole.other) == (1.3, 4.0) and whole.holds
    unmet = next(row for row in rows if row.what.startswith(races.NODE))
    assert unmet.ratio is None and unmet.limit is None and "with 0 of 2 seeds, BPTT with 2" in unmet.note


def test_parts_on_all_cores_are_not_kept_to_one():
    assert "XLA_FLAGS" in environment("update") and "XLA_FLAGS" not in environment("cores")
    assert environment("update")["JAX_PLATFORMS"] == "cpu"


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_rows(part):
    assert (
        importlib.import_module(f"neuroanp.bench.parts.{part.replace('-', '_')}").rows.__annotations__[
            "quick"
        ]
        == "bool"
    )


def test_the_table_and_its_json():
    report = Report(machine=run.machine(), rows=(ROW,))
    heading, versions, _, *table = str(report).splitlines()
    assert "cores" in heading and "brian2" in versions and len(table) == 3
    assert json.loads(report.json())["rows"][0]["ratio"]["median"] == 0.5


def test_a_part_that_fails_says_why(monkeypatch):
    lines = []
    report = run.measure(True, ("none",), lines.append)
    assert lines == ["none ..."]
    assert "failed: ModuleNotFoundError: No module named 'neuroanp.bench.parts.none'" in str(report)


def test_the_command(capsys):
    assert main(["bench", "--help"]) == 0
    assert "usage: neuroanp bench" in capsys.readouterr().out
    assert main(["bench", "--part", "speed"]) == 2
    assert "--part: expected one of update, cores" in capsys.readouterr().err

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from matplotlib import pyplot

from neuroanp import storage as checkpoint
from neuroanp.errors import DataError, InvalidValue, SaveFailed
from neuroanp.training.result import RESULT_KEYS
from neuroanp.training.run import Run
from support.toys import make_run

FILES = {"config.json", "result.json", "history.csv", "weights.npz", "example.npz", "figure.png"}


def test_a_good_run_says_how_good_against_what():
    assert str(make_run(0.002)) == (
        "toy-echo: fraction of symbols right 0.95, test loss 0.002 on unseen trials, 20 times lower than "
        "the best trivial predictor (memoryless, 0.04); 20 updates in 1.2 s."
    )


def test_a_score_that_repeats_the_comparison_is_left_out():
    run = make_run(0.002)
    run.result["score"] = 0.002 / 0.04
    assert str(run).startswith("toy-echo: test loss 0.002 on unseen trials, 20 times lower")


def test_a_slightly_better_run_is_not_praised():
    assert "10 % below the best trivial predictor (memoryless, 0.04)" in str(make_run(0.036))


@pytest.mark.parametrize("loss", [0.04, 0.05, 3.0])
def test_a_run_that_doesnt_beat_them_did_not_learn(loss):
    said = str(make_run(loss))
    assert "did not learn" in said
    assert "no better than the best trivial predictor (memoryless, 0.04)" in said
    assert ("though better than zero (0.1)" in said) == (loss < 0.1)


@pytest.mark.parametrize("loss", [None, float("nan")])
def test_an_unfinished_run_says_so(loss):
    said = str(make_run(loss, updates=7, asked=500))
    assert said == (
        "toy-echo: not tested on unseen trials, last training loss 0.003; "
        "stopped after 7 of 500 updates, 1.2 s."
    )


def test_a_run_folder_comes_back_as_it_was(tmp_path):
    run = dataclasses.replace(make_run(), higher_is_better=False)
    run.save(tmp_path / "a" / "b")
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == FILES
    back = Run.load(tmp_path / "a" / "b")
    assert (back.config, back.result, back.higher_is_better) == (run.config, run.result, False)
    for have, want in ((back.history, run.history), (back.weights, run.weights), (back.example, run.example)):
        assert set(have) == set(want)
        for name in want:
            np.testing.assert_array_equal(have[name], want[name])


def test_result_json_has_null_for_what_is_not_finite(tmp_path):
    make_run(float("inf")).save(tmp_path / "run")
    text = (tmp_path / "run" / "result.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["test_loss"] is None
    assert set(json.loads(text)) == set(RESULT_KEYS)


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "write_history", _no_space)
    with pytest.raises(SaveFailed, match="No space left"):
        make_run().save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_stopped_while_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "write_history", _stop)
    with pytest.raises(KeyboardInterrupt):
        make_run().save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_appears_only_when_it_is_whole(tmp_path, monkeypatch):
    seen = []
    real = checkpoint.write_history
    monkeypatch.setattr(
        checkpoint, "write_history", lambda *a: (seen.append((tmp_path / "run").exists()), real(*a))
    )
    make_run().save(tmp_path / "run")
    assert seen == [False]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidValue, match="a path that is new or an empty folder"):
        make_run().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_used(tmp_path):
    make_run().save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run folder, to be copied."""
    return make_run().save(tmp_path_factory.mktemp("stored") / "run")


@pytest.mark.parametrize("name", ["config.json", "result.json", "history.csv", "weights.npz"])
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_damaged_run_folder_is_named(stored, tmp_path, name, damage):
    shutil.copytree(stored, tmp_path / "run")
    path = tmp_path / "run" / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b'update,loss\n1,x"')
    with pytest.raises(DataError, match=name):
        Run.load(tmp_path / "run")


def test_a_result_with_other_keys_is_refused():
    run = make_run()
    with pytest.raises(InvalidValue, match=r"Run\.result"):
        dataclasses.replace(run, result=run.result | {"extra": 1})
    with pytest.raises(InvalidValue, match=r"Run\.history"):
        dataclasses.replace(run, history={"update": np.arange(3), "loss": np.ones(2)})


@pytest.mark.parametrize(
    ("score", "beats", "higher", "words"),
    [
        (0.98, True, True, r"^toy-echo: .* 0\.98, .*, better than the best .* \(linear, 0\.7\);"),
        (0.6, False, True, r"^toy-echo: did not learn more .*, no better than the best .* \(linear, 0\.7\);"),
        (0.3, True, False, r", better than the best trivial predictor \(chance, 0\.5\);"),
    ],
)
def test_scores_are_compared_where_the_task_asks_for_it(score, beats, higher, words):
    """The loss is worse than a trivial one in all of them."""
    run = make_run(0.2)
    told = {"score": score, "trivial_scores": {"chance": 0.5, "linear": 0.7}, "beats_trivial": beats}
    run = dataclasses.replace(run, result=run.result | told, higher_is_better=higher)
    assert re.search(words, str(run))


def test_the_figure_shows_itself_and_leaves_pyplot_alone(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    before = pyplot.get_fignums()
    assert make_run().plot()._repr_png_().startswith(b"\x89PNG")
    assert pyplot.get_fignums() == before


def test_the_curve_shows_every_trivial_level():
    axes = make_run().plot().axes[0]
    assert axes.get_yscale() == "log"
    words = " ".join(text.get_text() for text in axes.texts)
    assert "zero" in words and "memoryless" in words
    heights = {line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1}
    assert {0.1, 0.04} <= heights


def test_a_level_far_below_does_not_stretch_the_axis():
    run = make_run()
    run.result["trivial"]["oracle"] = 1e-31
    axes = run.plot().axes[0]
    assert axes.get_ylim()[0] > 1e-6
    assert any("oracle" in text.get_text() for text in axes.texts)


@pytest.mark.parametrize(("n_out", "images"), [(1, 0), (2, 0), (8, 2)])
def test_few_outputs_are_lines_and_many_are_maps(n_out, images):
    figure = make_run(n_out=n_out).plot()
    assert sum(len(axes.images) for axes in figure.axes) == images


def test_spikes_are_a_raster_on_the_time_axis_of_the_answer(tmp_path):
    run = make_run()
    spikes = np.zeros((30, 4), bool)
    spikes[[3, 7, 7], [0, 1, 3]] = True
    run = dataclasses.replace(run, example=run.example | {"spikes": spikes, "dt": np.array(0.002)})
    run.save(tmp_path / "run")
    answer, raster = Run.load(tmp_path / "run").plot().axes[1:]
    np.testing.assert_array_equal(raster.collections[0].get_offsets(), [[3, 0], [7, 1], [7, 3]])
    assert raster.get_xlim() == answer.get_xlim()
    assert (raster.get_ylabel(), raster.get_xlabel()) == ("cell", "step of one unseen trial, 2 ms each")


def test_a_plant_is_drawn_by_what_the_network_sees_of_it_and_by_its_score():
    run = make_run()
    example = {name: run.example[name] for name in ("inputs", "outputs", "mask")}
    scores = np.array([3.0, 40.0, 500.0])
    run = dataclasses.replace(
        run,
        example=example | {"observations": np.array(["seen_x", "seen_theta"])},
        history=run.history | {"test_score": scores},
    )
    curve, course = run.plot().axes
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), scores)
    assert [line.get_label() for line in course.lines] == ["x", "theta"]
    np.testing.assert_array_equal(course.lines[1].get_ydata(), run.example["inputs"][:, 1])


def test_the_rate_of_spiking_cells_is_told():
    run = make_run()
    run = dataclasses.replace(run, result=run.result | {"rate": 12.34})
    assert "cells fire at 12.3 Hz; 20 updates" in repr(run)
    stray = {"silent": 0.5, "saturated": 0.04}
    run = dataclasses.replace(run, result=run.result | stray)
    assert "cells fire at 12.3 Hz, 50 % never; 20 updates" in repr(run)
    run = dataclasses.replace(run, result=run.result | {"silent": 0.05, "saturated": 0.06})
    assert "12.3 Hz, 6 % at more than half of their highest rate; 20 updates" in repr(run)


def test_a_run_of_an_earlier_version_has_no_part_of_silent_cells(tmp_path):
    path = make_run().save(tmp_path / "run") / "result.json"
    result = json.loads(path.read_text())
    del result["silent"], result["saturated"]
    path.write_text(json.dumps(result))
    assert Run.load(tmp_path / "run").result["silent"] is None


@pytest.mark.parametrize(("value", "n_out"), [(1e300, 8), (float("inf"), 1), (float("nan"), 8)])
def test_a_run_that_blew_up_is_drawn(tmp_path, value, n_out):
    run = make_run(value, n_out=n_out)
    run.history["loss"][5:] = 10.0 ** np.linspace(1, 308, 15)
    run.example["outputs"][:] = -value
    run.save(tmp_path / "run")
    assert run.plot().axes[0].get_ylim()[1] < 1e5


def test_a_run_with_nothing_finite_is_drawn(tmp_path):
    run = make_run(None)
    run = dataclasses.replace(run, example=None, history={"update": np.arange(2), "loss": np.full(2, np.inf)})
    run.save(tmp_path / "run")
    assert np.isinf(Run.load(tmp_path / "run").history["loss"]).all()


def _no_space(*_):
    raise OSError(28, "No space left on device")


def _stop(*_):
    raise KeyboardInterrupt

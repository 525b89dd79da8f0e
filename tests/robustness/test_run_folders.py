"""Run folders: nothing is lost, whatever ends a training, and nothing damaged is taken for good."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import neuroanp as nap
from neuroanp import storage
from neuroanp.cli.main import main
from neuroanp.errors import DataError, Diverged, InvalidValue
from neuroanp.optim import Adam
from neuroanp.training import checkpoint
from neuroanp.training.run_folder import RunFolder
from support.copying import training
from support.processes import environment

SMALL = [
    "--model.hidden=9",
    "--lanes=4",
    "--task.length=2",
    "--task.delay=1",
    "--task.alphabet=4",
    "--task.evaluation_trials=8",
    "--engine=runtime",
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folder of a training after 3 of 5 updates."""
    folder = tmp_path_factory.mktemp("begun") / "run"
    trainer = training(updates=5, engine="runtime")
    for step in trainer:
        if step.update == 3:
            break
    RunFolder(folder, trainer)
    return folder


@pytest.fixture
def folder(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "run")


def rewritten(folder, change, digest=True):
    """The checkpoint with its arrays changed, and a digest that agrees."""
    arrays = dict(storage.read_arrays(folder / "checkpoint.npz"))
    change(arrays)
    if digest:
        arrays.pop("digest")
        arrays["digest"] = np.array(checkpoint._digest(arrays))
    storage.write_arrays(folder / "checkpoint.npz", arrays)


def put(name, value):
    return lambda arrays: arrays.__setitem__(name, np.asarray(value))


WRONG = [
    (put("weights/W_rec", np.zeros((3, 3))), "expected weights/W_rec as float64 of shape (20, 20)"),
    (put("weights/W_rec", np.full((20, 20), np.nan)), "weights/W_rec: expected numbers, got nan"),
    (put("weights/W_rec", np.zeros((20, 20), "f4")), "expected weights/W_rec as float64"),
    (put("weights/W_new", np.zeros(2)), "weights/W_new is unknown"),
    (lambda arrays: arrays.pop("optimizer/1/m.W_in"), "optimizer/1/m.W_in is missing"),
    (put("format", 2), "written by a newer NeuroANP (format 2)"),
    (put("format", "x"), "expected a format number"),
    (put("update", 77), "expected a history of 77 updates of 5"),
    (put("history/loss", [1.0]), "expected a history of 3 updates of 5"),
    (put("config", "{"), "config: expected JSON"),
    (put("config", "3"), "config: expected a JSON object, got int"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_an_altered_checkpoint_is_refused(folder, change, message, capsys):
    rewritten(folder, change)
    assert main(["resume", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and message in said


def test_a_value_changed_by_hand_is_noticed(folder):
    rewritten(folder, lambda arrays: arrays["weights/W_in"].__setitem__((0, 0), 1.0), digest=False)
    with pytest.raises(DataError, match="altered since it was written"):
        nap.resume(folder)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_checkpoint_that_is_cut_short_is_refused(folder, part):
    content = (folder / "checkpoint.npz").read_bytes()
    (folder / "checkpoint.npz").write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=r"checkpoint\.npz: expected arrays"):
        nap.resume(folder)


def test_changed_settings_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    config["recipe"]["updates"] = 500
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=r"config\.json: expected the settings that the checkpoint was made"):
        nap.resume(folder)


def test_a_finished_run_does_not_go_on(folder):
    nap.resume(folder, progress=False)
    with pytest.raises(DataError, match=r"this run is finished; .* go on from its weights"):
        nap.resume(folder)


def test_the_last_good_checkpoint_stays_where_the_new_one_fails(folder, monkeypatch):
    trainer = checkpoint.load(folder)
    before = (folder / "checkpoint.npz").read_bytes()
    place = RunFolder(folder, trainer, nap.Checkpoints(seconds=0.0))

    def full(path, arrays, compressed):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_arrays", full)
    with pytest.warns(UserWarning, match=r"no checkpoint could be written.*No space left"):
        place.visit()
        place.visit()
    assert (folder / "checkpoint.npz").read_bytes() == before
    assert {file.name for file in folder.iterdir()} == {"config.json", "checkpoint.npz"}


def test_a_full_disk_at_the_end_moves_the_run(tmp_path, monkeypatch, capsys):
    out, elsewhere = tmp_path / "full", tmp_path / "other"
    elsewhere.mkdir()
    filled = storage.filled_folder

    def full(folder, last):
        raise storage.SaveFailed(f"{folder}: No space left on device")

    monkeypatch.setattr(storage, "filled_folder", full)
    monkeypatch.setattr(storage.tempfile, "gettempdir", lambda: str(elsewhere))
    assert (
        main(["train", "copying-memory", *SMALL, "--updates", "2", "--tests", "0", "--out", str(out)]) == 74
    )
    (place,) = elsewhere.iterdir()
    assert f"there was no room in {out}: the run is in {place}" in capsys.readouterr().err
    assert nap.load(place).result["updates"] == 2
    monkeypatch.setattr(storage, "filled_folder", filled)
    assert main(["resume", str(out), "--quiet"]) == 0
    np.testing.assert_array_equal(nap.load(out).weights["W_rec"], nap.load(place).weights["W_rec"])


def test_a_diverged_run_is_kept_and_does_not_go_on(tmp_path):
    trainer = training(updates=50, engine="runtime", optimizer=Adam(lr=1e200))
    with pytest.raises(Diverged):
        RunFolder(tmp_path / "run", trainer).run(progress=False)
    assert np.isfinite(nap.load(tmp_path / "run").weights["W_rec"]).all()
    with pytest.raises(DataError, match="finished"):
        nap.resume(tmp_path / "run")


def test_a_folder_with_something_in_it_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidValue, match="a path that is new or an empty folder"):
        nap.train(task=nap.tasks.CopyingMemory(), out=tmp_path, progress=False)


@pytest.mark.parametrize("changes", [{}, {"seed": 7}], ids=["from its start", "of another seed"])
def test_an_unfinished_training_is_not_written_over(folder, changes):
    before = (folder / "checkpoint.npz").read_bytes()
    with pytest.raises(InvalidValue, match=r"run folder: expected a new one, .* neuroanp\.resume goes on"):
        training(updates=5, engine="runtime", **changes).save(folder)
    assert (folder / "checkpoint.npz").read_bytes() == before


def test_the_shell_says_how_an_unfinished_training_goes_on(folder, capsys):
    assert main(["train", "copying-memory", "--out", str(folder)]) == 2
    assert f"isn't finished; to go on: neuroanp resume {folder}" in capsys.readouterr().err


def test_a_trainer_is_saved_again_and_again(tmp_path):
    trainer = training(updates=4, engine="runtime")
    for step in trainer:
        trainer.save(tmp_path / "run")
        assert checkpoint.load(tmp_path / "run").state.update == step.update


def started(folder, *words):
    command = [sys.executable, "-m", "neuroanp", "train", "copying-memory", *SMALL, "--tests", "0"]
    return subprocess.Popen(
        [*command, "--out", str(folder), *words], env=environment(), stderr=subprocess.PIPE, text=True
    )


def wait_for(folder, process, limit=60.0):
    end = time.monotonic() + limit
    while not (folder / "checkpoint.npz").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(s, marks=pytest.mark.slow) for s in (signal.SIGHUP, signal.SIGINT))],
)
def test_a_signal_ends_it_after_the_update_and_says_where(number, tmp_path):
    process = started(tmp_path / "run", "--updates", "100000")
    wait_for(tmp_path / "run", process)
    time.sleep(0.3)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert f"to go on: neuroanp resume {tmp_path / 'run'}" in said
    run = nap.load(tmp_path / "run")
    assert 0 < run.result["updates"] < 100000
    with np.load(tmp_path / "run" / "checkpoint.npz") as stored:
        assert stored["update"] == run.result["updates"]
        np.testing.assert_array_equal(stored["weights/W_rec"], run.weights["W_rec"])


@pytest.mark.slow
def test_fifty_kills(tmp_path):
    """At random moments of runs that write a checkpoint at every update; about 4 minutes."""
    whole = tmp_path / "whole"
    updates = ["--updates", "60"]
    assert started(whole, *updates).wait() == 0
    expected = nap.load(whole).weights
    rng = np.random.default_rng(1)
    kills = 0
    while kills < 50:
        folder = tmp_path / f"run{kills}"
        process = started(folder, *updates, "--checkpoint", "0")
        wait_for(folder, process)
        time.sleep(rng.uniform(0, 0.25))
        process.kill()
        process.communicate()
        kills += 1
        if (folder / "checkpoint.npz").exists():
            nap.resume(folder, progress=False)
        weights = nap.load(folder).weights
        for name, w in expected.items():
            np.testing.assert_array_equal(weights[name], w)


def test_loading_a_file_imports_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for config in ({"task": {"class": "trap:Task"}}, {"task": None, "recipe": {"class": "trap:Recipe"}}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert main(["train", "--config", "config.json"]) == 2
        assert "import its module first" in capsys.readouterr().err


def test_a_named_module_is_imported(tmp_path, monkeypatch, capsys):
    text = "import neuroanp as nap\nclass Shorter(nap.tasks.CopyingMemory):\n    name = 'shorter'\n"
    (tmp_path / "of_a_user.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    config = {"task": {"class": "of_a_user:Shorter"}, "recipe": {"class": "neuroanp:Recipe", "updates": 2}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = ["train", "--config", "config.json", "--out", "run", *SMALL, "--tests=0", "--quiet"]
    assert main([*words, "--import", "of_a_user"]) == 0
    assert re.search("of_a_user:Shorter", (tmp_path / "run" / "config.json").read_text())
    assert main(["train", "--import", "not_there", "copying-memory"]) == 2
    assert "--import not_there: ModuleNotFoundError" in capsys.readouterr().err

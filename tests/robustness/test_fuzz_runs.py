"""Damaged and altered run folders and checkpoints: refused by one clear line, or as they were."""

import functools
import json
import shutil

import numpy as np
import pytest
from hypothesis import strategies as st

import neuroanp as nap
from neuroanp import storage
from neuroanp.errors import DataError, Diverged, InvalidValue
from neuroanp.training import checkpoint
from neuroanp.training.checkpoint import _digest as digest
from neuroanp.training.loop import Trainer
from neuroanp.training.run import Run
from neuroanp.training.run_folder import RunFolder
from support.copying import training
from support.mutations import (
    EXAMPLES,
    alterations,
    altered,
    damaged,
    explore,
    nothing_executed,
    same,
    shell,
    texts,
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
FREE = ("modulator/", "rule/", "rule/x", "history/test_score")
"""Arrays of a checkpoint that may be missing, new, or not finite."""
FILES = ("config.json", "result.json", "history.csv", "weights.npz", "example.npz")
LATER = {"silent", "saturated"}
"""What results of earlier versions don't have."""
PLAUSIBLE = ("single", "negative", "huge", "bool", "turned")
"""What can't be told from arrays of a run."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of a finished run and of one that can go on."""
    place = tmp_path_factory.mktemp("runs")
    settings = {"updates": 3, "tests": 1, "engine": "runtime", "decorrelation": nap.Decorrelation(rate=0.1)}
    trainer = training(**settings)
    trainer.run(progress=False).save(place / "done")
    trainer = training(**settings)
    next(iter(trainer))
    RunFolder(place / "begun", trainer)
    return place


@pytest.fixture
def run(folders, tmp_path, monkeypatch):
    """Copies of both; networks that nothing is compiled for, and one for all checkpoints."""
    monkeypatch.setattr(Run, "network", functools.partialmethod(Run.network, engine="runtime"))
    shutil.copytree(folders, tmp_path / "runs")
    trainer = checkpoint.load(tmp_path / "runs" / "begun")
    start = trainer.get_state()

    def again(engine, **others):
        trainer.set_state(start)
        return trainer if engine == "runtime" else Trainer(engine=engine, **others)

    monkeypatch.setattr(checkpoint, "Trainer", again)
    return tmp_path / "runs"


def used(folder):
    """Exit codes of the commands that take a run."""
    uses = (
        ["test", folder],
        ["plot", folder, "--dpi=9"],
        ["train", "--start", folder, "--quiet", "--out=new"],
    )
    with nothing_executed():
        return [shell(*map(str, words))[0] for words in uses]


@EXAMPLES
def test_a_damaged_run_folder_is_refused_or_as_it_was(examples, trained, run):
    folder = run / "done"
    whole = {name: (folder / name).read_bytes() for name in FILES}
    original = nap.load(folder)

    def prop(name, data):
        content = data.draw(st.none() | damaged(whole[name]), "content")
        (folder / name).unlink()
        (folder / name).mkdir() if content is None else (folder / name).write_bytes(content)
        codes = used(folder)
        if content is None:
            (folder / name).rmdir()
            assert codes == [2, 2, 2]
        elif name.endswith("npz"):
            if codes[1] == 0:
                for part in ("weights", "example"):
                    expected, got = getattr(original, part), getattr(nap.load(folder), part)
                    assert expected.keys() == got.keys()
                    assert all(np.array_equal(expected[key], got[key]) for key in expected)
            else:
                assert codes == [2, 2, 2]
        (folder / name).write_bytes(whole[name])

    explore(examples, prop, name=st.sampled_from(FILES), data=st.data())


@EXAMPLES
def test_results_of_other_kinds_are_refused(examples, trained, run):
    folder = run / "done"
    whole = (folder / "result.json").read_text()

    def prop(content):
        (folder / "result.json").write_bytes(content)
        codes = used(folder)
        if codes != [2, 2, 2]:
            result = json.loads(content)
            assert result.keys() | LATER == json.loads(whole).keys()

    explore(examples, prop, content=texts([json.loads(whole)]))


@EXAMPLES
@pytest.mark.parametrize("file", ["weights.npz", "example.npz"])
def test_arrays_of_other_kinds_are_refused(examples, file, trained, run):
    folder = run / "done"
    original = storage.read_arrays(folder / file)

    def prop(alteration):
        values = altered(original, *alteration)
        storage.write_arrays(folder / file, values)
        refused = used(folder) == [2, 2, 2]
        name, change = alteration
        if values.keys() == original.keys() and same(values[name], original[name]):
            assert not refused
        elif change not in PLAUSIBLE and alteration not in [("outputs", "nan"), ("outputs", "inf")]:
            assert refused

    explore(examples, prop, alteration=alterations(list(original)))


@EXAMPLES
def test_checkpoints_of_other_kinds_are_refused(examples, run):
    """Those with a digest that agrees; what can't be told from a checkpoint goes on, until it diverges."""
    folder = run / "begun"
    original = storage.read_arrays(folder / "checkpoint.npz")
    original.pop("digest")

    def prop(alteration):
        values = altered(original, *alteration)
        storage.write_arrays(folder / "checkpoint.npz", values | {"digest": np.array(digest(values))})
        name, change = alteration
        unchanged = values.keys() == original.keys() and same(values[name], original[name])
        try:
            with nothing_executed():
                checkpoint.load(folder).step()
        except Diverged:
            assert change in (*PLAUSIBLE, "inf")
        except (DataError, InvalidValue):
            assert not unchanged
        else:
            assert unchanged or change in (*PLAUSIBLE, "inf") or name in FREE

    for alteration in (("history/loss", "nan"), ("optimizer/1/m.W_rec", "turned"), ("rule/", "scalar")):
        prop(alteration)
    explore(examples, prop, alteration=alterations(list(original)))


@EXAMPLES
def test_damaged_checkpoints_are_refused_or_as_they_were(examples, run):
    folder = run / "begun"
    whole = (folder / "checkpoint.npz").read_bytes()
    original = storage.read_arrays(folder / "checkpoint.npz")

    def prop(content):
        (folder / "checkpoint.npz").write_bytes(content)
        with nothing_executed():
            try:
                arrays = checkpoint.load(folder).get_state()
            except DataError:
                return
        assert all(same(values, original[name]) for name, values in arrays.items())

    explore(examples, prop, content=damaged(whole))
    (folder / "checkpoint.npz").write_bytes(whole[:-9])
    assert shell("resume", str(folder))[0] == 2

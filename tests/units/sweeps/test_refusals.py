"""What a sweep refuses: settings, files, places and executors; nothing is written and nothing is lost."""

import pytest

import neuroanp as nap
from neuroanp.errors import DataError, InvalidValue, NeuroANPError
from neuroanp.sweeps import work as working
from support.stand_ins import Formula

RANGES = {"rule.sigma": "log:1e-3:0.3", "optimizer": "adam,sgd"}


def test_if_nothing_works_it_is_an_error(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", lambda **settings: 1 / 0)
    with pytest.warns(UserWarning), pytest.raises(NeuroANPError, match="ZeroDivisionError"):
        sweep()


def test_one_process_at_a_time(sweep, tmp_path):
    from neuroanp.sweeps.place import alone

    with alone(tmp_path / "sweep.db"), pytest.raises(InvalidValue, match="no other process is running"):
        sweep()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": ()}, r"sweep.seeds: expected at least one seed"),
        ({"seeds": (1, 1)}, "each seed once"),
        ({"seeds": 5}, "range"),
        ({"seeds": (-1,)}, "sweep.seeds"),
        ({"report_seeds": (1,)}, "sweep.report_seeds: expected seeds that nothing is chosen on, got 1"),
        ({"objective": "loss"}, "sweep.objective: expected one of test_loss"),
        ({"objective": "seconds", "pruner": "median"}, "which a pruner sees"),
        ({"objective": "rate"}, "cells that don't spike"),
        ({"sampler": "cma-es", "points": 3}, "cmaes to be installed"),
        ({"direction": "up"}, "minimize or maximize"),
        ({"sampler": "no-such"}, "sweep.sampler"),
        ({"pruner": "no-such"}, "sweep.pruner"),
        ({"pruner": 3}, "a pruner of Optuna"),
        ({"vary": RANGES}, "sweep.points: expected the number of points"),
        ({"vary": RANGES, "sampler": "grid"}, "ranges have no grid"),
        ({"ahead": 0}, "sweep.ahead"),
        ({"tests": -1}, "sweep.tests"),
        ({"executor": None, "workers": 0}, "sweep.workers"),
        ({"executor": 3}, "sweep.executor"),
        ({"task": None}, "the task of the recipe"),
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_written(sweep, tmp_path, changes, message):
    with pytest.raises(NeuroANPError, match=message):
        sweep(**changes)
    assert not (tmp_path / "sweep.db").exists()


def test_files_that_are_no_sweeps(tmp_path, sweep):
    with pytest.raises(DataError, match="found none"):
        nap.Sweep(tmp_path / "no.db")
    (tmp_path / "other.db").write_text("text")
    for use in (nap.Sweep, lambda path: sweep(out=path)):
        with pytest.raises(DataError, match="expected the file of a sweep"):
            use(tmp_path / "other.db")
    with pytest.raises(InvalidValue, match="a path for a file"):
        sweep(out=tmp_path)
    optuna = pytest.importorskip("optuna")
    optuna.create_study(study_name="own", storage=f"sqlite:///{tmp_path / 'own.db'}")
    with pytest.raises(DataError, match="other studies of Optuna"):
        sweep(out=tmp_path / "own.db")


def test_runs_of_another_sweep_are_not_taken_for_its_own(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    sweep()
    (tmp_path / "sweep.db").unlink()
    with pytest.raises(InvalidValue, match=r"sweep.out: expected another path, .* of an earlier sweep"):
        sweep()
    assert not (tmp_path / "sweep.db").exists()


@pytest.mark.parametrize("name", [".", "t.txt/x.db", "file.db"])
def test_places_that_cannot_be(sweep, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("")
    (tmp_path / "file.db.runs").write_text("")
    with pytest.raises(InvalidValue, match=r"sweep.out"):
        sweep(out=name)


def test_an_executor_that_is_shut_down(sweep):
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(NeuroANPError, match="broken"):
        sweep(executor=executor)

"""Course of a sweep: the same numbers in any order and after any stop, nothing twice, nothing lost."""

import contextlib
import json
import math
import sqlite3

import numpy as np
import pytest

import neuroanp as nap
from neuroanp.errors import Interrupted, InvalidValue, NeuroANPError
from neuroanp.sweeps import work as working
from neuroanp.sweeps.status import status
from neuroanp.sweeps.workers import GivenExecutor
from neuroanp.tasks import Series
from support.copying import COPYING, RECIPE
from support.executors import InTurn, LastFirst
from support.stand_ins import Formula

RANGES = {"rule.sigma": "log:1e-3:0.3", "optimizer": "adam,sgd"}


def early_tpe(seed):
    """Sampler whose points depend on earlier ones from the third on, and not only from the tenth."""
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=2)


COURSES = {
    "grid": {},
    "random": {"vary": RANGES, "points": 5},
    "tpe": {"vary": RANGES, "points": 9, "sampler": early_tpe, "ahead": 3, "seeds": (3,)},
    "qmc": {"vary": RANGES, "points": 5, "sampler": "qmc", "ahead": 2, "seeds": (3,)},
    "median": {"pruner": "median", "tests": 3, "updates": 9, "ahead": 2, "points": 12, "vary": RANGES},
    "halving": {
        "pruner": "successive-halving", "tests": 4, "updates": 8, "ahead": 1, "points": 8, "vary": RANGES,
    },
}  # fmt: skip


def numbers(result):
    """All that a sweep found, but for its times."""
    found = [
        (point.number, point.values, point.state, point.value, seed, outcome.state,
         outcome.result.get("test_loss"), outcome.curve, report)
        for point, outcome, report in result.outcomes
        for seed in [outcome.seed]
    ]  # fmt: skip
    return json.dumps(found)


@pytest.mark.parametrize("course", COURSES)
def test_the_same_numbers_in_any_order_and_after_any_stop(sweep, tmp_path, monkeypatch, course):
    monkeypatch.setattr(working, "Trainer", Formula)
    settings = COURSES[course]
    expected = sweep(**settings, report_seeds=[100], out=tmp_path / "expected.db")
    assert len(expected.outcomes) == expected.total
    states = {point.state for point in expected.points}
    assert states == ({"finished", "pruned"} if "pruner" in settings else {"finished"})

    other = sweep(**settings, report_seeds=[100], out=tmp_path / "other.db", executor=LastFirst())
    assert numbers(other) == numbers(expected)

    jobs = []
    for count in range(1, 30):
        executor = Mortal(after=count)
        jobs += executor.done
        try:
            stopped = sweep(**settings, report_seeds=[100], out=tmp_path / "stopped.db", executor=executor)
        except NeuroANPError as error:
            assert "broken" in str(error)
        else:
            break
    assert numbers(stopped) == numbers(expected)
    assert len(set(jobs)) == len(jobs)


class Mortal(InTurn):
    """Executor that breaks after some jobs, as a pool does whose worker is killed."""

    def __init__(self, after):
        super().__init__()
        self.after, self.done = after, []

    def submit(self, function, job):
        from concurrent.futures import BrokenExecutor, Future

        if len(self.jobs) > self.after:
            raise BrokenExecutor
        if len(self.jobs) == self.after:
            self.jobs.append(job)
            future = Future()
            future.set_exception(BrokenExecutor("killed"))
            return future
        self.done.append((job.number, job.seeds))
        return super().submit(function, job)


def test_a_pair_is_a_training_of_its_own(sweep):
    result = sweep()
    alone = nap.train(
        task=COPYING, model=RECIPE.model, rule=RECIPE.rule.replace(sigma=0.05), lanes=16, updates=4,
        optimizer=RECIPE.optimizer.replace(lr=0.001), decorrelation=None, clip=RECIPE.clip,
        modulator=RECIPE.modulator, bounds=RECIPE.bounds, seed=1, tests=0, progress=False,
    )  # fmt: skip
    point = result.points[2]
    assert point.values == {"rule.sigma": 0.05, "optimizer.lr": 0.001}
    assert point.outcomes[1].result["test_loss"] == alone.result["test_loss"]
    assert result.run(2, seed=1).result == alone.result | {"seconds": result.run(2, 1).result["seconds"]}
    losses = [[outcome.result["test_loss"] for outcome in p.outcomes.values()] for p in result.points]
    means = [sum(pair) / 2 for pair in losses]
    assert [p.value for p in result.points] == pytest.approx(means, rel=1e-15)
    assert result.best.number == means.index(min(means))


def test_a_sweep_goes_on_and_grows_and_refuses_other_settings(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    settings = {"vary": RANGES, "points": 3}
    first = sweep(**settings)
    again = InTurn()
    sweep(**settings, executor=again)
    assert again.jobs == []
    grown = sweep(**settings | {"points": 5, "report_seeds": [7, 9]}, executor=again)
    assert [(job.number, job.seeds) for job in again.jobs[:4]] == [(3, (0,)), (3, (1,)), (4, (0,)), (4, (1,))]
    assert [(job.number, job.seeds) for job in again.jobs[4:]] == [(grown.best.number, (s,)) for s in (7, 9)]
    assert [p.value for p in grown.points[:3]] == [p.value for p in first.points]
    with pytest.raises(InvalidValue, match=r"sweep.points: expected at least the 5 in .*sweep.db, got 2"):
        sweep(**settings | {"points": 2})
    with pytest.raises(
        InvalidValue, match=r"sweep.recipe.updates: expected '4', as in .*, got 5".replace("'", "")
    ):
        sweep(**settings, updates=5)
    with pytest.raises(InvalidValue, match=r"sweep.seeds: expected \[0, 1\]"):
        sweep(**settings, seeds=(0, 2))


def test_a_point_that_diverges_is_the_worst(sweep):
    result = sweep({"optimizer.lr": [1e30, 0.01]}, updates=6)
    diverged, good = result.points
    assert (diverged.value, diverged.state) == (math.inf, "diverged")
    summary = result.summary()["points"]
    assert summary[0]["test_loss"] is None and summary[2]["test_loss"] > 0
    assert result.to_pandas().test_loss.isna().tolist() == [True, True, False, False]
    assert {outcome.state for outcome in diverged.outcomes.values()} == {"diverged"}
    assert "learning rates" in diverged.outcomes[0].message
    assert result.best is good
    assert "diverged" in status(result)


def test_what_fails_is_tried_again(sweep, monkeypatch):
    def failing(**settings):
        if settings["seed"] == 1 and settings["recipe"].rule.sigma == 0.05:
            raise ZeroDivisionError("own rule")
        return Formula(**settings)

    monkeypatch.setattr(working, "Trainer", failing)
    with pytest.warns(UserWarning, match="point 2, seeds 1: ZeroDivisionError: own rule"):
        result = sweep()
    assert len(result.outcomes) == 6 and [p.state for p in result.points].count("open") == 2
    monkeypatch.setattr(working, "Trainer", Formula)
    again = InTurn()
    assert len(sweep(executor=again).outcomes) == 8
    assert [(job.number, job.seeds) for job in again.jobs] == [(2, (1,)), (3, (1,))]


def test_a_stop_keeps_what_is_done(sweep, monkeypatch):
    import os
    import signal

    executor = LastFirst()
    submit, sent = executor.submit, []

    def stopping(function, job):
        if not sent and len(sent) == 0 and job.number == 2:
            sent.append(os.kill(os.getpid(), signal.SIGTERM))
        return submit(function, job)

    monkeypatch.setattr(executor, "submit", stopping)
    with pytest.raises(Interrupted) as stopped:
        sweep(executor=executor)
    assert stopped.value.signal == signal.SIGTERM
    assert 0 < len(stopped.value.run.outcomes) < 8
    assert len(sweep().outcomes) == 8


def test_the_order_of_fields_and_the_data_belong_to_a_sweep(sweep, tmp_path, monkeypatch):
    import pandas as pd

    monkeypatch.setattr(working, "Trainer", Formula)
    turned = {"optimizer.lr": [0.001, 0.01], "rule.sigma": [0.01, 0.05]}
    sweep()
    with pytest.raises(InvalidValue, match=r"sweep.vary: expected the order rule.sigma, optimizer.lr, as in"):
        sweep(turned)
    path = tmp_path / "data.db"
    for seed in (1, 1, 2):
        values = np.random.default_rng(seed).standard_normal(300)
        task = Series(data=pd.DataFrame({"a": values}), ahead=1, window=20, washout=5)
        if seed == 2:
            with pytest.raises(InvalidValue, match=r"sweep.data"):
                sweep(task=task, out=path)
        else:
            sweep(task=task, out=path)


def test_only_the_best_point_of_now_is_reported(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    vary = {"rule.sigma": [0.3, 0.02]}
    first = sweep(vary, points=1, sampler="grid", report_seeds=[100, 101])
    assert first.best.number == 0 and len(first.outcomes) == first.total == 4
    second = sweep(vary, points=2, sampler="grid", report_seeds=[100, 101])
    assert second.best.number == 1 and len(second.outcomes) == second.total == 6
    assert second.to_xarray().report_seed.values.tolist() == [100, 101]


def test_a_job_that_kills_its_worker_costs_nobody_else(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    monkeypatch.setattr(GivenExecutor, "restart", lambda self: None)
    with pytest.warns(UserWarning, match="point 1, seeds 0: its worker died 3 times"):
        result = sweep(executor=Fragile(), seeds=(0,))
    assert [point.state for point in result.points] == ["finished", "open", "finished", "finished"]


class Fragile(LastFirst):
    """Executor whose worker dies of point 1, and with it what else is handed out."""

    def submit(self, function, job):
        return super().submit(self.dying if job.number == 1 else function, job)

    def dying(self, job):
        from concurrent.futures import BrokenExecutor

        waiting = [self._waiting.pop() for _ in range(len(self._waiting))]
        for future, *_ in waiting:
            self._thread.submit(lambda: None)
            future.set_exception(BrokenExecutor("killed"))
        raise BrokenExecutor("killed")


def test_a_damaged_outcome_is_trained_again(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    first = sweep()
    for text in ("", "{", "[]", '{"seed": 1}'):
        (first.runs / "2-1" / "outcome.json").write_text(text)
        with contextlib.closing(sqlite3.connect(first.path)) as file, file:
            file.execute("DELETE FROM trial_user_attributes WHERE key = 'seed 1' AND trial_id = 3")
            file.execute("UPDATE trials SET state = 'RUNNING' WHERE trial_id = 3")
        assert numbers(sweep()) == numbers(first)


def test_a_large_grid_is_not_written_out(sweep, monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)
    many = [0.001 * (place + 1) for place in range(100)]
    vary = {
        name: many for name in ("rule.sigma", "optimizer.lr", "optimizer.readout_lr", "optimizer.input_lr")
    }
    result = sweep(vary, points=2, sampler="grid", seeds=(0,))
    assert [list(point.values.values())[-1] for point in result.points] == [0.001, 0.002]

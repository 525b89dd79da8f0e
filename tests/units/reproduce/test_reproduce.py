"""The report: its numbers are the runs' own, it goes on after an interruption, and says what follows."""

import dataclasses
import json
import re

import numpy as np
import pytest

from neuroanp import storage as checkpoint
from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue
from neuroanp.tasks import CopyingMemory
from neuroanp.training.evaluation import correlation

pytest.importorskip("jax", reason="jax is not installed")
from neuroanp.config.part import options
from neuroanp.reproduce import Plan, experiments, figures, runs, write_report
from neuroanp.reproduce.changes import CHANGES, WHERE
from neuroanp.reproduce.experiments import COPYING, EXPERIMENTS, Experiment
from neuroanp.reproduce.findings import Runs, by_method, interval, records, sentences
from neuroanp.reproduce.methods import METHODS, OF_RATES, OF_SPIKES
from neuroanp.reward import OtherLanes, OtherPass
from neuroanp.training.recipe import Recipe

TINY = Experiment(
    "tiny copying", lambda weather: CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=20),
    updates=5, quick_updates=5, hidden=12, lanes=4, rates=COPYING,
)  # fmt: skip


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", TINY)
    return Plan(quick=True, seeds=(103,), only=("tiny",))


@pytest.mark.slow
@pytest.mark.usefixtures("interpreted")
def test_every_method_runs_and_the_report_tells_their_numbers(tiny, tmp_path):
    jobs = tiny.jobs()
    assert [job.method for job in jobs] == list(OF_RATES)
    for job in jobs:
        runs.make(job, str(tmp_path))
    page = write_report(tiny, tmp_path, "neuroanp reproduce").read_text()
    assert page.count("data:image/png;base64,") == 1 and "http" not in page
    for method in METHODS.values():
        assert method.title in page
    assert "Settings were chosen on seeds 0 to 4" in page and "runs of other seeds, 103, on" in page
    protocol = json.loads((tmp_path / "report.json").read_text())
    assert protocol["settings_chosen_on_seeds"] == [0, 1, 2, 3, 4] and protocol["reported_seeds"] == [103]
    stored = json.loads((tmp_path / "report.json").read_text())["runs"]
    found = by_method(stored)
    assert f"{found['ours'].test_loss.mean():.3g}" in page and "runs are not made yet" not in page
    kept = checkpoint.read_json(tmp_path / jobs[0].folder / "result.json")
    assert stored[0]["test_loss"] == kept["test_loss"] and kept["rule"] == "bptt"
    assert (
        stored[0]["settings"]["recipe"]["rule"]["truncation"] == 1
        and stored[0]["versions"]["numpy"] == np.__version__
    )
    assert [record["seed"] for record in found["danp"].records] == [103]
    tests = found["danp"].records[0]["tests"]
    assert len(tests["correlation"]) == 5 and all(0 <= value <= 1 for value in tests["correlation"])
    assert tests["seconds"][-1] == pytest.approx(found["danp"].records[0]["seconds"], rel=1e-5)


@pytest.mark.usefixtures("interpreted")
def test_changes_of_our_recipe_are_of_one_thing_and_in_the_report(monkeypatch, tmp_path):
    task = CopyingMemory()
    recipe = task.recipe("best")
    for name, change in CHANGES.items():
        changed = change.settings(task, COPYING)
        differing = [part for part in options(Recipe) if getattr(changed, part) != getattr(recipe, part)]
        assert len(differing) == (name != "none")
    monkeypatch.setitem(experiments.EXPERIMENTS, WHERE, TINY)
    plan = Plan(seeds=(107,))
    assert set(plan.changes()) < set(plan.jobs()) and not Plan(quick=True).changes()
    jobs = {job.method: job for job in plan.changes()}
    for name in ("step-loss", "random-feedback"):
        runs.make(jobs[name], str(tmp_path))
    found = by_method(records(tmp_path, plan.changes()))
    page = write_report(plan, tmp_path, "neuroanp reproduce").read_text()
    wrong = [runs_of.title for runs_of in found.values() if runs_of.each("score")[0] < 1]
    assert wrong and f"except with: {', '.join(wrong)}." in page
    part = page.partition("What of our recipe matters")[2].partition("Settings")[0]
    assert part.count("<tr>") == 3
    for runs_of in found.values():
        assert f"<td>{runs_of.title}</td><td>{runs_of.test_loss[0]:.3g}</td>" in part


@pytest.mark.usefixtures("interpreted")
def test_what_is_there_is_not_run_again(tiny, tmp_path, monkeypatch):
    plan = dataclasses.replace(tiny, methods=("readout", "ours"))
    made = []
    first, second = plan.jobs()
    runs.make(first, str(tmp_path))

    class Here:
        def __init__(self, *args, **kwargs): ...

        def submit(self, make, job, out):
            made.append(job)
            done = runs.concurrent.futures.Future()
            done.set_result(make(job, out))
            return done

        def shutdown(self, **how):
            assert how == {"cancel_futures": True}

    monkeypatch.setattr(runs.concurrent.futures, "ProcessPoolExecutor", Here)
    page = write_report(plan, tmp_path, "").read_text()
    assert "1 runs are not made yet" in page
    runs.run_all(plan, tmp_path)
    assert made == [second]
    runs.run_all(plan, tmp_path)
    assert made == [second]
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", dataclasses.replace(TINY, lanes=6))
    with pytest.raises(
        InvalidValue, match=r"^reproduce\.out: expected runs of today's settings, got 2 others: "
    ):
        runs.run_all(plan, tmp_path)


@pytest.mark.slow
def test_processes_of_their_own_leave_the_same_runs(tiny, tmp_path, monkeypatch):
    """Spawned processes know the experiments of the package alone."""
    job = runs.Job("copying-short", "ours", 0, 2, 8)
    monkeypatch.setattr(Plan, "jobs", lambda self: [job])
    runs.run_all(tiny, tmp_path)
    runs.make(job, str(tmp_path / "here"))
    there, here = (
        checkpoint.read_json(folder / job.folder / "result.json") for folder in (tmp_path, tmp_path / "here")
    )
    assert there["test_loss"] == here["test_loss"]
    assert json.loads((tmp_path / job.folder / runs.COST).read_text())["peak_mb"] > 50


def made_with(method, *losses, **changes):
    tests = {"update": [5.0, 10.0], "loss": [1.0, losses[0]], "seconds": [0.5, 1.0]}
    record = {"trivial": {"zero": 0.5}, "diverged": None, "tests": tests, "seconds": 1.0, "updates": 10}
    return Runs(method, [record | {"seed": k, "test_loss": loss} | changes for k, loss in enumerate(losses)])


def test_sentences_follow_from_the_numbers():
    losses = {"anp": (0.4, 0.6), "danp": (0.2, 0.3), "bptt": (0.1, 0.1), "ours": (0.105, 0.11),
              "readout": (0.3, 0.3), "response": (0.2, 0.2), "bptt-decorrelated": (0.05, 0.05)}  # fmt: skip
    found = {method: made_with(method, *values) for method, values in losses.items()}
    said = sentences(found)
    assert "Response perturbation has 2 times BPTT's loss in the same network." in said
    assert (
        "Better than the best trivial predictor (zero, 0.5) at every seed: " + found["danp"].title + "."
        in said
    )
    assert "Decorrelated ANP has 0.5 times the loss of ANP, as published." in said
    assert "Node perturbation, our recipe, has 1.07 times BPTT's loss in the same network." in said
    assert any("does not show that recurrent weights were learned" in line for line in said)
    worse = found | {
        "danp": made_with("danp", 0.2, diverged="at 3"),
        "readout": made_with("readout", 0.6, 0.3),
    }
    said = " ".join(sentences(worse))
    assert "does not show" not in said and "Decorrelated ANP" not in said
    assert found["ours"].reached(0.2) == (10.0, 1.0)
    assert np.isnan(found["ours"].reached(0.01)[0])
    assert found["ours"].per_update == pytest.approx(100)


def test_intervals_cover_the_mean_as_often_as_they_say_and_pair_the_seeds():
    rng = np.random.default_rng(1)
    draws = rng.normal(3.0, 1.0, (200, 30))
    covered = np.mean([low <= 3.0 <= high for low, high in map(interval, draws)])
    assert 0.82 < covered < 0.96
    losses = rng.uniform(1, 9, 8)
    noisy = 2 * losses + rng.normal(0, 0.01, 8)
    low, high = interval(noisy, losses)
    assert 1.98 < low < 2.0 < high < 2.02 and interval(np.full(5, 0.3)) == (0.3, 0.3)
    said = sentences({"ours": made_with("ours", *noisy), "bptt": made_with("bptt", *losses)})
    assert f"2 times (90 % interval {low:.3g} to {high:.3g}) BPTT's loss" in said[0]


def test_plans_hold_what_was_asked_for():
    names = [name for name, _ in Plan().experiments()]
    assert "weather-24" not in names and "copying-100" in names
    assert {"weather-1", "weather-24", "weather-48"} <= {name for name, _ in Plan(weather="x").experiments()}
    quick = Plan(quick=True, seeds=(100,))
    assert {job.hidden for job in quick.sizes()} == {50, 100, 200}
    assert {job.length for job in Plan().lengths()} == {10, 30, 100, 300}
    folders = [job.folder for job in Plan(weather="x").jobs()]
    assert len(set(folders)) == len(set(Plan(weather="x").jobs()))
    assert {name for name, e in EXPERIMENTS.items() if e.needs_weather} == {
        f"weather-{h}" for h in (1, 24, 48)
    }


@pytest.mark.parametrize("seeds", [(), (4,), (100, 99)])
@pytest.mark.parametrize("quick", [True, False])
def test_seeds_that_settings_were_chosen_on_are_not_reported(seeds, quick):
    with pytest.raises(
        InvalidValue, match=r"^Plan\.seeds: expected seeds from 100 on, as settings are chosen"
    ):
        Plan(quick=quick, seeds=seeds)
    for plan in (Plan(), Plan(weather="x"), Plan(quick=True, seeds=(102,))):
        assert min(job.seed for job in plan.jobs()) == min(plan.seeds) >= 100


def test_ours_is_node_perturbation_and_all_recipes_can_work():
    for name, experiment in EXPERIMENTS.items():
        if experiment.needs_weather:
            continue
        for method in experiment.methods:
            settings = runs.settings_of(runs.Job(name, method, 100, 2, 20))
            settings["recipe"].check(settings["task"])
            if method in ("ours", "sign"):
                rule = settings["recipe"].rule
                assert rule.name == "node-perturbation"
                assert rule.distribution == ("sign" if method == "sign" else "gaussian")
        assert {"ours", "sign", "bptt", "readout"} <= set(experiment.methods)
        assert ("e-prop" in experiment.methods) == (name == "delayed-xor")
    assert METHODS.keys() == {*OF_RATES, *OF_SPIKES} == figures.COLOURS.keys()


def test_spiking_peers_see_an_input_in_every_lane():
    plan = Plan(only=("delayed-xor",), seeds=(100,))
    recipes = {job.method: runs.settings_of(job)["recipe"] for job in plan.jobs()}
    assert recipes.keys() == {"ours", "sign", "e-prop", "bptt", "readout"}
    assert recipes["e-prop"].rule.feedback == "learned"
    assert recipes["ours"].modulator.baseline == OtherLanes(copies=4)
    rate = recipes["ours"].optimizer.lr
    for method, lr in (("bptt", 2e-3), ("readout", rate), ("e-prop", rate)):
        assert recipes[method].modulator.baseline == OtherPass()
        assert recipes[method].optimizer == recipes["ours"].optimizer.replace(lr=lr)


def test_correlation_of_traces():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50_000))
    assert correlation(np.stack([a, b], axis=1)) == pytest.approx(0, abs=1e-3)
    assert correlation(np.stack([a, -2 * a], axis=1)) == pytest.approx(1)
    mixed = np.stack([a, a + b], axis=1)
    assert correlation(mixed) == pytest.approx(0.5, abs=0.02)
    assert correlation(mixed, np.array([[1.0, 0.0], [-1.0, 1.0]])) == pytest.approx(0, abs=1e-3)
    assert np.isnan(correlation(np.stack([a, np.ones_like(a)], axis=1)))


@pytest.mark.usefixtures("interpreted")
def test_the_command_makes_the_chosen_runs(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("neuroanp.cli.reproduce.run_all", lambda plan, out, processes: [
        runs.make(job, str(out)) for job in plan.jobs()
    ])  # fmt: skip
    words = [
        "--quick",
        "--only",
        "tiny",
        "--methods",
        "readout",
        "--seeds",
        "100-101",
        "--out",
        str(tmp_path),
    ]
    assert main(["reproduce", *words]) == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out
    stored = checkpoint.read_json(tmp_path / "report.json")
    assert [(record["method"], record["seed"]) for record in stored["runs"]] == [
        ("readout", 100),
        ("readout", 101),
    ]


def test_the_command_refuses_what_it_can_not_do(tmp_path, capsys):
    for words, message in (
        (["--only", "mackey"], "expected one of"),
        (["--weather", str(tmp_path / "none.csv")], "there is no file"),
        (["--seeds", "0"], "--seeds: expected a number of 1 or more, 100-104 or 100,101"),
        (["--seeds", "9-5"], "--seeds: expected a number of 1 or more"),
        (["--seeds", "0-4", "--quick"], "Plan.seeds: expected seeds from 100 on"),
        (["--methods", "best"], "expected one of"),
    ):
        assert main(["reproduce", *words]) == 2
        assert message in capsys.readouterr().err
    assert main(["reproduce", "--help"]) == 0
    assert re.search(r"--quick, --no-quick\s+small sizes", capsys.readouterr().out)

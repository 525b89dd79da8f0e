"""What a sweep found: tables, figures, status, the shell, and the file in Optuna's own hands."""

import json

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.cli.main import main
from neuroanp.errors import DataError, InvalidValue, UnknownName
from neuroanp.models import LIF
from neuroanp.sweeps import work as working
from neuroanp.sweeps.status import status
from support.copying import COPYING, RECIPE
from support.executors import InTurn
from support.stand_ins import Formula

BIG = 2**31 + 5


@pytest.fixture(autouse=True)
def formula(monkeypatch):
    monkeypatch.setattr(working, "Trainer", Formula)


def test_a_grid_as_a_dataset_that_a_file_keeps(sweep, tmp_path):
    result = sweep(seeds=(3, BIG), report_seeds=(7,), tests=2)
    table = result.to_xarray()
    assert dict(table.sizes) == {
        "seed": 2,
        "rule.sigma": 2,
        "optimizer.lr": 2,
        "evaluation": 2,
        "report_seed": 1,
    }
    cell = table.sel({"rule.sigma": 0.05, "optimizer.lr": 0.01, "seed": BIG})
    point = next(p for p in result.points if p.values == {"rule.sigma": 0.05, "optimizer.lr": 0.01})
    assert float(cell.test_loss) == point.outcomes[BIG].result["test_loss"]
    assert cell.test_loss_curve.values.tolist() == point.outcomes[BIG].curve["test_loss"]
    assert table.seconds.attrs == {"units": "s"}
    assert float(table.report_test_loss[0]) == result.report[result.best.number, 7].result["test_loss"]
    assert json.loads(table.attrs["vary"]) == {"rule.sigma": [0.01, 0.05], "optimizer.lr": [0.001, 0.01]}
    table.to_netcdf(tmp_path / "table.nc", engine="h5netcdf")
    import xarray

    with xarray.open_dataset(tmp_path / "table.nc", engine="h5netcdf") as again:
        assert again.seed.values.tolist() == [3, BIG]
        xarray.testing.assert_identical(again.load(), table)


def test_points_as_a_dataset_with_units(tmp_path):
    varied = {"model.tau": "log:5 ms:50 ms", "model.refractory_period": [2 * ms, 3 * ms]}
    result = nap.sweep(
        RECIPE.replace(model=LIF(hidden=5), updates=2), varied, task=COPYING,
        points=3, seeds=(0,), executor=InTurn(), out=tmp_path / "units.db", progress=False,
    )  # fmt: skip
    table = result.to_xarray()
    assert table.test_loss.dims == ("point", "seed")
    assert table["model.tau"].attrs == table["model.refractory_period"].attrs == {"units": "ms"}
    assert set(table["model.refractory_period"].values) <= {2.0, 3.0}
    assert table["model.tau"].values.tolist() == [point.values["model.tau"] for point in result.points]


def test_a_table_of_pairs(sweep):
    result = sweep(report_seeds=(7,))
    table = result.to_pandas()
    assert len(table) == 9 and table.report.tolist() == [False] * 8 + [True]
    assert table.attrs["units"]["seconds"] == "s"
    means = table[~table.report].groupby("point").test_loss.mean()
    assert means.tolist() == pytest.approx([point.value for point in result.points])
    assert means.idxmin() == result.best.number == table.point.iloc[-1]


def test_optuna_reads_the_file(sweep):
    import optuna

    result = sweep({"rule.sigma": "log:1e-3:0.3", "optimizer": "adam,sgd"}, points=6, tests=2)
    study = optuna.load_study(study_name="neuroanp", storage=f"sqlite:///{result.path}")
    assert [trial.value for trial in study.trials] == [point.value for point in result.points]
    assert study.best_trial.number == result.best.number
    assert study.best_params == result.best.values
    assert study.trials[0].user_attrs["seed 1"]["result"]["test_loss"] > 0


def test_words_for_it(sweep):
    result = sweep(report_seeds=(7, 8))
    best = result.statistics(result.best)
    assert f"best test_loss {best['mean']:.4g} (mean of 2 seeds" in repr(result)
    report = result.statistics(result.best, report=True)
    values = [result.report[result.best.number, seed].result["test_loss"] for seed in (7, 8)]
    assert (report["low"], report["high"], report["seeds"]) == (min(values), max(values), 2)
    assert f"nothing was chosen on {report['mean']:.4g}" in repr(result)
    assert status(result).endswith("done")


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("kind", ["map", "slices", "parallel", "curves"])
def test_figures_mark_the_best(sweep, kind, direction):
    result = sweep(tests=2, direction=direction)
    figure = result.plot(kind)
    axes = figure.axes[0]
    values = [point.value for point in result.points]
    best = np.argmin(values) if direction == "minimize" else np.argmax(values)
    assert result.best.number == best
    if kind == "map":
        cells = np.asarray(axes.images[0].get_array())
        assert sorted(cells.ravel()) == sorted(values)
        (star,) = axes.lines
        assert cells[int(star.get_ydata()[0]), int(star.get_xdata()[0])] == values[best]
        assert axes.get_xlabel() == "rule.sigma" and axes.get_ylabel() == "optimizer.lr"
    elif kind == "slices":
        assert axes.lines[-1].get_ydata()[0] == values[best]
        assert [panel.get_xlabel() for panel in figure.axes] == list(result.names)
    elif kind == "parallel":
        assert max(line.get_linewidth() for line in axes.lines) == 2.5
    else:
        assert len(axes.lines) == 4
        label = axes.get_legend().get_texts()[0].get_text()
        assert label == ", ".join(f"{name} {value:g}" for name, value in result.best.values.items())


def test_figures_that_cannot_be(sweep):
    result = sweep()
    with pytest.raises(UnknownName, match="heatmap"):
        result.plot("heatmap")
    with pytest.raises(UnknownName, match=r"rule\.sigmas"):
        result.plot("map", "rule.sigmas", "optimizer.lr")
    with pytest.raises(InvalidValue, match="without tests on the way"):
        result.plot("curves")


@pytest.fixture
def shell(monkeypatch, tmp_path, capsys):
    """Exit code and output of ``neuroanp sweep``, without processes."""
    from neuroanp.sweeps import sweep as module

    monkeypatch.setattr(module, "workers_of", lambda workers, executor: _given())
    monkeypatch.chdir(tmp_path)

    def command(*words):
        code = main(["sweep", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def _given():
    from neuroanp.sweeps.workers import GivenExecutor

    return GivenExecutor(InTurn())


WORDS = (
    "copying-memory", "--vary", "rule.sigma=0.003,0.01", "--vary=optimizer.lr=log:1e-4:1e-2", "--points=3",
    "--updates", "4", "--out", "own.db", "--seeds",
)  # fmt: skip


def test_the_shell_prints_all_on_one_line_and_goes_on(shell):
    code, out, err = shell(*WORDS, "2", "--report-seeds", "7,9", "--json")
    assert code == 0 and "best test_loss" in err
    found = json.loads(out.splitlines()[-1])
    assert [pair["seed"] for pair in found["points"]] == [0, 1] * 3 + [7, 9]
    result = nap.Sweep("own.db")
    assert found["best"]["values"] == result.best.values
    assert found["points"][0]["values"] == result.points[0].values
    assert found["points"][0]["test_loss"] == result.points[0].outcomes[0].result["test_loss"]
    assert {"values", "seed", "score", "test_loss", "seconds"} <= found["points"][0].keys()
    assert shell(*WORDS, "2", "--report-seeds", "7,9", "--json")[1] == out
    assert shell("status", "own.db")[1].endswith("done\n")


def test_the_shell_draws_and_says_where(shell, tmp_path):
    code, out, _ = shell(*WORDS, "3,", "--quiet")
    assert (code, out) == (0, "")
    assert (tmp_path / "own.db.png").stat().st_size > 5000
    assert [list(point.outcomes) for point in nap.Sweep("own.db").points] == [[3]] * 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["copying-memory"], "expected --vary FIELD=VALUES"),
        (["copying-memory", "--vary", "rule.sigma"], "expected FIELD=VALUES"),
        (
            ["copying-memory", "--vary", "delay=1,2", "--vary", "task.delay=3"],
            "each field once, got task.delay",
        ),
        ([*WORDS, "x"], "a number of seeds"),
        ([*WORDS, "0"], "a number of seeds from 1"),
        (["no-such", "--vary", "a=1"], "no-such"),
        (["status"], "the file of a sweep, got none"),
        (["status", "no.db"], "found none"),
        (["copying-memory", "--vary", "rule.sigma=1", "--no-such"], "unknown option --no-such"),
    ],
)
def test_what_the_shell_refuses(shell, tmp_path, words, message):
    code, _, err = shell(*words)
    assert code == 2 and message in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_a_notebook_shows(sweep):
    result = sweep({"rule.sigma": [0.01, 0.05], "optimizer": "adam,sgd"})
    html = result._repr_html_()
    assert f"<b>{result.best.value:.4g}</b>" in html and "rule.sigma" in html and "settings" in html


def test_a_reader_writes_nothing_to_a_file_that_is_only_begun(tmp_path):
    import sqlite3

    path = tmp_path / "begun.db"
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE studies (study_id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(DataError, match="without its settings"):
        nap.Sweep(path)
    assert path.read_bytes() == before

"""The notebooks and scripts run from top to bottom, and show what they promise."""

import os
import runpy

import pytest

from neuroanp.reproduce.experiments import EXPERIMENTS
from neuroanp.reproduce.findings import by_method, ratio, sentences
from neuroanp.reproduce.methods import METHODS
from neuroanp.storage import read_json
from support.notebooks import NOTEBOOKS, executed, outputs, pictures, reduced

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
WITHOUT_PICTURE = ("evidence_speed",)
LARGEST = 1_500_000
"""Bytes of a notebook."""


def read(path):
    return pytest.importorskip("nbformat").read(path, as_version=4)


@pytest.fixture
def shows_figures(monkeypatch):
    """The kernel shows figures, as for a user."""
    monkeypatch.delenv("MPLBACKEND", raising=False)
    pytest.importorskip("nbclient")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_keeps_what_it_printed(path):
    notebook = read(path)
    pytest.importorskip("nbformat").validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for output in outputs(notebook))
    assert str(NOTEBOOKS.parent) not in path.read_text() and path.stat().st_size < LARGEST
    assert pictures(notebook) > 0 or path.stem in WITHOUT_PICTURE


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, shows_figures):
    """Whole, or reduced where the environment says so, as for the newest Python in CI."""
    stored = read(path)
    chosen = reduced(stored)[0] if os.environ.get("NEUROANP_NOTEBOOKS") == "reduced" else stored
    assert pictures(executed(chosen)) == pictures(stored)


def test_a_reduced_run_has_smaller_numbers():
    """Those that a notebook names on the lines of its settings, and nothing else."""
    nbformat = pytest.importorskip("nbformat")
    cells = "updates = 300  # reduced: 20\nseed = 1", "# reduced: all", "times = (1, 2, 3)  # reduced: (1,)"
    whole = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    smaller, settings = reduced(whole)
    assert settings == 2
    assert [cell.source for cell in smaller.cells] == [
        "updates = 20\nseed = 1",
        "# reduced: all",
        "times = (1,)",
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_settings_of_a_reduced_run_are_all_found(path):
    """A line that a typing error would leave whole is found."""
    notebook = read(path)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert code.count("reduced:") == reduced(notebook)[1]


def tables(stem):
    """All text of the tables that a notebook shows."""
    return "".join(
        output.data.get("text/markdown", "")
        for output in outputs(read(NOTEBOOKS / f"{stem}.ipynb"))
        if "data" in output
    )


def stored_runs():
    """Runs of the report that are stored, by experiment and method."""
    runs = read_json(NOTEBOOKS / "evidence" / "paper.json")["runs"]
    plain = [run for run in runs if run["method"] in METHODS and not run["length"]]
    experiments = {run["experiment"] for run in plain}
    return {each: by_method(run for run in plain if run["experiment"] == each) for each in experiments}


def test_evidence_is_what_is_stored():
    """The tables of evidence.ipynb are those that its code makes of paper.json today."""
    shown = tables("evidence")
    found = stored_runs()
    assert found.keys() == EXPERIMENTS.keys()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()]
    names = next(row for row in table if row[:2] == ["method", next(iter(EXPERIMENTS))])
    for name, methods in found.items():
        assert all(text in shown for text in sentences(methods))
        for runs in methods.values():
            row = next(row for row in table if len(row) == len(names) and row[0] == runs.title)
            assert row[names.index(name)].replace(",", " ").split()[0] == f"{runs.test_loss.mean():.2g}"


def test_evidence_of_the_chip_is_what_is_stored():
    """The tables of evidence_chip.ipynb are those of its files today."""
    shown = tables("evidence_chip")
    files = {path.stem: read_json(path) for path in (NOTEBOOKS / "evidence").glob("*.json")}
    means = {}
    for run in files["integers"]["runs"]:
        means.setdefault((run["task"], run["config"]), []).append(run["loss"])
    for run in files["chip_loop"]["runs"]:
        for stage in ("ideal", "before", "after", "cells alone", "readout alone", "from the start"):
            means.setdefault((run["task"], run["bits"], stage), []).append(run[stage])
    for values in means.values():
        assert f"| {sum(values) / len(values):#.3g} " in shown
    for run in files.get("core", {"runs": []})["runs"]:
        assert f"{run['weights that differ']} of {run['weights']}" in shown
        assert f"loss {run['core']['loss']:.3f}" in shown
    for run in files["synthesis"]["synthesised, not placed"]:
        assert f"| {run['LUT']:,} | {run['carry']:,} | {run['FF']:,} |" in shown


def test_the_papers_ratios_are_those_of_the_stored_runs():
    """Those of 7_the_paper.ipynb, of seeds that nothing was chosen on."""
    shown = tables("7_the_paper").replace("(", "(90 % interval ")
    found = stored_runs()
    for experiment in ("mackey-glass", "copying-medium", "copying-10", "weather-24"):
        methods = found[experiment]
        for left, right in (("danp", "anp"), ("danp", "bptt"), ("ours", "bptt"), ("ours", "readout")):
            assert {run["seed"] for run in methods[left].records} == {100, 101, 102, 103, 104}
            assert ratio(methods[left], methods[right]).replace(" times", "") in shown


@pytest.mark.slow
def test_the_script_leaves_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(NOTEBOOKS / "first_steps.py"), run_name="__main__")
    assert "fraction of symbols right 1" in capsys.readouterr().out
    assert (tmp_path / "first_steps.png").stat().st_size > 10_000

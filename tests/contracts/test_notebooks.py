"""The notebooks and scripts run from top to bottom, and show what they promise."""

import copy
import runpy
from pathlib import Path

import pytest

from neuroanp.reproduce.findings import by_method, sentences
from neuroanp.storage import read_json

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def kinds_of(notebook):
    """Kinds of what its cells show: pictures, tables, values."""
    shown = [output.data for output in outputs_of(notebook) if "data" in output]
    return [set(data) for data in shown if "application/vnd.jupyter.widget-view+json" not in data]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_keeps_what_it_printed(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for output in outputs_of(notebook))
    assert str(NOTEBOOKS.parent) not in path.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel then shows figures, as for a user
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    stored = nbformat.read(path, as_version=4)
    notebook = copy.deepcopy(stored)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": NOTEBOOKS}}).execute()
    pictures, kept = (
        sum("image/png" in output.get("data", {}) for output in outputs_of(each))
        for each in (notebook, stored)
    )
    assert pictures == kept > 0 or path.stem == "evidence_speed"


def test_evidence_is_what_is_stored():
    """The tables of evidence.ipynb are those that its code makes of results.json today."""
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOKS / "evidence.ipynb", as_version=4)
    shown = "".join(
        output.data.get("text/markdown", "") for output in outputs_of(notebook) if "data" in output
    )
    runs = read_json(NOTEBOOKS / "evidence" / "results.json")["runs"]
    for experiment in {run["experiment"] for run in runs}:
        methods = by_method(run for run in runs if run["experiment"] == experiment)
        for text in (*sentences(methods), *(f"{runs.test_loss.mean():#.3g}" for runs in methods.values())):
            assert text in shown


@pytest.mark.slow
def test_the_script_leaves_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(NOTEBOOKS / "first_steps.py"), run_name="__main__")
    assert "fraction of symbols right 1" in capsys.readouterr().out
    assert (tmp_path / "first_steps.png").stat().st_size > 10_000

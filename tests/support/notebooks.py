"""Notebooks as tests run them: whole, or with the smaller numbers that they name themselves."""

import copy
import re
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

SETTING = re.compile(r"^(?P<name>\w+) = (?P<whole>.+?)  # reduced: (?P<reduced>.+)$", re.MULTILINE)
"""Line of a cell such as ``updates = 300  # reduced: 20``, whose second number a reduced run takes."""


def reduced(notebook):
    """Copy of a notebook with smaller numbers, and how many there were."""
    smaller, settings = copy.deepcopy(notebook), 0
    for cell in smaller.cells:
        if cell.cell_type == "code":
            cell.source, found = SETTING.subn(r"\g<name> = \g<reduced>", cell.source)
            settings += found
    return smaller, settings


def executed(notebook):
    """Copy of a notebook after all its cells have run, in a kernel of its own."""
    import nbclient

    run = copy.deepcopy(notebook)
    nbclient.NotebookClient(run, timeout=300, resources={"metadata": {"path": NOTEBOOKS}}).execute()
    return run


def outputs(notebook):
    """All outputs of its cells."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def pictures(notebook):
    """Number of figures in its outputs."""
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))

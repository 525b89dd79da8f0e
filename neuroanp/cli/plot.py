"""``neuroanp plot``: the figure of a run."""

from __future__ import annotations

from pathlib import Path

from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue

TEXT = "Draws the loss of a run and an unseen trial into a file: PNG, PDF, SVG, by its name."


class Plot(Part):
    """Options of a figure."""

    out: Path | None = option(None, "file; figure.png in the run folder when left out")
    dpi: int = option(130, "points an inch", least=1, most=1200)


def plot_command(words: list[str]) -> int:
    """Figure that the words after ``neuroanp plot`` ask for; returns the exit code."""
    folder, words = run_folder("plot", words)
    options = read_options("neuroanp plot RUN", Plot(), words, TEXT)
    from neuroanp.training.run import Run  # takes long, and help needs none

    path = options.out or folder / "figure.png"
    figure = Run.load(folder).plot()
    try:
        figure.savefig(path, dpi=options.dpi)
    except (OSError, ValueError) as error:
        raise InvalidValue("--out", "a file that Matplotlib can write", f"{path} ({error})") from None
    print(f"figure: {path}")
    return 0

"""Display of a run in notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuroanp.config.display import Markup, bold, fold, paragraph, part_html, table, value_text
from neuroanp.errors import NeuroANPError
from neuroanp.plotting.sparkline import sparkline

if TYPE_CHECKING:
    from neuroanp.training.run import Run

WORK = {
    "model": "", "rule": "", "engine": "", "seed": "", "updates": "", "trials": "", "seconds": "s",
    "train_loss": "", "rate": "Hz", "silent": "of the cells", "saturated": "of the cells",
}  # fmt: skip
"""Entries of a result beside what the run is judged by, with their units."""


def run_html(run: Run) -> Markup:
    """Sentence, levels beside the trivial predictors, curve of the loss, and the settings, folded."""
    result, history = run.result, run.history
    tested = {"network": result["test_loss"]} | result["trivial"]
    scores = {"network": result["score"]} | result["trivial_scores"]
    heads = ("", "test loss", result["score_name"])
    rows = [(_emphasis(name, name), *_cells(name, tested, scores)) for name in tested | scores]
    levels = {name: level for name, level in result["trivial"].items() if level is not None}
    curve = sparkline(history["update"], history["loss"], levels, "training loss over updates")
    note = paragraph("Training loss over updates, logarithmic, beside the trivial levels.") if curve else ""
    done = {name: _number(result[name]) for name in WORK}
    work = [(name, f"{text} {WORK[name]}".strip()) for name, text in done.items() if text]
    return Markup(
        paragraph(run)
        + table(rows, heads, numbers=(1, 2))
        + curve
        + note
        + fold("work", table(work))
        + _settings(run)
    )


def _cells(name: str, *columns: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(_emphasis(name, _number(column.get(name))) for column in columns)


def _emphasis(name: str, text: str) -> str:
    return bold(text) if name == "network" and text else text


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else ""
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _settings(run: Run) -> Markup:
    """Task and recipe, or where a folder can't hold them their names."""
    folds = ""
    for name in ("task", "recipe"):
        try:
            folds += fold(name, part_html(getattr(run, name)))
        except NeuroANPError as error:
            folds += fold(name, paragraph(value_text(str(error))))
    return Markup(folds)

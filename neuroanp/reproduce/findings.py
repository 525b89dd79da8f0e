"""Numbers of a report: each method's runs over the seeds, and what they say together."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from neuroanp import storage as checkpoint
from neuroanp.reproduce.changes import EVERY
from neuroanp.reproduce.methods import METHODS
from neuroanp.reproduce.runs import COST, Job
from neuroanp.types import Array

WITHIN = 1.1
"""A loss of up to this many times another one's counts as reaching it."""

OURS = {"ours": "Our recipe", "response": "Our recipe with response perturbation"}
"""Methods that are compared with BPTT, and what a sentence calls them."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The runs of one method on one experiment, an element a seed."""

    method: str
    test_loss: Array
    train_loss: Array
    score: Array
    seconds: Array
    updates: Array
    peak_mb: Array
    diverged: int
    trivial: dict[str, float]
    score_name: str
    histories: list[dict[str, Array]]

    @property
    def title(self) -> str:
        """What the method is called."""
        return EVERY[self.method].title

    @property
    def correlation(self) -> Array:
        """Mean squared correlation of two hidden traces at the last test."""
        last = [history["test_correlation"][-1:] for history in self.histories]
        return np.array([values[0] if len(values) else np.nan for values in last])

    @property
    def per_update(self) -> float:
        """Milliseconds."""
        return float(1000 * np.median(self.seconds / np.maximum(1, self.updates)))

    def reached(self, loss: float) -> tuple[float, float]:
        """Median updates and seconds until a test at or below a loss; NaN where not all seeds did."""
        found = []
        for history in self.histories:
            below = np.flatnonzero(history["test_loss"] <= loss)
            if not len(below):
                return float("nan"), float("nan")
            update = float(history["test_update"][below[0]])
            found.append((update, float(history["seconds"][int(update) - 1])))
        update, seconds = np.median(np.array(found), axis=0)
        return float(update), float(seconds)


def collect(out: Path, jobs: list[Job]) -> dict[str, Found]:
    """What is on disk of some runs, by method."""
    by_method: dict[str, list[Path]] = {}
    for job in jobs:
        if (out / job.folder / COST).exists():
            by_method.setdefault(job.method, []).append(out / job.folder)
    return {method: _found(method, folders) for method, folders in by_method.items()}


def _found(method: str, folders: list[Path]) -> Found:
    results = [checkpoint.read_json(folder / "result.json") for folder in folders]
    costs = [json.loads((folder / COST).read_text()) for folder in folders]

    def each(name: str) -> Array:
        return np.array([np.nan if r[name] is None else r[name] for r in results], float)

    return Found(
        method, each("test_loss"), each("train_loss"), each("score"), each("seconds"), each("updates"),
        np.array([cost["peak_mb"] for cost in costs]), sum(cost["diverged"] is not None for cost in costs),
        results[0]["trivial"], results[0]["score_name"],
        [checkpoint.read_history(folder / "history.csv") for folder in folders],
    )  # fmt: skip


def sentences(title: str, found: dict[str, Found]) -> list[str]:
    """What the runs of one experiment say, in words that follow from the numbers."""
    said = []
    trivial = next(iter(found.values())).trivial
    name = min(trivial, key=lambda key: trivial[key])
    published = {m: f for m, f in found.items() if METHODS[m].published}
    learned = [f.title for f in published.values() if f.test_loss.max() < trivial[name]]
    if published:
        which = ", ".join(learned) if learned else "none of the published methods"
        best = f"the best trivial predictor ({name}, {trivial[name]:.3g})"
        said.append(f"Better than {best} at every seed: {which}.")
        losses = {m: float(np.mean(f.test_loss)) for m, f in published.items() if not f.diverged}
        for plain in ("wp", "np", "anp"):
            if {plain, f"d{plain}"} <= losses.keys():
                ratio = losses[f"d{plain}"] / losses[plain]
                word = "lowers" if ratio < 0.95 else "raises" if ratio > 1.05 else "hardly changes"
                said.append(f"Decorrelation {word} the loss of {plain.upper()}: {ratio:.3g} times.")
    for method, words in OURS.items():
        if {method, "bptt"} <= found.keys():
            ratio = float(np.mean(found[method].test_loss) / np.mean(found["bptt"].test_loss))
            verdict = "reaches" if ratio <= WITHIN else "misses"
            said.append(f"{words} {verdict} BPTT's loss in the same network: {ratio:.3g} times it.")
    if {"bptt-decorrelated", "bptt"} <= found.keys():
        ratio = float(np.mean(found["bptt-decorrelated"].test_loss) / np.mean(found["bptt"].test_loss))
        said.append(f"BPTT itself, decorrelated as our recipe is, has {ratio:.3g} times its loss without.")
    if {"ours", "readout"} <= found.keys():
        ratio = float(np.mean(found["ours"].test_loss) / np.mean(found["readout"].test_loss))
        said.append(f"Learning the hidden weights too gives {ratio:.3g} times the loss of the readout alone.")
        if found["readout"].test_loss.max() < trivial[name]:
            said.append(
                "The readout alone beats every trivial predictor here: on this task a loss below them does "
                "not show that recurrent weights were learned."
            )
    return said


def needed(found: dict[str, Found]) -> str:
    """Which changes of our recipe leave errors."""
    wrong = [runs.title for runs in found.values() if runs.score.min() < 1]
    if not wrong:
        return "Every symbol is right at every seed, whatever is changed."
    return f"Every symbol is right at every seed, except with: {', '.join(wrong)}."

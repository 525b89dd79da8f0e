"""Findings of a report: records of its runs, each method's runs over the seeds, and what follows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from neuroanp import storage
from neuroanp.config.document import WRITTEN_BY
from neuroanp.reproduce.changes import EVERY
from neuroanp.reproduce.methods import METHODS
from neuroanp.reproduce.runs import COST, Job
from neuroanp.types import Array

Record = dict[str, Any]

WITHIN = 1.1
"""Factor up to which a loss counts as reaching another one."""

CONFIDENCE = 0.9
"""Coverage of the bootstrap intervals."""

COMPARISONS = (
    ("dwp", "wp", "Decorrelated WP has {ratio} the loss of WP, as published."),
    ("dnp", "np", "Decorrelated NP has {ratio} the loss of NP, as published."),
    ("danp", "anp", "Decorrelated ANP has {ratio} the loss of ANP, as published."),
    ("ours", "bptt", "Node perturbation, our recipe, has {ratio} BPTT's loss in the same network."),
    ("response", "bptt", "Response perturbation has {ratio} BPTT's loss in the same network."),
    ("bptt-decorrelated", "bptt", "BPTT, decorrelated as our recipe is, has {ratio} its loss without."),
    (
        "sign",
        "ours",
        "With noise of random sign node perturbation has {ratio} the loss of that with Gaussian.",
    ),
    ("e-prop", "bptt", "E-prop with learned feedback has {ratio} BPTT's loss in the same network."),
    ("e-prop", "ours", "E-prop with learned feedback has {ratio} the loss of node perturbation."),
    ("e-prop", "readout", "E-prop with learned feedback has {ratio} the loss of the readout alone."),
    (
        "ours",
        "bptt-decorrelated",
        "Node perturbation, our recipe, has {ratio} the loss of decorrelated BPTT.",
    ),
    ("ours", "readout", "Learning the hidden weights too gives {ratio} the loss of the readout alone."),
)
"""Method, method it is compared with, and the sentence about the ratio of their losses."""

READOUT_SUFFICES = (
    "The readout alone beats every trivial predictor here: on this task a loss below them does not show that "
    "recurrent weights were learned."
)


@dataclasses.dataclass(frozen=True)
class Runs:
    """Runs of one method on one experiment, an element a seed."""

    method: str
    records: list[Record]

    @property
    def title(self) -> str:
        """Name of the method to read."""
        return EVERY[self.method].title

    def each(self, name: str) -> Array:
        """Number of every record (seeds,), by its name; NaN for one that was not finite."""
        return np.array([np.nan if r[name] is None else r[name] for r in self.records], float)

    @property
    def test_loss(self) -> Array:
        """Loss on unseen trials (seeds,)."""
        return self.each("test_loss")

    @property
    def trivial(self) -> dict[str, float]:
        """Losses of predictors that need no training, by name."""
        return self.records[0]["trivial"]

    @property
    def diverged(self) -> int:
        """Number of seeds at which training stopped early."""
        return sum(record["diverged"] is not None for record in self.records)

    @property
    def correlation(self) -> Array:
        """Mean squared correlation of two hidden traces at the last test (seeds,)."""
        return np.array([(r["tests"]["correlation"] or [None])[-1] for r in self.records], float)

    @property
    def per_update(self) -> float:
        """Milliseconds of an update, the median over seeds."""
        return float(1000 * np.median(self.each("seconds") / np.maximum(1, self.each("updates"))))

    def reached(self, loss: float) -> tuple[float, float]:
        """Median updates and seconds until a test at or below a loss; NaN unless all seeds reach it."""
        times = []
        for record in self.records:
            tests = record["tests"]
            below = np.flatnonzero(np.array(tests["loss"], float) <= loss)
            if not len(below):
                return float("nan"), float("nan")
            times.append((tests["update"][below[0]], tests["seconds"][below[0]]))
        update, seconds = np.median(np.array(times, float), axis=0)
        return float(update), float(seconds)


def records(out: Path, jobs: Iterable[Job]) -> list[Record]:
    """Records of the runs that are on disk: what `report.json` holds."""
    return [_record(out / job.folder, job) for job in jobs if (out / job.folder / COST).exists()]


def _record(folder: Path, job: Job) -> Record:
    result, settings = storage.read_json(folder / "result.json"), storage.read_json(folder / "config.json")
    if "data" in settings["task"]:
        settings["task"]["data"] = Path(settings["task"]["data"]).name
    record: Record = {"experiment": job.experiment, "length": job.length, "hidden": job.hidden}
    record |= {"method": job.method, "seed": job.seed, "planned": job.updates}
    measured = ("test_loss", "train_loss", "score", "score_name", "trivial", "trivial_scores")
    record |= {name: result[name] for name in (*measured, "seconds", "updates")}
    record |= json.loads((folder / COST).read_text())
    history = storage.read_history(folder / "history.csv")
    return record | {"tests": _tests(history), "version": settings.pop(WRITTEN_BY), "settings": settings}


def _tests(history: dict[str, Array]) -> dict[str, list[float]]:
    """Tests on the way, to six digits."""
    seconds = np.interp(history["test_update"], history["update"], history["seconds"])
    tests = {name: history[f"test_{name}"] for name in ("update", "loss", "score", "correlation")}
    return {
        name: [float(f"{value:.6g}") for value in values]
        for name, values in (tests | {"seconds": seconds}).items()
    }


def by_method(records: Iterable[Record]) -> dict[str, Runs]:
    """Records of one experiment, grouped."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record["method"], []).append(record)
    return {method: Runs(method, group) for method, group in groups.items()}


def interval(values: Array, others: Array | None = None) -> tuple[float, float]:
    """Bootstrap interval (BCa, 90 %) of the mean over seeds, or of the ratio of two means of the same seeds.

    Parameters
    ----------
    values : array (seeds,)
    others : array (seeds,), optional
        Divisor; its elements go with those of `values`, as they share start and trials.

    References
    ----------
    Efron, J. Am. Stat. Assoc. 82, 171 (1987).
    """
    samples = (values,) if others is None else (values, others)
    estimate = _mean(values, others)
    if all(np.ptp(sample) == 0 for sample in samples):
        return float(estimate), float(estimate)
    rng = np.random.default_rng(0)
    low, high = bootstrap(
        samples, _mean, paired=True, confidence_level=CONFIDENCE, random_state=rng
    ).confidence_interval
    return float(low), float(high)


def _mean(values: Array, others: Array | None = None, axis: int = -1) -> Array:
    mean: Array = values.mean(axis=axis)
    return mean if others is None else mean / others.mean(axis=axis)


def ratio(left: Runs, right: Runs) -> str:
    """Ratio of two methods' mean losses in words, with its interval over the seeds that both have."""
    seeds = sorted({r["seed"] for r in left.records} & {r["seed"] for r in right.records})
    losses, others = (
        np.array([next(r["test_loss"] for r in runs.records if r["seed"] == seed) for seed in seeds], float)
        for runs in (left, right)
    )
    text = f"{_mean(losses, others):.3g} times"
    if len(seeds) < 3:
        return text
    low, high = interval(losses, others)
    return f"{text} ({100 * CONFIDENCE:.0f} % interval {low:.3g} to {high:.3g})"


def sentences(methods: dict[str, Runs]) -> list[str]:
    """Sentences on the runs of one experiment that follow from the numbers."""
    trivial = next(iter(methods.values())).trivial
    name = min(trivial, key=lambda key: trivial[key])
    published = [runs for method, runs in methods.items() if METHODS[method].published]
    lines = []
    if published:
        better = ", ".join(runs.title for runs in published if runs.test_loss.max() < trivial[name])
        best = f"the best trivial predictor ({name}, {trivial[name]:.3g})"
        lines.append(f"Better than {best} at every seed: {better or 'none of the published methods'}.")
    lines += [
        template.format(ratio=ratio(methods[left], methods[right]))
        for left, right, template in COMPARISONS
        if {left, right} <= methods.keys() and not methods[left].diverged + methods[right].diverged
    ]
    if "readout" in methods and methods["readout"].test_loss.max() < trivial[name]:
        lines.append(READOUT_SUFFICES)
    return lines


def needed(methods: dict[str, Runs]) -> str:
    """Sentence that names the changes of our recipe that leave errors."""
    wrong = [runs.title for runs in methods.values() if runs.each("score").min() < 1]
    if not wrong:
        return "Every symbol is right at every seed, whatever is changed."
    return f"Every symbol is right at every seed, except with: {', '.join(wrong)}."

"""`write_report`: records of all runs as JSON, and one HTML page of them, readable offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from neuroanp import storage
from neuroanp.config import document as config
from neuroanp.reproduce import figures
from neuroanp.reproduce.changes import WHERE
from neuroanp.reproduce.experiments import COPYING, EXPERIMENTS
from neuroanp.reproduce.findings import (
    CONFIDENCE,
    WITHIN,
    Record,
    Runs,
    by_method,
    interval,
    needed,
    records,
    sentences,
)
from neuroanp.reproduce.methods import METHODS, OF_RATES
from neuroanp.reproduce.runs import Job, Plan, versions
from neuroanp.tasks import CopyingMemory, DelayedXOR
from neuroanp.training.seeds import CHOSEN_ON
from neuroanp.types import Array

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(plan: Plan, out: Path, command: str) -> Path:
    """Report: ``report.json``, records of all runs, and ``report.html``, made of it; returns the page's path.

    Parameters
    ----------
    plan : Plan
    out : Path
        Folder with the runs of `run_all`; the page says how many are missing.
    command : str
        The command that made it.
    """
    jobs = list(dict.fromkeys(plan.jobs()))
    all_records = records(out, jobs)
    lines = ",\n".join(storage.json_line(record) for record in all_records)
    protocol = {"command": command, "settings_chosen_on_seeds": CHOSEN_ON, "reported_seeds": plan.seeds}
    head = storage.json_line(protocol).removesuffix("}")
    (out / "report.json").write_text(f'{head}, "runs": [\n{lines}\n]}}\n')
    sections = []
    for name, updates in plan.experiments():
        methods = by_method(r for r in all_records if _main(r, name, updates))
        if methods:
            sections.append(_section(name, updates, methods))
    text = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text()).render(
        sections=sections, scaled=_scaled(plan, all_records), methods=_settings(), command=command,
        changes=_changes(plan, all_records), versions=versions(),
        seeds=_stretch(plan.seeds), chosen=_stretch(CHOSEN_ON), number=len(plan.seeds),
        first=plan.seeds[0], quick=plan.quick, weather=plan.weather is not None,
        missing=len(jobs) - len(all_records), within=f"{100 * (WITHIN - 1):.0f}",
        confidence=f"{100 * CONFIDENCE:.0f}",
    )  # fmt: skip
    page = out / "report.html"
    page.write_text(text)
    return page


def _main(record: Record, name: str, updates: int) -> bool:
    """True for a run of an experiment itself, not of a size, a length or a change."""
    plain = record["method"] in METHODS and not record["length"]
    return bool(
        record["experiment"] == name
        and plain
        and record["planned"] == updates
        and record["hidden"] == EXPERIMENTS[name].hidden
    )


def _section(name: str, updates: int, methods: dict[str, Runs]) -> dict[str, Any]:
    experiment = EXPERIMENTS[name]
    goal = float(np.mean(methods["bptt"].test_loss)) * WITHIN if "bptt" in methods else float("nan")
    first = next(iter(methods.values()))
    return {
        "title": experiment.title,
        "about": f"{updates} updates of {experiment.lanes} lanes, {experiment.hidden} hidden units",
        "score_name": first.records[0]["score_name"],
        "rows": [_row(runs, goal) for runs in methods.values()],
        "trivial": [(key, f"{value:.3g}") for key, value in first.trivial.items()],
        "sentences": sentences(methods),
        "figure": figures.curves(methods),
    }


def _row(runs: Runs, goal: float) -> dict[str, Any]:
    update, seconds = runs.reached(goal)
    reached = f"{update:.0f} updates, {seconds:.2g} s" if np.isfinite(update) else "not reached"
    better = runs.test_loss < min(runs.trivial.values())
    return {
        "title": runs.title,
        "loss": spread(runs.test_loss),
        "interval": _interval(runs.test_loss),
        "train": spread(runs.each("train_loss")),
        "score": spread(runs.each("score")),
        "correlation": spread(runs.correlation),
        "beats": "yes" if better.all() else "at some seeds" if better.any() else "no",
        "reached": reached,
        "time": f"{runs.per_update:.3g}",
        "memory": f"{np.median(runs.each('peak_mb')):.0f}",
        "diverged": runs.diverged,
        "seeds": len(runs.records),
    }


def _stretch(seeds: Sequence[int]) -> str:
    """Seeds in words."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def spread(values: Array) -> str:
    """Mean over seeds with the range in brackets, to three digits."""
    if not np.isfinite(values).all():
        return "?"
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{values.mean():.3g} ({values.min():.3g} to {values.max():.3g})"


def _interval(losses: Array) -> str:
    if len(losses) < 3 or not np.isfinite(losses).all():
        return ""
    low, high = interval(losses)
    return f"{low:.3g} to {high:.3g}"


def _scaled(plan: Plan, all_records: list[Record]) -> list[dict[str, Any]]:
    """Sections on hidden sizes and lengths of trials."""
    series = (("hidden units", plan.sizes(), "hidden"), ("symbols in the sequence", plan.lengths(), "length"))
    sections = []
    for title, jobs, by in series if plan.whole else ():
        sizes = {size: _of(all_records, [job for job in jobs if getattr(job, by) == size]) for size in
                 sorted({getattr(job, by) for job in jobs})}  # fmt: skip
        sizes = {size: methods for size, methods in sizes.items() if methods}
        if sizes:
            rows = [_size_row(size, runs) for size, methods in sizes.items() for runs in methods.values()]
            sections.append({"title": title, "rows": rows, "figure": figures.scaling(title, sizes)})
    return sections


def _size_row(size: int, runs: Runs) -> tuple[Any, ...]:
    memory = f"{np.median(runs.each('peak_mb')):.0f}"
    return size, runs.title, spread(runs.test_loss), f"{runs.per_update:.3g}", memory


def _of(all_records: list[Record], jobs: list[Job]) -> dict[str, Runs]:
    """Records of some jobs, by method."""
    keys = {(job.experiment, job.length, job.hidden, job.method, job.seed, job.updates) for job in jobs}
    names = ("experiment", "length", "hidden", "method", "seed", "planned")
    return by_method(r for r in all_records if tuple(r[name] for name in names) in keys)


def _changes(plan: Plan, all_records: list[Record]) -> dict[str, Any] | None:
    methods = _of(all_records, plan.changes()) if plan.whole else {}
    if not methods:
        return None
    rows = [
        (runs.title, spread(runs.test_loss), spread(runs.each("score")), len(runs.records))
        for runs in methods.values()
    ]
    return {
        "title": EXPERIMENTS[WHERE].title,
        "rows": rows,
        "score_name": next(iter(methods.values())).records[0]["score_name"],
        "sentence": needed(methods),
    }


def _settings() -> list[tuple[str, str]]:
    rows = []
    for name, method in METHODS.items():
        task = CopyingMemory() if name in OF_RATES else DelayedXOR()
        parts = config.describe(recipe=method.settings(task, COPYING))["recipe"]
        parts = {key: value for key, value in parts.items() if key not in ("class", "updates")}
        rows.append((method.title, "; ".join(f"{key}: {_short(value)}" for key, value in parts.items())))
    return rows


def _short(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    name = value["class"].rpartition(":")[2]
    return f"{name}({', '.join(f'{k}={v}' for k, v in value.items() if k != 'class')})"

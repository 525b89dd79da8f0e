"""`write_report`: one HTML page of what is on disk, readable offline, and the data behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from neuroanp import storage as checkpoint
from neuroanp.config import document as config
from neuroanp.config import environment
from neuroanp.reproduce import figures
from neuroanp.reproduce.changes import WHERE
from neuroanp.reproduce.experiments import COPYING, EXPERIMENTS
from neuroanp.reproduce.findings import WITHIN, Found, collect, needed, sentences
from neuroanp.reproduce.methods import METHODS
from neuroanp.reproduce.runs import Job, Plan
from neuroanp.tasks import CopyingMemory

TEMPLATE = Path(__file__).with_name("report.html")
PACKAGES = ("neuroanp", "brian2", "numpy", "scipy", "jax", "optax", "matplotlib")


def write_report(plan: Plan, out: Path, command: str) -> Path:
    """Write ``report.html`` and ``report.json``; returns the path of the page.

    Parameters
    ----------
    plan : Plan
    out : Path
        Folder with the runs of `run_all`; what is missing is left out and said to be.
    command : str
        The command that made it.
    """
    versions = {"machine": environment.system()} | environment.versions(*PACKAGES)
    jobs = plan.jobs()
    sections, data = [], {}
    for name, updates in plan.experiments():
        own = [job for job in jobs if job.experiment == name and _main(job, updates)]
        found = collect(out, own)
        if found:
            sections.append(_section(name, updates, found))
            data[name] = {method: _plain(runs) for method, runs in found.items()}
    scaled = [] if plan.only else [
        _scaled(out, "hidden units", plan.sizes(), "hidden"),
        _scaled(out, "symbols in the sequence", plan.lengths(), "length"),
    ]  # fmt: skip
    text = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text()).render(
        sections=sections, scaled=[part for part in scaled if part], methods=_settings(), command=command,
        changes=_changes(out, plan), versions=versions,
        seeds=plan.seeds, quick=plan.quick, weather=plan.weather is not None,
        missing=sum(not (out / job.folder).exists() for job in jobs),
        within=f"{100 * (WITHIN - 1):.0f}",
    )  # fmt: skip
    checkpoint.write_json(out / "report.json", {"command": command, "versions": versions, "found": data})
    page = out / "report.html"
    page.write_text(text)
    return page


def _main(job: Job, updates: int) -> bool:
    plain = job.method in METHODS and not job.length
    return plain and job.updates == updates and job.hidden == EXPERIMENTS[job.experiment].hidden


def _section(name: str, updates: int, found: dict[str, Found]) -> dict[str, Any]:
    experiment = EXPERIMENTS[name]
    goal = float(np.mean(found["bptt"].test_loss)) * WITHIN if "bptt" in found else float("nan")
    first = next(iter(found.values()))
    return {
        "title": experiment.title,
        "about": f"{updates} updates of {experiment.lanes} lanes, {experiment.hidden} hidden units",
        "score_name": first.score_name,
        "rows": [_row(runs, goal) for runs in found.values()],
        "trivial": [(key, f"{value:.3g}") for key, value in first.trivial.items()],
        "sentences": sentences(experiment.title, found),
        "figure": figures.curves(found),
    }


def _row(runs: Found, goal: float) -> dict[str, Any]:
    update, seconds = runs.reached(goal)
    reached = f"{update:.0f} updates, {seconds:.2g} s" if np.isfinite(update) else "not reached"
    better = runs.test_loss < min(runs.trivial.values())
    return {
        "title": runs.title,
        "loss": _spread(runs.test_loss),
        "train": _spread(runs.train_loss),
        "score": _spread(runs.score),
        "correlation": _spread(runs.correlation),
        "beats": "yes" if better.all() else "at some seeds" if better.any() else "no",
        "reached": reached,
        "time": f"{runs.per_update:.3g}",
        "memory": f"{np.median(runs.peak_mb):.0f}",
        "diverged": runs.diverged,
        "seeds": len(runs.test_loss),
    }


def _spread(values: np.ndarray) -> str:
    if not np.isfinite(values).all():
        return "?"
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{values.mean():.3g} ({values.min():.3g} to {values.max():.3g})"


def _scaled(out: Path, title: str, jobs: list[Job], by: str) -> dict[str, Any] | None:
    sizes = sorted({getattr(job, by) for job in jobs})
    found = {size: collect(out, [job for job in jobs if getattr(job, by) == size]) for size in sizes}
    found = {size: runs for size, runs in found.items() if runs}
    if not found:
        return None
    rows = [
        (
            size,
            runs.title,
            _spread(runs.test_loss),
            f"{runs.per_update:.3g}",
            f"{np.median(runs.peak_mb):.0f}",
        )
        for size, by_method in found.items()
        for runs in by_method.values()
    ]
    return {"title": title, "rows": rows, "figure": figures.scaling(title, found)}


def _changes(out: Path, plan: Plan) -> dict[str, Any] | None:
    found = {} if plan.only else collect(out, plan.changes())
    if not found:
        return None
    rows = [
        (runs.title, _spread(runs.test_loss), _spread(runs.score), len(runs.score)) for runs in found.values()
    ]
    return {
        "title": EXPERIMENTS[WHERE].title,
        "rows": rows,
        "score_name": next(iter(found.values())).score_name,
        "sentence": needed(found),
    }


def _settings() -> list[tuple[str, str]]:
    made = []
    for method in METHODS.values():
        parts = config.describe(recipe=method.settings(CopyingMemory(), COPYING))["recipe"]
        parts = {key: value for key, value in parts.items() if key not in ("class", "updates")}
        made.append((method.title, "; ".join(f"{key}: {_short(value)}" for key, value in parts.items())))
    return made


def _short(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    name = value["class"].rpartition(":")[2]
    return f"{name}({', '.join(f'{k}={v}' for k, v in value.items() if k != 'class')})"


def _plain(runs: Found) -> dict[str, Any]:
    names = ("test_loss", "train_loss", "score", "seconds", "updates", "peak_mb")
    return {name: [float(v) for v in getattr(runs, name)] for name in names} | {
        "diverged": runs.diverged,
        "trivial": runs.trivial,
        "curves": [
            {key: [float(v) for v in history[key]] for key in history if key.startswith("test_")}
            for history in runs.histories
        ],
    }

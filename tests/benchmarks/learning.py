"""How well each task is learned, several seeds each, beside the trivial predictors.

Run it as a script: ``python tests/benchmarks/learning.py [--seeds 5] [--preset published] [NAME ...]``.
It prints a table as Markdown and, with ``--json FILE``, keeps the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np

from neuroanp import recipes
from neuroanp.errors import Diverged
from neuroanp.tasks import CopyingMemory, Digits, MackeyGlass, Weather
from neuroanp.training import train

SHARED = Path(os.environ.get("NEUROANP_SHARED", Path(__file__).parents[3] / "shared"))

SETTINGS = {
    "copying-short": (lambda: CopyingMemory(alphabet=5, length=3, delay=3), {"updates": 300}),
    "copying-medium": (lambda: CopyingMemory(alphabet=6, length=5, delay=5), {"updates": 1000}),
    "copying-published-20": (
        lambda: CopyingMemory(alphabet=10, length=20, delay=5, fresh=False),
        {"updates": 600},
    ),
    "mackey-glass": (MackeyGlass, {}),
    "weather-24": (lambda: Weather(data=str(SHARED / "data" / "WTH.csv")), {}),
    "digits": (Digits, {}),
}

#: How a task is trained: its recipes, and the best one with only the readout learning.
WAYS = ("best", "published", "readout-only")


def measure(name: str, preset: str, seeds: int) -> dict[str, object]:
    """Train one setting for several seeds."""
    make, options = SETTINGS[name]
    task = make()
    if preset == "readout-only":
        best = recipes.recipe(task.name, "best")["optimizer"]
        options = options | {"optimizer": dataclasses.replace(best, lr=0.0), "decorrelation": None}
    start = {"preset": preset if preset == "published" else "best"}
    runs = []
    for seed in range(seeds):
        try:
            run = train(task=task, seed=seed, progress=False, **options, **start)
        except Diverged as stopped:
            print(name, preset, seed, stopped, file=sys.stderr, flush=True)
            run = stopped.run
        runs.append(run)
        print(
            name,
            preset,
            seed,
            runs[-1].result["test_loss"],
            runs[-1].result["score"],
            file=sys.stderr,
            flush=True,
        )
    solved = [
        next(
            (
                int(u)
                for u, s in zip(r.history["test_update"], r.history["test_score"], strict=True)
                if s == 1
            ),
            None,
        )
        for r in runs
    ]
    return {
        "setting": name,
        "preset": preset,
        "updates": runs[0].result["updates"],
        "lanes": runs[0].config["lanes"],
        "test_loss": [run.result["test_loss"] for run in runs],
        "score": [run.result["score"] for run in runs],
        "first_tested_without_error": solved,
        "seconds": [run.result["seconds"] for run in runs],
        "trivial": runs[0].result["trivial"],
    }


def row(found: dict[str, object]) -> str:
    """One line of the table: mean and range over the seeds."""
    losses, scores, seconds = (np.array(found[key]) for key in ("test_loss", "score", "seconds"))
    trivial = ", ".join(f"{name} {value:.4g}" for name, value in found["trivial"].items())
    cells = [
        f"{found['setting']}, {found['preset']}",
        f"{found['updates']}",
        f"{losses.mean():.4g} ({losses.min():.4g} to {losses.max():.4g})",
        f"{scores.mean():.4g} ({scores.min():.4g} to {scores.max():.4g})",
        trivial,
        f"{np.median(seconds):.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(SETTINGS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--preset", action="append", choices=WAYS)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = [
        measure(name, preset, asked.seeds)
        for name in asked.names or SETTINGS
        for preset in asked.preset or WAYS
    ]
    print("| setting | updates | test loss, mean (range) | score, mean (range) | trivial | seconds |")
    print("|---|---|---|---|---|---|")
    print("\n".join(map(row, found)))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

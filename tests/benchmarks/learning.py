"""How well each task is learned, several seeds each, beside the trivial predictors.

Run it as a script: ``python tests/benchmarks/learning.py [--seeds 5] [--way published] [NAME ...]``.
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
from brian2 import ms

from neuroanp.errors import Diverged
from neuroanp.models import TanhRNN
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import (
    CartPole,
    CopyingMemory,
    CueAccumulation,
    DelayedXOR,
    Digits,
    MackeyGlass,
    PatternGeneration,
    SpikingDigits,
    StoreRecall,
    Weather,
)
from neuroanp.training import recipe as recipes
from neuroanp.training.loop import train

SHARED = Path(os.environ.get("NEUROANP_SHARED", Path(__file__).parents[3] / "shared"))

RATE = {
    "copying-short": (lambda: CopyingMemory(alphabet=5, length=3, delay=3), {"updates": 300}),
    "copying-medium": (lambda: CopyingMemory(alphabet=6, length=5, delay=5), {"updates": 1000}),
    "copying-published-20": (
        lambda: CopyingMemory(alphabet=10, length=20, delay=5, fresh=False),
        {"updates": 600},
    ),
    "copying-published-100": (
        lambda: CopyingMemory(alphabet=10, length=100, delay=10, fresh=False),
        {"updates": 500, "lanes": 16, "model": TanhRNN(hidden=200, input_gain=0.1)},
    ),
    "mackey-glass": (MackeyGlass, {}),
    "weather-24": (lambda: Weather(data=str(SHARED / "data" / "WTH.csv")), {}),
    "digits": (Digits, {}),
}

SPIKING = {
    "pattern-generation": (PatternGeneration, {}),
    "pattern-generation-scalar": (PatternGeneration, {"preset": "scalar", "updates": 300}),
    "delayed-xor": (DelayedXOR, {}),
    "delayed-xor-scalar": (DelayedXOR, {"preset": "scalar"}),
    "delayed-xor-one-bit": (
        lambda: DelayedXOR(reward="sign"),
        {
            "preset": "scalar",
            "rule": NodePerturbation(sigma=0.3, hold=10, readout_sigma=0.1),
            "modulator": Modulator(discount=0.99, baseline="lanes", copies=16),
            "updates": 1500,
        },
    ),
    "delayed-xor-100ms": (lambda: DelayedXOR(delay=100 * ms), {"updates": 300}),
    "cue-accumulation": (CueAccumulation, {}),
    "store-recall": (StoreRecall, {"updates": 300}),
    "mackey-glass-spiking": (MackeyGlass, {"preset": "spiking"}),
    "spiking-digits": (SpikingDigits, {}),
    "cart-pole": (CartPole, {}),
    "cart-pole-hidden-velocities": (lambda: CartPole(velocities=False), {"preset": "rates"}),
}

SETTINGS = RATE | SPIKING

#: How a task is trained: with the setting's recipe, the published one, and its own with only the readout
#: learning.
WAYS = ("best", "published", "readout-only")


def measure(name: str, way: str, seeds: range, dtype: str) -> dict[str, object]:
    """Train one setting for several seeds."""
    make, options = SETTINGS[name]
    task = make()
    options = {"preset": "best"} | options
    if way == "published":
        options |= {"preset": "published"}
    elif way == "readout-only":
        own = recipes.recipe(task.name, options["preset"])["optimizer"]
        frozen = dataclasses.replace(own, lr=0.0, input_lr=None)
        options |= {"optimizer": frozen, "decorrelation": None}
    runs = []
    for seed in seeds:
        try:
            run = train(task=task, seed=seed, dtype=dtype, progress=False, **options)
        except Diverged as stopped:
            print(name, way, seed, stopped, file=sys.stderr, flush=True)
            run = stopped.run
        runs.append(run)
        print(
            name,
            way,
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
        "preset": way,
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
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = [
        measure(name, way, range(asked.first, asked.first + asked.seeds), asked.dtype)
        for name in asked.names or SETTINGS
        for way in asked.way or (WAYS if name in RATE else ("best", "readout-only"))
    ]
    print("| setting | updates | test loss, mean (range) | score, mean (range) | trivial | seconds |")
    print("|---|---|---|---|---|---|")
    print("\n".join(map(row, found)))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

"""Records of the paper's experiments, as evidence.ipynb and 7_the_paper.ipynb show them.

``python notebooks/evidence/paper.py FOLDER`` makes the runs of several hidden sizes that the folder lacks,
and writes paper.json: these runs, and those that `COMMAND` has made with ``--out FOLDER``.
"""

import concurrent.futures
import json
import multiprocessing
import sys
from pathlib import Path

from neuroanp.reproduce.experiments import EXPERIMENTS
from neuroanp.reproduce.findings import records
from neuroanp.reproduce.methods import METHODS
from neuroanp.reproduce.runs import COST, Job, Plan, make
from neuroanp.training.seeds import fresh

COMMAND = "neuroanp reproduce --seeds 100-104 --weather WTH.csv"
DRAWN = ("mackey-glass", "copying-medium", "copying-10", "weather-24", "delayed-xor")
"""Experiments whose course a notebook draws."""

SIZES, SIZED = (50, 100, 200, 500, 1000), ("bptt", "danp", "ours")
SIZED_SEEDS, SIZED_UPDATES = range(100, 103), 300


def sized() -> list[Job]:
    """Runs of several hidden sizes."""
    return [
        Job("copying-medium", method, seed, SIZED_UPDATES, hidden)
        for seed in SIZED_SEEDS
        for hidden in SIZES
        for method in SIZED
    ]


def drawn(run: dict) -> bool:
    """True for a run whose course a notebook draws, of which tests on the way and settings are kept."""
    if run["experiment"] not in DRAWN or run["method"] not in METHODS or run["length"]:
        return False
    experiment = EXPERIMENTS[run["experiment"]]
    return (run["hidden"], run["planned"]) == (experiment.hidden, experiment.updates)


def main(folder: Path) -> None:
    """Make what is missing, and write the file."""
    spawn = multiprocessing.get_context("spawn")
    for job in sized():
        if not (folder / job.folder / COST).exists():
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
                pool.submit(make, job, str(folder)).result()
    plan = Plan(seeds=fresh(5), weather="WTH.csv")
    reported = [job for job in dict.fromkeys(plan.jobs()) if job not in plan.sizes()]
    runs = {"runs": records(folder, reported), "sizes": records(folder, sized())}
    settings, versions = {}, set()
    for run in runs["runs"] + runs["sizes"]:
        own = run.pop("settings")
        own.pop("seed")
        versions.add(json.dumps(run.pop("versions")))
        if drawn(run):
            settings.setdefault(f"{run['experiment']} {run['method']}", own)
        else:
            del run["tests"]
    if len(versions) > 1:
        raise SystemExit(f"{folder}: expected runs of one version of each package, got {versions}")
    head = {"command": COMMAND, "versions": json.loads(versions.pop()), "settings": settings}
    lines = {name: "[\n" + ",\n".join(map(json.dumps, each)) + "\n]" for name, each in runs.items()}
    parts = {name: json.dumps(each) for name, each in head.items()} | lines
    text = ",\n".join(f"{json.dumps(name)}: {each}" for name, each in parts.items())
    (Path(__file__).parent / "paper.json").write_text(f"{{{text}}}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

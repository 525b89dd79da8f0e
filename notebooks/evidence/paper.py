"""Records of the paper's experiments, as 7_the_paper.ipynb draws them.

``python notebooks/evidence/paper.py FOLDER`` makes the runs of several hidden sizes that the folder lacks,
and writes paper.json: these runs, and those that the commands in `COMMANDS` have made with ``--out FOLDER``.
"""

import concurrent.futures
import json
import multiprocessing
import sys
from pathlib import Path

from neuroanp.reproduce.findings import records
from neuroanp.reproduce.runs import COST, Job, make

PUBLISHED = ("bp-step", "wp", "np", "anp", "dwp", "dnp", "danp")
UPDATES = {"mackey-glass": 500, "copying-medium": 1000, "copying-10": 500, "weather-24": 300}
HIDDEN = {"copying-10": 200}
OURS = ("bptt", "readout", "ours")
"""Methods of copying-10; those of the other experiments are in results.json."""

SEEDS = range(100, 105)
SIZES, SIZED = (50, 100, 200, 500, 1000), ("bptt", "danp", "ours")
SIZED_SEEDS, SIZED_UPDATES = range(100, 103), 300

COMMAND = "neuroanp reproduce --seeds 100-104 --weather WTH.csv --only {} --methods {}"
QUICK = ",".join(name for name in PUBLISHED if "w" not in name)
COMMANDS = [
    COMMAND.format("mackey-glass,weather-24", QUICK),
    COMMAND.format("copying-medium", ",".join(PUBLISHED)),
    COMMAND.format("copying-10", ",".join((QUICK, *OURS))),
]
"""Weight perturbation draws noise for every weight at every step: it is left out where that takes long."""


def published() -> list[Job]:
    """Runs of the commands."""
    return [
        Job(name, method, seed, UPDATES[name], HIDDEN.get(name, 100))
        for name in UPDATES
        for method in (*PUBLISHED, *(OURS if name == "copying-10" else ()))
        for seed in SEEDS
    ]


def sized() -> list[Job]:
    """Runs of several hidden sizes."""
    return [
        Job("copying-medium", method, seed, SIZED_UPDATES, hidden)
        for seed in SIZED_SEEDS
        for hidden in SIZES
        for method in SIZED
    ]


def main(folder: Path) -> None:
    """Make what is missing, and write the file."""
    spawn = multiprocessing.get_context("spawn")
    for job in sized():
        if not (folder / job.folder / COST).exists():
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
                pool.submit(make, job, str(folder)).result()
    runs = {"runs": records(folder, published()), "sizes": records(folder, sized())}
    settings = {}
    for run in runs["runs"] + runs["sizes"]:
        own = run.pop("settings")
        own.pop("seed")
        settings.setdefault(f"{run['experiment']} {run['method']} {run['hidden']}", own)
    lines = {name: "[\n" + ",\n".join(map(json.dumps, each)) + "\n]" for name, each in runs.items()}
    text = ",\n".join(f"{json.dumps(name)}: {each}" for name, each in lines.items())
    head = f'"commands": {json.dumps(COMMANDS)},\n"settings": {json.dumps(settings)}'
    (Path(__file__).parent / "paper.json").write_text(f"{{{head},\n{text}}}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The README's picture: Mackey-Glass as stored in paper.json, and a spiking network that holds a pole.

``python notebooks/evidence/picture.py`` writes picture.png beside itself.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import neuroanp as nap
from neuroanp.plotting.style import BLACK, BLUE, GREEN, GREY, VERMILION, styled
from neuroanp.reproduce.findings import by_method
from neuroanp.storage import read_json
from neuroanp.tasks import CartPole

HERE = Path(__file__).parent
METHODS = {
    "readout": ("readout alone", GREEN),
    "ours": ("node perturbation", VERMILION),
    "response": ("response perturbation", BLUE),
    "bptt": ("BPTT", BLACK),
}
SECONDS = 4.0
LIMIT = 12.0
"""Angle of the pole in degrees at which an episode ends."""


def draw_losses(axes: Axes, records: list[dict]) -> None:
    """Draw the test loss over updates, mean and range over seeds, and the best trivial level."""
    methods = by_method(record for record in records if record["experiment"] == "mackey-glass")
    for method, (label, colour) in METHODS.items():
        runs = methods[method]
        update = runs.records[0]["tests"]["update"]
        losses = np.array([record["tests"]["loss"] for record in runs.records])
        axes.plot(update, losses.mean(axis=0), color=colour, label=label)
        axes.fill_between(update, losses.min(axis=0), losses.max(axis=0), color=colour, alpha=0.15, lw=0)
    name, level = min(runs.trivial.items(), key=lambda item: item[1])
    axes.axhline(level, color=GREY, lw=0.8)
    axes.annotate(name, (1, level), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    axes.set(xlabel="update", ylabel="test loss", yscale="log", xlim=(0, None))
    axes.set_title(f"Mackey-Glass, 15 steps ahead, {len(losses)} seeds")
    axes.legend(loc="lower left")


def draw_pole(angle: Axes, raster: Axes, example: dict[str, np.ndarray]) -> None:
    """Draw the pole's angle and the spikes of one unseen trial."""
    dt = float(example["dt"])
    steps = slice(0, round(SECONDS / dt))
    seconds = dt * np.arange(steps.stop)
    tilt = LIMIT * example["inputs"][steps, list(example["observations"]).index("seen_theta")]
    angle.plot(seconds, tilt, color=BLUE, lw=1)
    for side in (-LIMIT, LIMIT):
        angle.axhline(side, color=GREY, lw=0.8, ls="--")
    angle.annotate("falls", (0.01, LIMIT), xycoords=("axes fraction", "data"), va="top")
    angle.set(ylabel="pole, degrees", ylim=(-1.15 * LIMIT, 1.15 * LIMIT))
    angle.tick_params(labelbottom=False)
    angle.set_title("A spiking network holds a pole, unseen trial")
    step, cell = np.nonzero(example["spikes"][steps])
    raster.scatter(dt * step, cell, s=2, marker="|", color=BLACK, lw=0.7)
    raster.set(xlabel="seconds", ylabel="cell", xlim=(0, SECONDS))


@styled
def main() -> None:
    """Train cart-pole by its recipe, seed 100, and draw both panels."""
    drawing = Figure(figsize=(10, 3.6))
    left, right = drawing.subfigures(1, 2)
    losses = left.subplots()
    draw_losses(losses, read_json(HERE / "paper.json")["runs"])
    run = nap.train(task=CartPole(), seed=100)
    print(run)
    angle, raster = right.subplots(2, 1, sharex=True, height_ratios=[2, 3])
    draw_pole(angle, raster, run.example)
    drawing.savefig(HERE / "picture.png", dpi=110)


if __name__ == "__main__":
    main()

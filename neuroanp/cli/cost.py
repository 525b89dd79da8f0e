"""``neuroanp cost``: what a trained network would ask of hardware."""

from __future__ import annotations

import dataclasses

from neuroanp import storage
from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.substrate import FixedPoint

TEXT = """\
Spikes, synaptic events, bits of state and learning operations of a trained network in unseen trials, by our
own count; NeuroBench's metrics; with --energy SANA-FE's estimates of energy and time on a Loihi-like chip."""


class Cost(Part):
    """Options of a count."""

    lanes: int = option(4, "unseen trials to count", least=1)
    energy: bool = option(False, "ask SANA-FE, for current-lif cells with inputs that are spikes")
    json: bool = option(False, "print the counts as JSON on one line")
    numbers: FixedPoint = FixedPoint()


def cost_command(words: list[str]) -> int:
    """Count that the words after ``neuroanp cost`` ask for; returns the exit code."""
    folder, words = run_folder("cost", words)
    asked = read_options("neuroanp cost RUN", Cost(), words, TEXT)
    from neuroanp.hardware import cost
    from neuroanp.training.run import Run  # takes long, and help needs none

    result = cost(Run.load(folder), lanes=asked.lanes, numbers=asked.numbers, energy=asked.energy)
    print(storage.json_line(dataclasses.asdict(result)) if asked.json else result)
    return 0

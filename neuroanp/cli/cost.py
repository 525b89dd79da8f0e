"""``neuroanp cost``: what a trained network would ask of hardware."""

from __future__ import annotations

import dataclasses

from neuroanp import storage
from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.config.option import option
from neuroanp.config.part import Part

TEXT = """\
Spikes, synaptic events, bits of state and learning operations of a trained network in unseen trials, by our
own count; NeuroBench's metrics; with --energy SANA-FE's estimates of energy and time on a Loihi-like chip."""

BITS = ("weight_bits", "gradient_bits", "eligibility_bits", "potential_bits")
"""Options that are those of `FixedPoint`."""


class Cost(Part):
    """Options of a count."""

    lanes: int = option(4, "unseen trials to count", least=1)
    energy: bool = option(False, "ask SANA-FE, for current-lif cells with inputs that are spikes")
    json: bool = option(False, "print the counts as JSON on one line")
    weight_bits: int | None = option(None, "bits of a weight in whole numbers; 16 when left out", least=2)
    gradient_bits: int | None = option(None, "bits of the estimate of a gradient; 24", least=2)
    eligibility_bits: int | None = option(None, "bits of other variables of a synapse; 16", least=2)
    potential_bits: int | None = option(None, "bits of the variables of a cell; 24", least=4)


def cost_command(words: list[str]) -> int:
    """Count that the words after ``neuroanp cost`` ask for; returns the exit code."""
    folder, words = run_folder("cost", words)
    asked = read_options("neuroanp cost RUN", Cost(), words, TEXT)
    from neuroanp.hardware import cost  # takes long, and help needs none
    from neuroanp.substrate import FixedPoint
    from neuroanp.training.run import Run

    widths = {name: getattr(asked, name) for name in BITS if getattr(asked, name) is not None}
    result = cost(Run.load(folder), lanes=asked.lanes, numbers=FixedPoint(**widths), energy=asked.energy)
    print(storage.json_line(dataclasses.asdict(result)) if asked.json else result)
    return 0

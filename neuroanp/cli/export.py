"""``neuroanp export``: a trained network for other simulators and for chips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.cli.words import UsageError, given, help_asked, require_known
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.optim import ShiftSGD, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.substrate import FixedPoint

if TYPE_CHECKING:
    from neuroanp.training.run import Run


class Target(Part):
    """Options of an export."""

    text: ClassVar[str]
    out: Path | None = option(None, "file to write")

    def write(self, run: Run, path: Path) -> str:
        """Line that says what was written for a run."""
        raise NotImplementedError


class Nir(Target):
    """Options of a NIR graph."""

    text = """\
Writes a trained network of current-lif cells as a graph of the Neuromorphic Intermediate Representation, with
its learning rule in the metadata, and FILE.readout.npz beside it. What no graph has exactly is refused.

r=1 is for norse and spikingjelly, r=tau/dt for snn-mlir and spikingjelly; no file serves all.
norse, spikingjelly and snntorch want --no-readout."""

    dialect: Literal["r=1", "r=tau/dt"] = option(
        "r=1", "factor dt / tau left to the reader, or in the weights"
    )
    dtype: Literal["float32", "float64"] = option("float32", "precision of the graph's numbers")
    readout: bool = option(True, "end the graph at the readout, not at the spikes")

    def write(self, run: Run, path: Path) -> str:
        from neuroanp.hardware.export import nir

        nir(run, path, dialect=self.dialect, dtype=self.dtype, readout=self.readout)
        return f"NIR graph: {path}; numbers of its readout: {path}.readout.npz"


class Rtl(Target):
    """Options of a learning core: what it learns by, and in which numbers."""

    text = """\
Writes a learning core in Verilog with the run's cells, weights and rule, a test bench, and core.json, which
says what a host has to send. A core draws noise of sign distribution, sees one trial at a time and divides by
nothing: the rule has to be local, with --rule.distribution sign in its training. FILE is a folder."""

    numbers: FixedPoint = FixedPoint(noise="xorshift")
    modulator: Modulator = Modulator(baseline=RunningMean())
    optimizer: Stage = ShiftSGD()

    def write(self, run: Run, path: Path) -> str:
        from neuroanp.hardware import IntegerChip
        from neuroanp.hardware.export import rtl

        recipe = run.recipe
        chip = IntegerChip(
            recipe.model, run.task, rule=recipe.rule, modulator=self.modulator, optimizer=self.optimizer,
            numbers=self.numbers, seed=run.config["seed"], weights=run.weights,
        )  # fmt: skip
        return f"learning core: {rtl(chip, path)}; run core_tb.v with core.v in a Verilog simulator"


class Loihi(Target):
    """Options of microcode: what a rule goes on to learn by."""

    text = """\
Writes the run's rule as microcode of Loihi's three-factor learning (Lava's dw and dt) for each projection,
with what the host has to send. What has no microcode is refused: rules that are not local, cells that don't
spike."""

    modulator: Modulator = Modulator(baseline=RunningMean())
    optimizer: Stage = ShiftSGD()
    modulator_size: float = option(
        0.1, "typical size of the modulator, for the scale of what is sent", above=0
    )

    def write(self, run: Run, path: Path) -> str:
        from neuroanp.hardware.export import loihi_file

        rule = loihi_file(
            run, path, modulator=self.modulator, optimizer=self.optimizer, modulator_size=self.modulator_size
        )
        return f"{rule}\n\nmicrocode: {path}"


TARGETS: dict[str, type[Target]] = {"nir": Nir, "rtl": Rtl, "loihi": Loihi}
"""Options of each target, by the name that ``--to`` gives it."""

TEXT = f"""\
usage: neuroanp export RUN --to TARGET --out FILE [options]

Writes a trained network, and what it learned by, for other simulators and for chips.

targets: {", ".join(TARGETS)}; `neuroanp export --to TARGET --help` explains the options of one"""


def export_command(words: list[str]) -> int:
    """Export that the words after ``neuroanp export`` ask for; returns the exit code."""
    folder, words = run_folder("export", words)
    name = given(words, ("to",)).get("to")
    if name is None:
        if help_asked(words):
            print(TEXT)
            return 0
        raise UsageError(f"export needs a target: --to {' or --to '.join(TARGETS)}")
    require_known("--to", [name], TARGETS)
    kind = TARGETS[name]
    options = read_options(f"neuroanp export RUN --to {name}", kind(), _without_target(words), kind.text)
    if options.out is None:
        raise UsageError("export needs a file: --out FILE")
    from neuroanp.training.run import Run  # takes long, and help needs none

    print(options.write(Run.load(folder), options.out))
    return 0


def _without_target(words: list[str]) -> list[str]:
    """Words without ``--to`` and its value."""
    place = next((at for at, word in enumerate(words) if word == "--to"), None)
    if place is None:
        return [word for word in words if not word.startswith("--to=")]
    return words[:place] + words[place + 2 :]

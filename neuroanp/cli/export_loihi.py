"""Export as Loihi's microcode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neuroanp.cli.export_target import Target
from neuroanp.config.option import option
from neuroanp.optim import ShiftSGD, Stage
from neuroanp.reward import Modulator, RunningMean

if TYPE_CHECKING:
    from neuroanp.training.run import Run


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

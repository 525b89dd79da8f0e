"""Export as a learning core in Verilog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neuroanp.cli.export_target import Target
from neuroanp.errors import InvalidValue
from neuroanp.optim import ShiftSGD, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.substrate import FixedPoint

if TYPE_CHECKING:
    from neuroanp.training.run import Run


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
        if recipe.rates is not None:
            raise InvalidValue("export.rtl.run", "a recipe without a penalty on rates", recipe.rates)
        chip = IntegerChip(
            recipe.model, run.task, rule=recipe.rule, modulator=self.modulator, optimizer=self.optimizer,
            numbers=self.numbers, seed=run.config["seed"], weights=run.weights,
        )  # fmt: skip
        return f"learning core: {rtl(chip, path)}; run core_tb.v with core.v in a Verilog simulator"

"""``neuroanp verify``: estimates of a rule beside the gradient."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from neuroanp import storage
from neuroanp.cli.options import read_options
from neuroanp.config import registry
from neuroanp.config.dotted import like
from neuroanp.config.option import SEEDS, option
from neuroanp.config.part import Part
from neuroanp.network.model import Model
from neuroanp.reward import Modulator, OtherPass
from neuroanp.rules import Rule
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task
from neuroanp.verify import verify

SWEEPS = ("sigma", "hidden", "steps", "discount")


class Verify(Part):
    """Rule, model, task and modulator, and extent of the measurement."""

    rule: Rule
    model: Model
    task: Task
    modulator: Modulator
    samples: int = option(256, "draws of the noise", least=4)
    lanes: int = option(16, "trials side by side", least=1)
    seed: int = option(0, "seed of weights, trial and noise", least=0, most=SEEDS)
    sweeps: tuple[str, ...] | None = option(SWEEPS, f"of {', '.join(SWEEPS)}, or none")
    out: Path | None = option(None, "folder of table and figure; runs/verify-... when left out")
    json: bool = option(False, "print the figures as JSON instead of the table")


def verify_command(words: list[str]) -> int:
    """Measurement, its table, printed, and a folder with table and figure; returns the exit code."""
    names = words[:3]
    options = read_options(f"neuroanp verify {' '.join(names)}", _start(*names), words[3:])
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    out = options.out or Path(f"runs/verify-{'-'.join(names)}-{now}")
    storage.check_folder(out)
    report = verify(
        options.rule, options.model, options.task, modulator=options.modulator, lanes=options.lanes,
        samples=options.samples, seed=options.seed, sweeps=options.sweeps or (),
    )  # fmt: skip
    with storage.new_folder(out) as draft:
        (draft / "table.txt").write_text(f"{report}\n")
        storage.write_json(draft / "estimates.json", report.as_json())
        report.figure().savefig(draft / "figure.png", dpi=130)
    print(json.dumps(report.as_json()) if options.json else f"{report}\n\nfigure: {out / 'figure.png'}")
    return 0


def _start(rule_name: str, model_name: str, task_name: str) -> Verify:
    """Options before any is given: the three, with settings and modulator of the task's recipe."""
    task = registry.find("task", task_name)()
    recipe = Recipe.of(task)
    rule = like(registry.find("rule", rule_name), recipe.rule)
    modulator = recipe.modulator
    if rule.needs_two_passes and modulator.passes(rule.passes) == ("plus",):
        modulator = modulator.replace(baseline=OtherPass())
    model = like(registry.find("model", model_name), recipe.model)
    return Verify(rule=rule, model=model, task=task, modulator=modulator)

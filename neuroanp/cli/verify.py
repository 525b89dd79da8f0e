"""``neuroanp verify``: what a rule estimates, beside the gradient."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

from neuroanp import storage as checkpoint
from neuroanp.cli.options import Parser, UsageError, add_options, apply, like
from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.training import recipe as recipes
from neuroanp.verify import verify

USAGE = """\
usage: neuroanp verify RULE MODEL TASK [options]

Compares what a rule estimates for one trial of an untrained network, over many draws of its noise, with the
gradient that backpropagation through time has (extra compare): cosine for each weight matrix against the
number of samples, bias and variance, also against sigma, hidden size, trial length and discount.

`neuroanp verify RULE MODEL TASK --help` explains the options, which depend on the three."""

SWEEPS = "sigma,hidden,steps,discount"


def verify_command(words: list[str]) -> int:
    """Measure, print the table and save table and figure; returns the exit code."""
    names = [word for word in words[:3] if not word.startswith("-")]
    if len(names) < 3:
        if not {"-h", "--help"}.isdisjoint(words):
            print(USAGE)
            return 0
        raise UsageError(f"expected a rule, a model and a task, got {' '.join(names) or 'none'}")
    parts = _parts(*names)
    parser = _parser(names, parts)
    if not {"-h", "--help"}.isdisjoint(words):
        parser.print_help()
        return 0
    given = parser.read(words[3:])
    parts = {prefix: apply(prefix, value, given) for prefix, value in parts.items()}
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    out = Path(given["out"] or f"runs/verify-{'-'.join(names)}-{now}")
    checkpoint.check_folder(out)
    sweeps = [word for word in given["sweeps"].split(",") if word and word != "none"]
    parts |= {name: _whole(name, given[name]) for name in ("samples", "lanes", "seed")}
    report = verify(**parts, sweeps=sweeps)
    with checkpoint.new_folder(out) as draft:
        (draft / "table.txt").write_text(f"{report}\n")
        checkpoint.write_json(draft / "estimates.json", report.as_json())
        report.figure().savefig(draft / "figure.png", dpi=130)
    print(json.dumps(report.as_json()) if given["json"] else f"{report}\n\nfigure: {out / 'figure.png'}")
    return 0


def _parts(rule: str, model: str, task: str) -> dict[str, Any]:
    """The three with the settings of the task's recipe where they have the same, and its modulator."""
    recipe = recipes.recipe(task, recipes.presets(task)[0]) if task in registry.tasks() else {}
    found_task = registry.find("task", task)()
    made = like(registry.find("rule", rule), recipe["rule"])
    modulator = recipe["modulator"]
    if made.compares and modulator.passes(made.passes) == ("plus",):
        modulator = dataclasses.replace(modulator, baseline="passes")
    return {
        "rule": made,
        "model": like(registry.find("model", model), recipe["model"]),
        "task": found_task,
        "modulator": modulator,
    }


def _parser(names: list[str], parts: dict[str, Any]) -> Parser:
    whole = f"neuroanp verify {' '.join(names)}"
    parser = Parser(prog=whole, usage=f"{whole} [options]")
    run = parser.add_argument_group("what is measured")
    run.add_argument("--samples", metavar="N", default="256", help="draws of the noise (default: 256)")
    run.add_argument("--lanes", metavar="N", default="16", help="trials side by side (default: 16)")
    run.add_argument("--seed", metavar="N", default="0", help="seed of weights, trial and noise (default: 0)")
    run.add_argument(
        "--sweeps", metavar="NAME,...", default=SWEEPS, help=f"of {SWEEPS}, or none (default: all)"
    )
    left = parser.add_argument_group("what is left behind")
    left.add_argument("--out", metavar="FOLDER", help="folder of table and figure (default: runs/verify-...)")
    left.add_argument("--json", action="store_true", help="print the figures as JSON instead of the table")
    for prefix, value in parts.items():
        add_options(parser, prefix, value)
    return parser


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue(f"--{name}", "a whole number", text) from None
